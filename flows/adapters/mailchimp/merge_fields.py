"""The merge fields of an audience that describe customers."""

from collections.abc import Sequence
from typing import Any

from flows.adapters.contact_fields import Field
from flows.adapters.mailchimp.api import MailchimpApi
from flows.errors import MailchimpRefused

MAX_BYTES = 255  # of a text


def make_merge_fields(api: MailchimpApi, audience: str, wanted: Sequence[Field]) -> None:
    """Creates those that are missing.

    Raises:
        MailchimpRefused: when an existing one is of another type, or the audience may have no more.
    """
    for field in _missing(api, audience, wanted):
        body = {"tag": field.name, "name": _label(field), "type": _type(field), "public": False, "required": False}
        try:
            api.request(f"Creating the merge field {field.name}", "POST", f"/3.0/lists/{audience}/merge-fields", body)
        except MailchimpRefused as refused:
            if refused.status_code != 400:  # else it may be there by now, by an earlier attempt whose answer was lost
                raise
            if field in _missing(api, audience, wanted):
                raise


def as_merge_field(value: Any) -> Any:
    """What clears an old value is an empty text; a longer text than Mailchimp takes is cut."""
    if value is None:
        return ""
    return value.encode()[:MAX_BYTES].decode(errors="ignore") if isinstance(value, str) else value


def _missing(api: MailchimpApi, audience: str, wanted: Sequence[Field]) -> list[Field]:
    parameters = {"fields": "merge_fields.tag,merge_fields.type,total_items"}
    path = f"/3.0/lists/{audience}/merge-fields"
    there = {one["tag"]: one["type"] for one in api.all("Reading the merge fields", path, "merge_fields", parameters)}
    problems = [
        f"The audience has a merge field {field.name} of the type {there[field.name]}, and ours is a {_type(field)}:"
        " delete it in Mailchimp, if nobody needs it, and it will be created again."
        for field in wanted
        if there.get(field.name, _type(field)) != _type(field)
    ]
    if problems:
        raise MailchimpRefused("\n".join(problems))
    return [field for field in wanted if field.name not in there]


def _type(field: Field) -> str:
    return "number" if field.is_number else "text"


def _label(field: Field) -> str:
    return f"RFM and churn: {(field.column or 'campaign').replace('_', ' ')}"
