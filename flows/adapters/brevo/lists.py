"""Lists in Brevo, in a folder of our own."""

from collections.abc import Iterator, Sequence, Set

from flows.adapters.brevo.api import BrevoApi
from flows.adapters.brevo.contacts import read_contact
from flows.adapters.contact_destination import NOT_FOUND
from flows.adapters.json_api import Json
from flows.errors import BrevoRefused
from flows.ports.destination import Verdict

FOLDER = "RFM and churn"
MAX_ADDED, MAX_PER_PAGE, MAX_MEMBERS_PER_PAGE = 150, 50, 500
_NONE_IS_NEW = 400  # Brevo's answer where all are members already, or are contacts no longer


def find_or_make(api: BrevoApi, name: str) -> tuple[str, bool]:
    """The list's id, and whether it was just made.

    Raises:
        BrevoRefused: when several lists of our folder have this name.
    """
    return api.until_answered(lambda: _find_or_make(api, name))


def members(api: BrevoApi, list_id: str) -> Iterator[Set[str]]:
    """The address of each member, in small letters."""
    doing, path = "Reading the members of the list", f"/v3/contacts/lists/{list_id}/contacts"
    for one in _all(api, doing, path, "contacts", MAX_MEMBERS_PER_PAGE):
        yield {str(one.get("email") or "").strip().lower()}


def add_to_list(api: BrevoApi, list_id: str, contact_ids: Sequence[str]) -> dict[str, Verdict]:
    """Adds contacts; existing members stay. By id of those who are no members afterwards, why not."""
    path, left = f"/v3/contacts/lists/{list_id}/contacts/add", list[str]()
    for start in range(0, len(contact_ids), MAX_ADDED):
        part = contact_ids[start : start + MAX_ADDED]
        try:
            added = api.request("Adding contacts to the list", "POST", path, {"ids": [int(one) for one in part]})
            left += map(str, (added.get("contacts") or {}).get("failure") or ())
        except BrevoRefused as refused:
            if refused.status_code != _NONE_IS_NEW:
                raise
            left += part
    found = zip(left, api.each(lambda one: read_contact(api, one, "contact_id"), left), strict=True)
    return {one: NOT_FOUND for one, contact in found if int(list_id) not in ((contact or {}).get("listIds") or ())}


def _find_or_make(api: BrevoApi, name: str) -> tuple[str, bool]:
    """One attempt: it looks first, because an earlier attempt whose answer was lost may have made folder or list."""
    folders = _named(_all(api, "Looking for our folder", "/v3/contacts/folders", "folders"), FOLDER)
    folder = min(folders) if folders else int(_make(api, "folder", FOLDER, {}))
    path = f"/v3/contacts/folders/{folder}/lists"
    found = _named(_all(api, f'Looking for the list "{name}"', path, "lists"), name)
    if len(found) > 1:
        raise BrevoRefused(
            f'Brevo has {len(found)} lists "{name}" in the folder "{FOLDER}", and which is the campaign\'s cannot be'
            " known: rename the others."
        )
    return (str(found[0]), False) if found else (_make(api, "list", name, {"folderId": folder}), True)


def _make(api: BrevoApi, what: str, name: str, more: Json) -> str:
    made = api.call(f'Creating the {what} "{name}"', "POST", f"/v3/contacts/{what}s", {"name": name, **more})
    return str(made["id"])


def _named(found: Iterator[Json], name: str) -> list[int]:
    return [int(one["id"]) for one in found if one.get("name") == name]


def _all(api: BrevoApi, doing: str, path: str, key: str, size: int = MAX_PER_PAGE) -> Iterator[Json]:
    """Every object of a GET, the oldest first, so that what is added meanwhile moves none to another page."""
    offset = 0
    while True:
        parameters = {"limit": str(size), "offset": str(offset), "sort": "asc"}
        page = api.request(doing, "GET", path, parameters=parameters).get(key) or []
        yield from page
        offset += len(page)
        if len(page) < size:
            return
