"""Lists in Klaviyo."""

import json
from collections.abc import Iterator, Sequence, Set

from flows.adapters.klaviyo.api import KlaviyoApi
from flows.errors import KlaviyoRefused

MAX_ADDED, MAX_PER_PAGE = 1_000, 100


def find_or_make(api: KlaviyoApi, name: str) -> tuple[str, bool]:
    """The list's id, and whether it was just made.

    Raises:
        KlaviyoRefused: when several lists have this name.
    """
    return api.until_answered(lambda: _find_or_make(api, name))


def members(api: KlaviyoApi, list_id: str) -> Iterator[Set[str]]:
    """The address of each member, in small letters."""
    parameters = {"fields[profile]": "email", "page[size]": str(MAX_PER_PAGE)}
    for page in api.pages("Reading the members of the list", f"/api/lists/{list_id}/profiles", parameters):
        yield from ({str(one["attributes"].get("email") or "").strip().lower()} for one in page)


def add_to_list(api: KlaviyoApi, list_id: str, profile_ids: Sequence[str]) -> None:
    """Adds profiles; existing members stay. It gives no consent: who may be written to stays as it is."""
    for start in range(0, len(profile_ids), MAX_ADDED):
        data = [{"type": "profile", "id": profile_id} for profile_id in profile_ids[start : start + MAX_ADDED]]
        path = f"/api/lists/{list_id}/relationships/profiles"
        api.request("Adding profiles to the list", "POST", path, {"data": data})


def _find_or_make(api: KlaviyoApi, name: str) -> tuple[str, bool]:
    """One attempt: it looks first, because an earlier attempt whose answer was lost may have made the list, and Klaviyo
    lets two have the same name."""
    parameters = {"filter": f"equals(name,{json.dumps(name, ensure_ascii=False)})", "fields[list]": "name"}
    found = api.call(f'Looking for the list "{name}"', "GET", "/api/lists", parameters=parameters).get("data", [])
    if len(found) > 1:
        raise KlaviyoRefused(
            f'Klaviyo has {len(found)} lists "{name}", and which is the campaign\'s cannot be known: rename the others.'
        )
    if found:
        return str(found[0]["id"]), False
    wanted = {"data": {"type": "list", "attributes": {"name": name}}}
    return str(api.call(f'Creating the list "{name}"', "POST", "/api/lists", wanted)["data"]["id"]), True
