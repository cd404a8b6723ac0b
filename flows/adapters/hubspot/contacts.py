"""Finds, updates and, where allowed, creates HubSpot's contacts: in batches, and one by one where HubSpot refuses a
whole batch because of one record."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field

from flows.adapters.hubspot.api import HubSpotApi, Problem
from flows.errors import HubSpotRefused
from flows.ports.destination import Verdict

MAX_BATCH_SIZE = 100
_OF_ONE_RECORD = (400, 404, 409, 422)  # statuses of a batch that may be one record's fault
_NOT_SAID = "HubSpot does not report its result."


class Contact(BaseModel):
    """`id` is HubSpot's. `new` and `trace` come with written records; the trace is ours, returned by HubSpot."""

    id: str
    properties: dict[str, str | None] = {}
    new: bool = False
    trace: str | None = Field(None, alias="objectWriteTraceId")

    @property
    def addresses(self) -> set[str]:
        """Its addresses in small letters: its own, and those of contacts that were merged into it."""
        written = (self.properties.get(name) or "" for name in ("email", "hs_additional_emails"))
        return {address.strip().lower() for text in written for address in text.split(";") if address.strip()}

    @property
    def has_opted_out(self) -> bool:
        return self.properties.get("hs_email_optout") == "true"


class _Contacts(BaseModel):
    results: list[Contact] = []
    errors: list[Problem] = []


@dataclass
class Written:
    """By key of the written record: its contact, or why there is none."""

    contacts: dict[str, Contact] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    def __or__(self, other: "Written") -> "Written":
        return Written(self.contacts | other.contacts, self.verdicts | other.verdicts)


def find_contacts(api: HubSpotApi, wanted: Collection[str]) -> dict[str, Contact]:
    """Contacts by address, in the order of the addresses; MAX_BATCH_SIZE at most."""
    having = {
        address: contact for contact in reversed(_read(api, list(wanted), "email")) for address in contact.addresses
    }
    return {address: having[address] for address in wanted if address in having}


def read_contacts(api: HubSpotApi, record_ids: Collection[str]) -> list[Contact]:
    """The contacts that still exist; MAX_BATCH_SIZE at most."""
    return _read(api, list(record_ids), None)


def update_contacts(api: HubSpotApi, properties: Mapping[str, Mapping[str, str]]) -> Written:
    """Updates by record id. By address it would create contacts again that were deleted since they were read."""
    inputs = {record_id: {"id": record_id, "properties": values} for record_id, values in properties.items()}
    return _write(api, "Updating contacts", inputs, "update", lambda contact: {contact.id})


def create_contacts(api: HubSpotApi, properties: Mapping[str, Mapping[str, str]]) -> Written:
    """Creates by address, so that it can be repeated. Contacts known to HubSpot must not be among them: that would be a
    partial update, which its documentation advises against. For those it knows after all, consent is read again."""
    inputs = {
        address: {"id": address, "idProperty": "email", "properties": values} for address, values in properties.items()
    }
    written = _write(api, "Making contacts", inputs, "upsert", lambda contact: contact.addresses)
    known = {contact.id for contact in written.contacts.values() if not contact.new}
    if known:
        as_they_are = {contact.id: contact for contact in read_contacts(api, known)}
        written.contacts = {
            address: as_they_are.get(contact.id, contact) for address, contact in written.contacts.items()
        }
    return written


def _read(api: HubSpotApi, ids: list[str], id_property: str | None) -> list[Contact]:
    body = {
        "inputs": [{"id": one} for one in ids],
        "properties": ["email", "hs_additional_emails", "hs_email_optout"],
        "propertiesWithHistory": [],
    } | ({"idProperty": id_property} if id_property else {})
    try:
        return api.call_api("Reading contacts", lambda sdk, how: sdk.contacts.read(body, **how), _Contacts).results
    except HubSpotRefused as refused:
        if refused.status_code not in _OF_ONE_RECORD:
            raise
    if len(ids) == 1:  # what HubSpot does not accept as an address has no contact
        return []
    middle = len(ids) // 2
    return [contact for half in (ids[:middle], ids[middle:]) for contact in _read(api, half, id_property)]


def _write(
    api: HubSpotApi,
    doing: str,
    inputs: Mapping[str, Mapping[str, Any]],
    verb: str,
    keys_of: Callable[[Contact], set[str]],
) -> Written:
    if not inputs:
        return Written()
    traces = {f"input-{number}": key for number, key in enumerate(inputs)}
    body = {"inputs": [{**inputs[key], "objectWriteTraceId": trace} for trace, key in traces.items()]}
    try:
        response = api.call_api(doing, lambda sdk, how: getattr(sdk.contacts, verb)(body, **how), _Contacts)
    except HubSpotRefused as refused:
        if refused.status_code not in _OF_ONE_RECORD or "PROPERTY_DOESNT_EXIST" in refused.response_text:
            raise
        if len(inputs) == 1:
            (key,) = inputs
            is_missing = refused.status_code == 404
            return Written({}, {key: ("not_found", None) if is_missing else _refused(api, refused.response_text, key)})
        parts, middle = list(inputs.items()), len(inputs) // 2
        first, second = (_write(api, doing, dict(part), verb, keys_of) for part in (parts[:middle], parts[middle:]))
        return first | second
    written = Written()
    for contact in response.results:
        keys = {traces[contact.trace]} if contact.trace in traces else keys_of(contact)
        written.contacts |= {key: contact for key in keys if key in inputs}
    for trace, key in traces.items():
        if key not in written.contacts:
            problem = next((error for error in response.errors if {key, trace} & error.mentions), None)
            is_missing = problem is not None and problem.category == "OBJECT_NOT_FOUND"
            why = _NOT_SAID if problem is None else problem.message
            written.verdicts[key] = ("not_found", None) if is_missing else _refused(api, why or "", key)
    return written


def _refused(api: HubSpotApi, why: str, key: str) -> Verdict:
    return "refused", api.errors.quoted(why.replace(key, "…"))
