"""Finds, updates and, where allowed, creates Brevo's contacts, one by one: its call for batches of updates ended in
October 2026, and an import creates whom it does not know, and tells nobody's result.

An update names no address, because Brevo subscribes blocklisted contacts again when their address is written."""

from urllib.parse import quote

from flows.adapters.brevo.api import BrevoApi
from flows.adapters.contact_destination import NOT_FOUND, OPTED_OUT, Contact, Values
from flows.adapters.json_api import Json
from flows.errors import BrevoRefused
from flows.ports.destination import Verdict

_OF_ONE_CONTACT = (400, 404, 422)  # statuses that are one contact's fault


def find_contact(api: BrevoApi, address: str) -> Contact | None:
    """The contact with this address, in small letters, if Brevo knows one."""
    found = read_contact(api, address, "email_id")
    return Contact(str(found["id"]), OPTED_OUT if found.get("emailBlacklisted") else None) if found else None


def read_contact(api: BrevoApi, identifier: str, kind: str) -> Json | None:
    """What Brevo knows of a contact. kind: email_id or contact_id."""
    try:
        path = f"/v3/contacts/{quote(identifier, safe='')}"
        return api.request("Reading a contact", "GET", path, parameters={"identifierType": kind})
    except BrevoRefused as refused:
        if refused.status_code not in _OF_ONE_CONTACT:  # what Brevo does not accept as an address has no contact
            raise
        return None


def update_contact(api: BrevoApi, contact: Contact, changes: Json) -> Contact | Verdict:
    """changes: the body of the update."""
    path = f"/v3/contacts/{contact.id}"
    try:
        api.request("Updating a contact", "PUT", path, changes, {"identifierType": "contact_id"})
    except BrevoRefused as refused:
        return NOT_FOUND if refused.status_code == 404 else _refused(api, refused, "")
    return contact


def create_contact(api: BrevoApi, address: str, attributes: Values) -> Contact | Verdict:
    """Creates the contact of an address, or updates it if it has come to be meanwhile; as it is then."""
    wanted = {"email": address, "attributes": attributes, "updateEnabled": True}
    try:
        api.request("Creating a contact", "POST", "/v3/contacts", wanted)
    except BrevoRefused as refused:
        return _refused(api, refused, address)
    return find_contact(api, address) or NOT_FOUND


def _refused(api: BrevoApi, refused: BrevoRefused, address: str) -> Verdict:
    if refused.status_code not in _OF_ONE_CONTACT or "attribute" in refused.response_text.lower():
        raise refused  # would be every contact's fault
    return "refused", api.errors.quoted(
        refused.response_text.replace(address, "…") if address else refused.response_text
    )
