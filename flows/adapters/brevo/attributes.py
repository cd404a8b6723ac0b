"""The attributes of Brevo's contacts that describe customers. Brevo ignores a value whose attribute is of another type,
so they are made, and their types compared, before anything is sent."""

from collections.abc import Sequence
from urllib.parse import quote

from flows.adapters.brevo.api import BrevoApi
from flows.adapters.contact_fields import Field
from flows.errors import BrevoRefused

_PATH = "/v3/contacts/attributes"


def make_attributes(api: BrevoApi, wanted: Sequence[Field]) -> None:
    """Creates those that are missing.

    Raises:
        BrevoRefused: when an existing one is of another kind.
    """
    for field in _missing(api, wanted):
        try:
            path = f"{_PATH}/normal/{quote(field.name)}"
            api.request(f"Creating the attribute {field.name}", "POST", path, {"type": _type(field)})
        except BrevoRefused as refused:
            if refused.status_code != 400:  # else it may be there by now, by an earlier attempt whose answer was lost
                raise
            if field in _missing(api, wanted):
                raise


def _missing(api: BrevoApi, wanted: Sequence[Field]) -> list[Field]:
    known = api.request("Reading the contact attributes", "GET", _PATH).get("attributes", [])
    there = {str(found["name"]).upper(): found for found in known}
    problems = [
        f"Brevo has a contact attribute {field.name} ({found.get('category')}, {found.get('type')}), and ours is"
        f" normal, {_type(field)}: delete it there, if nobody needs it, and it will be created again."
        for field in wanted
        if (found := there.get(field.name)) and (found.get("category"), found.get("type")) != ("normal", _type(field))
    ]
    if problems:
        raise BrevoRefused("\n".join(problems))
    return [field for field in wanted if field.name not in there]


def _type(field: Field) -> str:
    return "float" if field.is_number else "text"
