"""The properties of HubSpot's contacts that describe customers, in a group of our own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
from pydantic import BaseModel, Field

from flows.adapters.hubspot.api import HubSpotApi
from flows.errors import HubSpotRefused

GROUP, GROUP_LABEL = "rfm_churn", "RFM and churn"


@dataclass(frozen=True)
class Property:
    """`column` of CONTACT_SCHEMA, or None for the campaign's name. Only a campaign writes properties `of_campaign`."""

    name: str
    label: str
    column: str | None
    type: Literal["string", "number"] = "string"
    digits: int = 0
    of_campaign: bool = False


PROPERTIES = (
    Property("rfm_segment", "RFM segment", "segment"),
    Property("churn_risk_band", "Churn: risk", "risk_band"),
    Property("churn_lifecycle", "Churn: lifecycle", "lifecycle"),
    Property("churn_queue", "Churn: queue", "queue"),
    Property("churn_probability", "Churn: probability", "churn_probability", "number", digits=4),
    Property("expected_spend", "Expected spend", "expected_spend", "number", digits=2),
    Property("churn_clv", "Customer lifetime value", "clv", "number", digits=2),
    Property("expected_loss", "Expected loss", "expected_loss", "number", digits=2),
    Property("win_back_value", "Win-back value", "win_back_value", "number", digits=2),
    Property("churn_reason", "Churn: reason", "reason"),
    Property("recommended_action", "Recommended action", "recommended_action"),
    Property("next_product_1", "Next product", "next_product_1"),
    Property("next_product_2", "Next product, second", "next_product_2"),
    Property("next_product_3", "Next product, third", "next_product_3"),
    Property("next_product_name_1", "Next product: name", "next_product_name_1"),
    Property("next_product_name_2", "Next product, second: name", "next_product_name_2"),
    Property("next_product_name_3", "Next product, third: name", "next_product_name_3"),
    Property("next_category_1", "Next product: category", "next_category_1"),
    Property("last_campaign", "Last campaign", None, of_campaign=True),
    Property("last_offer", "Last offer", "offer", of_campaign=True),
    Property("last_variant", "Last variant", "variant", of_campaign=True),
)


class _Known(BaseModel):
    name: str
    type: str = ""
    group: str = Field("", alias="groupName")


class _AllKnown(BaseModel):
    results: list[_Known] = []


class _Anything(BaseModel):
    pass


def property_values(people: pa.Table, audience: str | None) -> list[dict[str, str]]:
    """Values by property for each customer; an empty text clears the old value."""
    ours = _ours(of_campaign=audience is not None)
    columns = [
        [audience or ""] * len(people)
        if known.column is None
        else [_text(value, known.digits) for value in people.column(known.column).to_pylist()]
        for known in ours
    ]
    names = [known.name for known in ours]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def make_properties(api: HubSpotApi, of_campaign: bool) -> None:
    """Creates missing properties.

    Raises:
        HubSpotRefused: when an existing one has another type, or belongs to somebody else.
    """
    ours = _ours(of_campaign)
    missing = _missing(api, ours)
    if not missing:
        return
    group = {"name": GROUP, "label": GROUP_LABEL}
    _make(api, "Creating the group of contact properties", lambda sdk, how: sdk.groups.create("contacts", group, **how))
    for wanted in missing:
        body = {
            "name": wanted.name, "label": wanted.label, "type": wanted.type, "groupName": GROUP,
            "fieldType": "number" if wanted.type == "number" else "text",
        }  # fmt: skip
        _make(
            api,
            f"Creating the contact property {wanted.name}",
            lambda sdk, how, body=body: sdk.properties.create("contacts", body, **how),
        )
    if missing := _missing(api, ours):
        names = ", ".join(wanted.name for wanted in missing)
        raise HubSpotRefused(
            f"HubSpot does not have the contact properties {names}, although it reported to have created them."
        )


def _ours(of_campaign: bool) -> list[Property]:
    return [known for known in PROPERTIES if of_campaign or not known.of_campaign]


def _missing(api: HubSpotApi, ours: Sequence[Property]) -> list[Property]:
    known = api.call_api(
        "Reading the contact properties", lambda sdk, how: sdk.properties.get_all("contacts", **how), _AllKnown
    )
    there = {found.name: found for found in known.results}
    if problems := [
        problem for wanted in ours if wanted.name in there and (problem := _misfit(wanted, there[wanted.name]))
    ]:
        raise HubSpotRefused("\n".join(problems))
    return [wanted for wanted in ours if wanted.name not in there]


def _misfit(wanted: Property, found: _Known) -> str | None:
    if found.type != wanted.type:
        return (
            f"HubSpot has a contact property {wanted.name} of the type {found.type}, and ours is a {wanted.type}:"
            " delete it there, if nobody needs it, and it will be created again."
        )
    if found.group != GROUP:
        return (
            f"HubSpot has a contact property {wanted.name} in the group {found.group}, so it is not ours: move"
            f' it to the group "{GROUP_LABEL}" if its values may be overwritten, or delete it.'
        )
    return None


def _make(api: HubSpotApi, doing: str, call: Any) -> None:
    """An object that exists already, perhaps because the response to an earlier attempt was lost, counts as created."""
    try:
        api.call_api(doing, call, _Anything)
    except HubSpotRefused as refused:
        if refused.status_code != 409:
            raise


def _text(value: Any, digits: int) -> str:
    if value is None:
        return ""
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)
