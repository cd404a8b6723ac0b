"""Finds, updates and, where allowed, subscribes members of an audience, one by one: Mailchimp's call for batches has to
give each member a status, and would subscribe again who has left since."""

import hashlib

from flows.adapters.contact_destination import NOT_FOUND, OPTED_OUT, Contact, Values
from flows.adapters.json_api import Json
from flows.adapters.mailchimp.api import MailchimpApi
from flows.errors import MailchimpRefused
from flows.ports.destination import Verdict

_VERDICTS: dict[str, Verdict | None] = {
    "subscribed": None,
    "unsubscribed": OPTED_OUT,
    "cleaned": OPTED_OUT,  # their address does not take e-mails
    "archived": ("not_found", "Archived in Mailchimp."),
    "pending": ("refused", "They have not confirmed their subscription in Mailchimp."),
    "transactional": ("refused", "They have not subscribed in Mailchimp."),
}
# Titles of refusals of those who have left: only they themselves can come back
_HAVE_LEFT = ("Member In Compliance State", "Forgotten Email Not Subscribed")
_WHAT = {"fields": "email_address,status"}


def find_member(api: MailchimpApi, audience: str, address: str) -> Contact | None:
    """The member with this address, in small letters, if there is one."""
    try:
        found = api.request("Looking for a member", "GET", _path(audience, address), parameters=_WHAT)
    except MailchimpRefused as refused:
        if refused.status_code != 404:
            raise
        return None
    return _contact(address, found)


def write_member(
    api: MailchimpApi, audience: str, address: str, is_known: bool, merge_fields: Values
) -> Contact | Verdict:
    """Updates a member, whose status stays, or subscribes who is none; as they are then."""
    body: Json = {"merge_fields": dict(merge_fields)}
    method = "PATCH"
    if not is_known:
        method, body = "PUT", {"email_address": address, "status_if_new": "subscribed", **body}
    return _change(api, audience, address, method, body)


def unsubscribe_member(api: MailchimpApi, audience: str, address: str) -> Verdict:
    """Ends a subscription."""
    done = _change(api, audience, address, "PATCH", {"status": "unsubscribed"})
    return (done.verdict or ("refused", "Mailchimp did not unsubscribe them.")) if isinstance(done, Contact) else done


def tags_of(api: MailchimpApi, audience: str, address: str) -> set[str]:
    """Ids of the member's tags, which are the static segments that they are in."""
    path = f"{_path(audience, address)}/tags"
    return {
        str(tag["id"]) for tag in api.all("Reading a member's tags", path, "tags", {"fields": "tags.id,total_items"})
    }


def _change(api: MailchimpApi, audience: str, address: str, method: str, body: Json) -> Contact | Verdict:
    # without validation, a field that the audience's form requires would refuse everybody
    parameters = {"skip_merge_validation": "true", **_WHAT}
    try:
        found = api.request("Writing a member", method, _path(audience, address), body, parameters)
    except MailchimpRefused as refused:
        if refused.status_code == 404 and method == "PATCH":
            return NOT_FOUND
        if refused.status_code != 400:
            raise
        said = refused.response_text
        if said.startswith(_HAVE_LEFT):
            return OPTED_OUT
        return "refused", api.errors.quoted(said.replace(address, "…"))
    return _contact(address, found)


def _contact(address: str, member: Json) -> Contact:
    """The id is the address: segments take nothing else."""
    status = str(member.get("status"))
    return Contact(address, _VERDICTS.get(status, ("refused", f"Their status in Mailchimp is {status}.")))


def _path(audience: str, address: str) -> str:
    return f"/3.0/lists/{audience}/members/{hashlib.md5(address.encode(), usedforsecurity=False).hexdigest()}"
