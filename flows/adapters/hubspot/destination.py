"""HubSpot: customers' figures as properties of its contacts, and a campaign's customers as a static list.

No contact is created in HubSpot unless HUBSPOT_CREATE_CONTACTS is set; contacts who opted out there are not changed.
Everything can be written again: contacts by their record ids, lists by name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.contact_batches import batches_by_address
from flows.adapters.hubspot.api import HubSpotApi
from flows.adapters.hubspot.contacts import (
    MAX_BATCH_SIZE,
    create_contacts,
    find_contacts,
    update_contacts,
)
from flows.adapters.hubspot.credentials import read_token
from flows.adapters.hubspot.lists import add_to_list, campaign_list
from flows.adapters.hubspot.properties import make_properties, property_values
from flows.adapters.server_api import IN_REAL_TIME, RetryPolicy
from flows.ports.destination import SendRequest, Verdict, addresses, control_group_of, lists_of, members_of, results
from flows.settings import HubSpotSettings

_SENT: Verdict = ("sent", None)
_NOT_FOUND: Verdict = ("not_found", None)
_OPTED_OUT: Verdict = ("opted_out", None)


@dataclass(frozen=True)
class HubSpotContacts:
    api: HubSpotApi
    may_create: bool = False
    name: str = "hubspot"
    is_full_refresh: bool = False

    @classmethod
    def read(cls, settings: HubSpotSettings, retry: RetryPolicy = IN_REAL_TIME) -> Self:
        """HubSpot as the settings describe it.

        Raises:
            SettingsError: naming what is missing, or why the block cannot be used; never a secret.
        """
        api = HubSpotApi(settings.base_url.rstrip("/"), read_token(settings), retry)
        return cls(api, settings.create_contacts)

    def check(self, request: SendRequest) -> None:
        """Creates missing properties and the list.

        Raises:
            HubSpotRefused: when the token lacks a right, or a property or list of that name belongs to somebody else.
        """
        try:
            self._make_place(request)
        finally:
            self.api.close()

    def _make_place(self, request: SendRequest) -> dict[str | None, str]:
        """The ids of the campaign's lists, if there is a campaign: of everybody, and by variant."""
        make_properties(self.api, of_campaign=request.audience is not None)
        members = members_of(request)
        return {variant: campaign_list(self.api, name, members) for variant, name in lists_of(request).items()}

    def send(self, request: SendRequest) -> Iterator[pa.Table]:
        """Sends in batches of addresses: customers with the same address are one contact and share its result.

        Raises:
            HubSpotRefused: when HubSpot refuses; before anything is sent, if that can be known.
            HubSpotUnreachable: when it did not respond for minutes.
        """
        found = pc.utf8_lower(addresses(request.people))
        if found.null_count:
            yield results(request.people.filter(found.is_null()).column("customer_id"), "no_address")
        people = request.people.filter(found.is_valid())
        if not len(people):
            return
        try:
            lists = self._make_place(request)
            for batch in batches_by_address(people, found.drop_null(), MAX_BATCH_SIZE):
                values = dict(zip(batch.addresses, property_values(batch.first, request.audience), strict=True))
                yield batch.results(self._send_batch(values, lists, batch.variants()))
        finally:
            self.api.close()

    def suppress(self, request: SendRequest) -> str:
        """A static list of the contacts that HubSpot knows; none is created or changed.

        Raises:
            HubSpotRefused: when HubSpot refuses, or the list has other members.
            HubSpotUnreachable: when it did not respond for minutes.
        """
        assert request.audience is not None  # only campaigns have a control group
        name = control_group_of(request.audience)
        known = sorted(set(pc.utf8_lower(addresses(request.people)).drop_null().to_pylist()))
        try:
            list_id = campaign_list(self.api, name, None if request.is_resumed else set(known))
            for start in range(0, len(known), MAX_BATCH_SIZE):
                contacts = find_contacts(self.api, known[start : start + MAX_BATCH_SIZE])
                if ids := sorted({contact.id for contact in contacts.values()}):
                    add_to_list(self.api, list_id, ids)
        finally:
            self.api.close()
        return f'the static list "{name}" of HubSpot'

    def _send_batch(
        self,
        wanted: Mapping[str, Mapping[str, str]],
        lists: Mapping[str | None, str],
        variants: Mapping[str, str | None],
    ) -> dict[str, Verdict]:
        """The result of each address, given its properties and its variant."""
        contacts = find_contacts(self.api, wanted)
        missing = {address: values_of_one for address, values_of_one in wanted.items() if address not in contacts}
        by_id: dict[str, Mapping[str, str]] = {}
        for address, contact in contacts.items():
            if (
                not contact.has_opted_out
            ):  # one contact may have two of the addresses: it gets the properties of the first
                by_id.setdefault(contact.id, wanted[address])
        written = update_contacts(self.api, by_id)
        fates: dict[str, Verdict] = dict.fromkeys(written.contacts, _SENT) | written.verdicts
        verdicts: dict[str, Verdict] = dict.fromkeys(missing, _NOT_FOUND)
        if self.may_create:
            created = create_contacts(self.api, missing)
            contacts |= created.contacts
            fates |= {contact.id: _SENT for contact in created.contacts.values() if not contact.has_opted_out}
            verdicts |= created.verdicts
        of_contact: dict[str, str | None] = {}
        for address, contact in contacts.items():  # one contact may have two of the addresses: the first counts
            of_contact.setdefault(contact.id, variants[address])
        for variant, list_id in lists.items():
            sent = [
                record_id
                for record_id, fate in fates.items()
                if fate == _SENT and (variant is None or of_contact[record_id] == variant)
            ]
            if sent:
                fates |= dict.fromkeys(add_to_list(self.api, list_id, sent), _NOT_FOUND)
        return verdicts | {
            address: _OPTED_OUT if contact.has_opted_out else fates[contact.id] for address, contact in contacts.items()
        }
