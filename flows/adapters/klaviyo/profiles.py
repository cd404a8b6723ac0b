"""Finds, updates and, where allowed, creates Klaviyo's profiles."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from flows.adapters.files.importer_files import LAYOUTS
from flows.adapters.klaviyo.api import Json, KlaviyoApi

MAX_FOUND = 100  # of a page, and so of the addresses of one question
_DIGITS = {"churn_probability": 4, "expected_spend": 2, "clv": 2, "expected_loss": 2, "win_back_value": 2}
# The properties are called as in the file for Klaviyo's importer, so that segments there hold for both. Not the
# country: where a profile is, Klaviyo may know better.
_LEFT_OUT = ("email", "country")
_OF_CAMPAIGN = ("offer", "variant")


@dataclass(frozen=True)
class Profile:
    """`has_opted_out`: they have unsubscribed, or Klaviyo suppresses them, for example after a hard bounce."""

    id: str
    address: str
    has_opted_out: bool

    @classmethod
    def of(cls, found: Json) -> "Profile":
        """From a profile's JSON with its subscriptions. Where these say nothing, nobody has opted out."""
        attributes = found["attributes"]
        marketing = ((attributes.get("subscriptions") or {}).get("email") or {}).get("marketing") or {}
        is_out = marketing.get("consent") == "UNSUBSCRIBED" or bool(marketing.get("suppression"))
        return cls(
            str(found["id"]),
            str(attributes.get("email") or "").strip().lower(),
            is_out or marketing.get("can_receive_email_marketing") is False,
        )


def find_profiles(api: KlaviyoApi, addresses: Sequence[str]) -> dict[str, Profile]:
    """By address, in small letters, of those that Klaviyo knows."""
    found: dict[str, Profile] = {}
    for start in range(0, len(addresses), MAX_FOUND):
        asked = json.dumps(list(addresses[start : start + MAX_FOUND]), ensure_ascii=False)
        parameters = {
            "filter": f"any(email,{asked})", "additional-fields[profile]": "subscriptions",
            "fields[profile]": "email,subscriptions", "page[size]": str(MAX_FOUND),
        }  # fmt: skip
        for page in api.pages("Looking for profiles", "profiles", parameters):
            found |= {profile.address: profile for profile in map(Profile.of, page)}
    return found


def write_profile(api: KlaviyoApi, address: str, profile_id: str | None, properties: Mapping[str, Any]) -> Profile:
    """Updates a profile, or creates the one of an address; returns it as it is then. Other properties stay."""
    data: Json = {"type": "profile", "attributes": {"email": address, "properties": dict(properties)}}
    if profile_id is not None:
        data["id"] = profile_id
    return Profile.of(
        api.post("Writing a profile", "profile-import?additional-fields[profile]=subscriptions", data)["data"]
    )


def property_values(people: pa.Table, audience: str | None) -> Iterator[dict[str, Any]]:
    """Values by property for each customer; null clears an old one. Only a campaign writes its own."""
    layout = LAYOUTS["klaviyo"]
    columns = {
        header: [_plain(value, name) for value in people.column(name).to_pylist()]
        for name, header in layout.headers.items()
        if name not in _LEFT_OUT and (audience is not None or name not in _OF_CAMPAIGN)
    }
    if audience is not None:
        columns[layout.of_campaign] = [audience] * len(people)
    return (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _plain(value: Any, name: str) -> Any:
    return round(value, _DIGITS[name]) if value is not None and name in _DIGITS else value
