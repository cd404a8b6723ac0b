"""HubSpot: customers' figures as properties of its contacts, and a campaign's customers as a static list.

No contact is created in HubSpot unless HUBSPOT_CREATE_CONTACTS is set; contacts who opted out there are not changed."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Self

import pyarrow as pa

from flows.adapters.contact_destination import NOT_FOUND, OPTED_OUT, Contact, ContactDestination, Values
from flows.adapters.hubspot import contacts as records
from flows.adapters.hubspot.api import HubSpotApi
from flows.adapters.hubspot.contacts import MAX_BATCH_SIZE, create_contacts, find_contacts, update_contacts
from flows.adapters.hubspot.lists import add_to_list, find_or_make, members
from flows.adapters.hubspot.properties import make_properties, property_values
from flows.adapters.prefect.secret_block import read_secret
from flows.adapters.server_api import IN_REAL_TIME, RetryPolicy
from flows.ports.destination import Verdict
from flows.settings import HubSpotSettings

_OF_A_PRIVATE_APP = "the token of a private app that may read and write contacts, contact properties and lists"


@dataclass(frozen=True, kw_only=True)
class HubSpotContacts(ContactDestination):
    api: HubSpotApi
    name = "hubspot"
    service = "HubSpot"
    kind_of_list = "static list"
    batch_size = MAX_BATCH_SIZE

    @classmethod
    def read(cls, settings: HubSpotSettings, retry: RetryPolicy = IN_REAL_TIME) -> Self:
        """HubSpot as the settings describe it.

        Raises:
            SettingsError: naming what is missing, or why the block cannot be used; never a secret.
        """
        given, block = settings.activation_token, settings.activation_block
        token = read_secret("HUBSPOT_ACTIVATION_TOKEN", given, "HUBSPOT_ACTIVATION_BLOCK", block, _OF_A_PRIVATE_APP)
        return cls(api=HubSpotApi(settings.base_url.rstrip("/"), token, retry), may_create=settings.create_contacts)

    def make_fields(self, of_campaign: bool) -> None:
        make_properties(self.api, of_campaign)

    def values(self, people: pa.Table, audience: str | None) -> list[dict[str, str]]:
        return property_values(people, audience)

    def find(self, wanted: Sequence[str]) -> Mapping[str, Contact]:
        return {address: _contact(found) for address, found in find_contacts(self.api, wanted).items()}

    def write(self, wanted: Mapping[str, Values], known: Mapping[str, Contact]) -> Mapping[str, Contact | Verdict]:
        by_id: dict[str, Values] = {}
        for address, values in wanted.items():
            if address in known:  # one contact may have two of the addresses: it gets the properties of the first
                by_id.setdefault(known[address].id, values)
        updated = update_contacts(self.api, by_id)
        created = create_contacts(self.api, {address: of for address, of in wanted.items() if address not in known})
        found: dict[str, Contact | Verdict] = {**created.verdicts}
        found |= {address: _contact(contact) for address, contact in created.contacts.items()}
        ours = {address: contact for address, contact in known.items() if address in wanted}
        return found | {address: updated.verdicts.get(contact.id, contact) for address, contact in ours.items()}

    def find_or_make_list(self, name: str) -> tuple[str, bool]:
        return find_or_make(self.api, name)

    def members(self, list_id: str) -> Iterator[Set[str]]:
        return members(self.api, list_id)

    def add_to_list(self, list_id: str, contact_ids: Sequence[str]) -> Mapping[str, Verdict]:
        return dict.fromkeys(add_to_list(self.api, list_id, contact_ids), NOT_FOUND)


def _contact(found: records.Contact) -> Contact:
    return Contact(found.id, OPTED_OUT if found.has_opted_out else None)
