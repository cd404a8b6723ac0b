"""Brevo: customers' figures as attributes of its contacts, and a campaign's customers as a list.

No contact is created unless BREVO_CREATE_CONTACTS is set; who is blocklisted there is not changed. A list gives no
consent: Brevo sends blocklisted contacts nothing, whatever lists they are in."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Self

import pyarrow as pa

from flows.adapters.brevo.api import BrevoApi
from flows.adapters.brevo.attributes import make_attributes
from flows.adapters.brevo.contacts import create_contact, find_contact, update_contact
from flows.adapters.brevo.lists import add_to_list, find_or_make, members
from flows.adapters.contact_destination import OPTED_OUT, Contact, Values
from flows.adapters.contact_fields import field_values, fields_of
from flows.adapters.contact_opt_outs import OptOutDestination
from flows.adapters.prefect.secret_block import read_secret
from flows.adapters.server_api import IN_REAL_TIME, RetryPolicy
from flows.ports.destination import Verdict
from flows.settings import BrevoSettings

# EXT_ID, which its importer matches contacts by, may be another system's id
FIELDS = fields_of("brevo", names={"customer_id": "CUSTOMER_ID"})


@dataclass(frozen=True, kw_only=True)
class BrevoContacts(OptOutDestination):
    api: BrevoApi
    name = "brevo_api"
    service = "Brevo"

    @classmethod
    def read(cls, settings: BrevoSettings, retry: RetryPolicy = IN_REAL_TIME) -> Self:
        """Brevo as the settings describe it.

        Raises:
            SettingsError: naming what is missing, or why the block cannot be used; never a secret.
        """
        key = read_secret("BREVO_API_KEY", settings.api_key, "BREVO_BLOCK", settings.block, "an API key")
        return cls(
            api=BrevoApi(settings.base_url.rstrip("/"), key, retry),
            may_create=settings.create_contacts,
            suppresses_opt_outs=settings.suppress_opt_outs,
        )

    def make_fields(self, of_campaign: bool) -> None:
        make_attributes(self.api, [field for field in FIELDS if of_campaign or not field.of_campaign])

    def values(self, people: pa.Table, audience: str | None) -> Iterator[dict[str, Any]]:
        """An empty text clears an old value."""
        for values in field_values(FIELDS, people, audience):
            yield {name: "" if value is None else value for name, value in values.items()}

    def find(self, wanted: Sequence[str]) -> Mapping[str, Contact]:
        found = zip(wanted, self.api.each(lambda address: find_contact(self.api, address), wanted), strict=True)
        return {address: contact for address, contact in found if contact}

    def write(self, wanted: Mapping[str, Values], known: Mapping[str, Contact]) -> Mapping[str, Contact | Verdict]:
        def write(address: str) -> Contact | Verdict:
            if address in known:
                return update_contact(self.api, known[address], {"attributes": wanted[address]})
            return create_contact(self.api, address, wanted[address])

        return dict(zip(wanted, self.api.each(write, wanted), strict=True))

    def find_or_make_list(self, name: str) -> tuple[str, bool]:
        return find_or_make(self.api, name)

    def members(self, list_id: str) -> Iterator[Set[str]]:
        return members(self.api, list_id)

    def add_to_list(self, list_id: str, contact_ids: Sequence[str]) -> Mapping[str, Verdict]:
        return add_to_list(self.api, list_id, contact_ids)

    def unsubscribe(self, contacts: Sequence[Contact]) -> Sequence[Verdict]:
        """Blocklists them for e-mails."""

        def blocklist(contact: Contact) -> Verdict:
            done = update_contact(self.api, contact, {"emailBlacklisted": True})
            return OPTED_OUT if isinstance(done, Contact) else done

        return self.api.each(blocklist, contacts)
