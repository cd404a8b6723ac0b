"""Static segments of an audience, which Mailchimp shows as tags."""

from collections.abc import Iterator, Sequence, Set

from flows.adapters.mailchimp.api import MailchimpApi
from flows.adapters.mailchimp.members import tags_of
from flows.errors import MailchimpRefused
from flows.ports.destination import Verdict

MAX_ADDED = 500
_NOT_ADDED = "Mailchimp did not add them to the segment."


def find_or_make(api: MailchimpApi, audience: str, name: str) -> tuple[str, bool]:
    """The segment's id, and whether it was just made."""
    return api.until_answered(lambda: _find_or_make(api, audience, name))


def members(api: MailchimpApi, audience: str, segment: str) -> Iterator[Set[str]]:
    """The address of each member, in small letters."""
    path = f"/3.0/lists/{audience}/segments/{segment}/members"
    parameters = {
        "fields": "members.email_address,total_items", "include_unsubscribed": "true", "include_cleaned": "true",
        "include_transactional": "true",
    }  # fmt: skip
    for one in api.all("Reading the members of the segment", path, "members", parameters):
        yield {str(one.get("email_address") or "").strip().lower()}


def add_to_segment(api: MailchimpApi, audience: str, segment: str, addresses: Sequence[str]) -> dict[str, Verdict]:
    """Adds members; existing ones stay. By address of those who are not in it afterwards, why not: Mailchimp does not
    say whether a failure means that they were in it before."""
    errors: dict[str, str] = {}
    added: set[str] = set()
    for start in range(0, len(addresses), MAX_ADDED):
        body = {"members_to_add": list(addresses[start : start + MAX_ADDED])}
        path = f"/3.0/lists/{audience}/segments/{segment}"
        parameters = {"fields": "members_added.email_address,errors"}
        found = api.request("Adding members to the segment", "POST", path, body, parameters)
        added |= {str(one["email_address"]).lower() for one in found.get("members_added") or ()}
        for problem in found.get("errors") or ():
            errors |= {str(one).lower(): str(problem.get("error")) for one in problem.get("email_addresses") or ()}
    left = [address for address in addresses if address not in added]
    tags = zip(left, api.each(lambda address: _is_in(api, audience, segment, address), left), strict=True)
    return {
        address: ("refused", api.errors.quoted(errors.get(address, _NOT_ADDED).replace(address, "…")))
        for address, is_in in tags
        if not is_in
    }


def _is_in(api: MailchimpApi, audience: str, segment: str, address: str) -> bool:
    try:
        return segment in tags_of(api, audience, address)
    except MailchimpRefused as refused:
        if refused.status_code != 404:
            raise
        return False


def _find_or_make(api: MailchimpApi, audience: str, name: str) -> tuple[str, bool]:
    """One attempt: it looks first, because an earlier attempt whose answer was lost may have made the segment."""
    path = f"/3.0/lists/{audience}/segments"
    parameters = {"fields": "segments.id,segments.name,segments.type,total_items"}
    for one in api.all(f'Looking for the segment "{name}"', path, "segments", parameters):
        if str(one["name"]).lower() == name.lower():
            if one["type"] != "static":
                raise MailchimpRefused(
                    f'The audience already has a segment "{name}", which is not static: rename or delete it in'
                    " Mailchimp, or give the campaign another name before it is launched."
                )
            return str(one["id"]), False
    made = api.call(f'Creating the segment "{name}"', "POST", path, {"name": name, "static_segment": []})
    return str(made["id"]), True
