"""Mailchimp: customers' figures as merge fields of an audience's members, and a campaign's customers as a static
segment.

Nobody is subscribed unless MAILCHIMP_CREATE_MEMBERS is set. Only subscribed members are written: Mailchimp sends others
no campaign, and figures of people who have not subscribed are none of its business."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Self

import pyarrow as pa

from flows.adapters.contact_destination import Contact, Values
from flows.adapters.contact_fields import field_values, fields_of
from flows.adapters.contact_opt_outs import OptOutDestination
from flows.adapters.mailchimp.api import MailchimpApi, url_of
from flows.adapters.mailchimp.members import find_member, unsubscribe_member, write_member
from flows.adapters.mailchimp.merge_fields import as_merge_field, make_merge_fields
from flows.adapters.mailchimp.segments import add_to_segment, find_or_make, members
from flows.adapters.prefect.secret_block import read_secret
from flows.adapters.server_api import IN_REAL_TIME, RetryPolicy
from flows.errors import SettingsError
from flows.ports.destination import Verdict
from flows.settings import MailchimpSettings

FIELDS = fields_of("mailchimp", campaign=False)  # whose name is the segment's, which is a tag as in the file
_A_KEY = "an API key, with its data centre at the end, such as -us6"


@dataclass(frozen=True, kw_only=True)
class MailchimpMembers(OptOutDestination):
    api: MailchimpApi
    audience: str
    name = "mailchimp_api"
    service = "Mailchimp"
    kind_of_list = "segment"

    @classmethod
    def read(cls, settings: MailchimpSettings, retry: RetryPolicy = IN_REAL_TIME) -> Self:
        """Mailchimp as the settings describe it.

        Raises:
            SettingsError: naming what is missing, or why the block cannot be used; never a secret.
        """
        key = read_secret("MAILCHIMP_API_KEY", settings.api_key, "MAILCHIMP_BLOCK", settings.block, _A_KEY)
        if settings.audience is None:
            raise SettingsError("MAILCHIMP_AUDIENCE is missing: the id of the audience, as in Audience, Settings.")
        return cls(
            api=MailchimpApi((settings.base_url or url_of(key)).rstrip("/"), key, retry),
            audience=settings.audience,
            may_create=settings.create_members,
            suppresses_opt_outs=settings.suppress_opt_outs,
        )

    def make_fields(self, of_campaign: bool) -> None:
        wanted = [field for field in FIELDS if of_campaign or not field.of_campaign]
        make_merge_fields(self.api, self.audience, wanted)

    def values(self, people: pa.Table, audience: str | None) -> Iterator[dict[str, Any]]:
        for values in field_values(FIELDS, people, audience):
            yield {name: as_merge_field(value) for name, value in values.items()}

    def find(self, wanted: Sequence[str]) -> Mapping[str, Contact]:
        found = self.api.each(lambda address: find_member(self.api, self.audience, address), wanted)
        return {contact.id: contact for contact in found if contact}

    def write(self, wanted: Mapping[str, Values], known: Mapping[str, Contact]) -> Mapping[str, Contact | Verdict]:
        def write(address: str) -> Contact | Verdict:
            return write_member(self.api, self.audience, address, address in known, wanted[address])

        return dict(zip(wanted, self.api.each(write, wanted), strict=True))

    def find_or_make_list(self, name: str) -> tuple[str, bool]:
        return find_or_make(self.api, self.audience, name)

    def members(self, list_id: str) -> Iterator[Set[str]]:
        return members(self.api, self.audience, list_id)

    def add_to_list(self, list_id: str, contact_ids: Sequence[str]) -> Mapping[str, Verdict]:
        return add_to_segment(self.api, self.audience, list_id, contact_ids)

    def unsubscribe(self, contacts: Sequence[Contact]) -> Sequence[Verdict]:
        return self.api.each(lambda contact: unsubscribe_member(self.api, self.audience, contact.id), contacts)
