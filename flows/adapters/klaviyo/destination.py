"""Klaviyo: customers' figures as properties of its profiles, and a campaign's customers as a list.

No profile is created unless KLAVIYO_CREATE_PROFILES is set; who has unsubscribed or is suppressed there is not changed.
A list gives no consent."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Self

import pyarrow as pa

from flows.adapters.contact_destination import Contact, ContactDestination, Values
from flows.adapters.contact_fields import field_values, fields_of
from flows.adapters.klaviyo.api import KlaviyoApi
from flows.adapters.klaviyo.lists import add_to_list, find_or_make, members
from flows.adapters.klaviyo.profiles import find_profiles, write_profile
from flows.adapters.prefect.secret_block import read_secret
from flows.adapters.server_api import IN_REAL_TIME, RetryPolicy
from flows.errors import KlaviyoRefused
from flows.ports.destination import Verdict
from flows.settings import KlaviyoSettings

_OF_ONE_PROFILE = (400, 404, 409, 422)  # statuses that are one profile's fault
_FIELDS = fields_of("klaviyo")
_A_KEY = "a private key that may read and write lists and profiles, and read subscriptions"


@dataclass(frozen=True, kw_only=True)
class KlaviyoProfiles(ContactDestination):
    api: KlaviyoApi
    name = "klaviyo_api"
    service = "Klaviyo"

    @classmethod
    def read(cls, settings: KlaviyoSettings, retry: RetryPolicy = IN_REAL_TIME) -> Self:
        """Klaviyo as the settings describe it.

        Raises:
            SettingsError: naming what is missing, or why the block cannot be used; never a secret.
        """
        key = read_secret("KLAVIYO_API_KEY", settings.api_key, "KLAVIYO_BLOCK", settings.block, _A_KEY)
        return cls(api=KlaviyoApi(settings.base_url.rstrip("/"), key, retry), may_create=settings.create_profiles)

    def make_fields(self, of_campaign: bool) -> None:
        """A property comes to be with its first value."""

    def values(self, people: pa.Table, audience: str | None) -> Iterator[dict[str, Any]]:
        return field_values(_FIELDS, people, audience)

    def find(self, wanted: Sequence[str]) -> Mapping[str, Contact]:
        return find_profiles(self.api, wanted)

    def write(self, wanted: Mapping[str, Values], known: Mapping[str, Contact]) -> dict[str, Contact | Verdict]:
        """One by one, so that each has a result, and null clears what is no longer known."""
        return {address: self._write(address, known.get(address), values) for address, values in wanted.items()}

    def find_or_make_list(self, name: str) -> tuple[str, bool]:
        return find_or_make(self.api, name)

    def members(self, list_id: str) -> Iterator[Set[str]]:
        return members(self.api, list_id)

    def add_to_list(self, list_id: str, contact_ids: Sequence[str]) -> Mapping[str, Verdict]:
        add_to_list(self.api, list_id, contact_ids)
        return {}

    def _write(self, address: str, profile: Contact | None, values: Values) -> Contact | Verdict:
        try:
            return write_profile(self.api, address, profile.id if profile else None, values)
        except KlaviyoRefused as refused:
            if refused.status_code not in _OF_ONE_PROFILE:
                raise
            return "refused", self.api.errors.quoted(refused.response_text.replace(address, "…"))
