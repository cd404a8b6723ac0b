"""A campaign's list in Klaviyo, which only the campaign fills."""

import json
from collections.abc import Sequence, Set

from flows.adapters.klaviyo.api import KlaviyoApi
from flows.errors import KlaviyoRefused

MAX_ADDED, MAX_PER_PAGE = 1_000, 100


def campaign_list(api: KlaviyoApi, name: str, members: Set[str] | None) -> str:
    """The list's id; the list is created if none has this name. `members`: addresses of the campaign's customers, in
    small letters; None: the list is known to be the campaign's, with any members.

    Raises:
        KlaviyoRefused: when several lists have this name, or the one there has other members.
    """
    list_id, is_new = api.until_answered(lambda: _find_or_make(api, name))
    if not is_new and members is not None and (strangers := _count_strangers(api, list_id, members)):
        raise KlaviyoRefused(
            f'Klaviyo already has a list "{name}" with {strangers:,} members who are not in this campaign: rename or'
            " delete the list there, or give the campaign another name before it is launched."
        )
    return str(list_id)


def add_to_list(api: KlaviyoApi, list_id: str, profile_ids: Sequence[str]) -> None:
    """Adds profiles; existing members stay. It gives no consent: who may be written to stays as it is."""
    for start in range(0, len(profile_ids), MAX_ADDED):
        data = [{"type": "profile", "id": profile_id} for profile_id in profile_ids[start : start + MAX_ADDED]]
        api.post("Adding profiles to the list", f"lists/{list_id}/relationships/profiles", data)


def _find_or_make(api: KlaviyoApi, name: str) -> tuple[str, bool]:
    """One attempt: it looks first, because an earlier attempt whose answer was lost may have made the list, and Klaviyo
    lets two have the same name."""
    parameters = {"filter": f"equals(name,{json.dumps(name, ensure_ascii=False)})", "fields[list]": "name"}
    found = api.call(f'Looking for the list "{name}"', "GET", "lists", parameters=parameters).get("data", [])
    if len(found) > 1:
        raise KlaviyoRefused(
            f'Klaviyo has {len(found)} lists "{name}", and which is the campaign\'s cannot be known: rename the others.'
        )
    if found:
        return str(found[0]["id"]), False
    wanted = {"type": "list", "attributes": {"name": name}}
    return str(api.call(f'Creating the list "{name}"', "POST", "lists", wanted)["data"]["id"]), True


def _count_strangers(api: KlaviyoApi, list_id: str, members: Set[str]) -> int:
    parameters = {"fields[profile]": "email", "page[size]": str(MAX_PER_PAGE)}
    pages = api.pages("Reading the members of the list", f"lists/{list_id}/profiles", parameters)
    addresses = (str(one["attributes"].get("email") or "").strip().lower() for page in pages for one in page)
    return sum(address not in members for address in addresses)
