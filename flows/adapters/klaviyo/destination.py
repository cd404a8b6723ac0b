"""Klaviyo: customers' figures as properties of its profiles, and a campaign's customers as a list.

No profile is created unless KLAVIYO_CREATE_PROFILES is set; who has unsubscribed or is suppressed there is not changed.
A list gives no consent. Everything can be written again: profiles by their ids, lists by name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.contact_batches import batches_by_address
from flows.adapters.klaviyo.api import KlaviyoApi
from flows.adapters.klaviyo.credentials import read_key
from flows.adapters.klaviyo.lists import add_to_list, campaign_list
from flows.adapters.klaviyo.profiles import Profile, find_profiles, property_values, write_profile
from flows.adapters.server_api import IN_REAL_TIME, RetryPolicy
from flows.errors import KlaviyoRefused
from flows.ports.destination import SendRequest, Verdict, addresses, control_group_of, lists_of, members_of, results
from flows.settings import KlaviyoSettings

BATCH_SIZE = 100
_OF_ONE_PROFILE = (400, 404, 409, 422)  # statuses that are one profile's fault


@dataclass(frozen=True)
class KlaviyoProfiles:
    api: KlaviyoApi
    may_create: bool = False
    name: str = "klaviyo_api"
    is_full_refresh: bool = False

    @classmethod
    def read(cls, settings: KlaviyoSettings, retry: RetryPolicy = IN_REAL_TIME) -> Self:
        """Klaviyo as the settings describe it.

        Raises:
            SettingsError: naming what is missing, or why the block cannot be used; never a secret.
        """
        return cls(KlaviyoApi(settings.base_url.rstrip("/"), read_key(settings), retry), settings.create_profiles)

    def check(self, request: SendRequest) -> None:
        """Creates the list.

        Raises:
            KlaviyoRefused: when the key lacks a right, or a list of that name belongs to somebody else.
        """
        try:
            self._make_lists(request)
            find_profiles(self.api, ["nobody@example.com"])  # it may read profiles and their consent
        finally:
            self.api.close()

    def send(self, request: SendRequest) -> Iterator[pa.Table]:
        """Sends address by address, and yields the results of 100: customers with the same address are one profile and
        share its result, and its properties are those of the first.

        Raises:
            KlaviyoRefused: when Klaviyo refuses; before anything is sent, if that can be known.
            KlaviyoUnreachable: when it did not respond for minutes.
        """
        found = pc.utf8_lower(addresses(request.people))
        if found.null_count:
            yield results(request.people.filter(found.is_null()).column("customer_id"), "no_address")
        people = request.people.filter(found.is_valid())
        try:
            lists = self._make_lists(request) if len(people) else {}
            for batch in batches_by_address(people, found.drop_null(), BATCH_SIZE):
                values = dict(zip(batch.addresses, property_values(batch.first, request.audience), strict=True))
                yield batch.results(self._send_batch(values, lists, batch.variants()))
        finally:
            self.api.close()

    def suppress(self, request: SendRequest) -> str:
        """A list of the profiles that Klaviyo knows, to be excluded from its campaigns and flows. None is created,
        changed or suppressed: a suppression would outlast the campaign.

        Raises:
            KlaviyoRefused: when Klaviyo refuses, or the list has other members.
            KlaviyoUnreachable: when it did not respond for minutes.
        """
        assert request.audience is not None  # only campaigns have a control group
        name = control_group_of(request.audience)
        known = sorted(set(pc.utf8_lower(addresses(request.people)).drop_null().to_pylist()))
        try:
            list_id = campaign_list(self.api, name, None if request.is_resumed else set(known))
            if ids := [profile.id for profile in find_profiles(self.api, known).values()]:
                add_to_list(self.api, list_id, ids)
        finally:
            self.api.close()
        return f'the list "{name}" of Klaviyo'

    def _make_lists(self, request: SendRequest) -> dict[str | None, str]:
        """The ids of the campaign's lists, if there is a campaign: of everybody, and by variant."""
        members = members_of(request)
        return {variant: campaign_list(self.api, name, members) for variant, name in lists_of(request).items()}

    def _send_batch(
        self,
        wanted: Mapping[str, Mapping[str, Any]],
        lists: Mapping[str | None, str],
        variants: Mapping[str, str | None],
    ) -> dict[str, Verdict]:
        """The result of each address, given its properties and its variant."""
        profiles = find_profiles(self.api, list(wanted))
        verdicts: dict[str, Verdict] = {}
        written: dict[str, str] = {}
        for address, values in wanted.items():
            profile = profiles.get(address)
            if profile is None and not self.may_create:
                verdicts[address] = ("not_found", None)
            elif profile is not None and profile.has_opted_out:
                verdicts[address] = ("opted_out", None)
            else:
                verdicts[address] = self._write(address, profile, values, written)
        for variant, list_id in lists.items():
            ids = [one for address, one in written.items() if variant is None or variants[address] == variant]
            if ids:
                add_to_list(self.api, list_id, ids)
        return verdicts

    def _write(
        self, address: str, profile: Profile | None, values: Mapping[str, Any], written: dict[str, str]
    ) -> Verdict:
        try:
            now_there = write_profile(self.api, address, profile.id if profile else None, values)
        except KlaviyoRefused as refused:
            if refused.status_code not in _OF_ONE_PROFILE:
                raise
            return "refused", self.api.errors.quoted(refused.response_text.replace(address, "…"))
        if now_there.has_opted_out:  # since it was looked for
            return "opted_out", None
        written[address] = now_there.id
        return "sent", None
