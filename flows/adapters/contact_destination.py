"""The flow that destinations with an API share: customers become contacts of a service, by their e-mail addresses, with
their figures as its fields, and a campaign's customers a list of it.

A service says how it finds, writes and lists contacts. What holds for all of them is here: nobody is created unless
that is wanted; who has opted out there is not changed, nor is a list with other members; everything can be written
again; customers with the same address are one contact and share its result, and its fields are those of the first."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.contact_batches import ContactBatch, batches_by_address
from flows.adapters.server_api import ServerErrors
from flows.ports.destination import SendRequest, Verdict, addresses, control_group_of, lists_of, members_of, results

Values = Mapping[str, Any]  # by field of the service
SENT: Verdict = ("sent", None)
NOT_FOUND: Verdict = ("not_found", None)
OPTED_OUT: Verdict = ("opted_out", None)


@dataclass(frozen=True)
class Contact:
    """`id` is the service's. `verdict`: why nothing is sent to them; None: they may be sent."""

    id: str
    verdict: Verdict | None = None


class ServiceApi(Protocol):
    """What a service's client has, whatever it can do."""

    @property
    def errors(self) -> ServerErrors: ...

    def close(self) -> None:
        """Closes connections; a later call opens new ones."""


@dataclass(frozen=True, kw_only=True)
class ContactDestination(ABC):
    """A `Destination` whose service has contacts. `may_create`: a customer whom it does not know becomes one.

    `service`: its name for people. `kind_of_list`: what a campaign's customers are in there."""

    api: ServiceApi
    may_create: bool = False
    is_full_refresh: bool = False

    name: ClassVar[str]
    service: ClassVar[str]
    kind_of_list: ClassVar[str] = "list"
    batch_size: ClassVar[int] = 100  # addresses whose results are yielded together

    def close(self) -> None:
        """Closes connections."""
        self.api.close()

    @abstractmethod
    def make_fields(self, of_campaign: bool) -> None:
        """Creates fields that are missing; refuses if one cannot be ours. `of_campaign`: those of a campaign, too."""

    @abstractmethod
    def values(self, people: pa.Table, audience: str | None) -> Iterable[Values]:
        """The fields of each customer; what is not known clears an old value. Only a campaign writes its own."""

    @abstractmethod
    def find(self, wanted: Sequence[str]) -> Mapping[str, Contact]:
        """Contacts by address, in small letters, of those that the service knows; at most batch_size."""

    @abstractmethod
    def write(self, wanted: Mapping[str, Values], known: Mapping[str, Contact]) -> Mapping[str, Contact | Verdict]:
        """Updates the known contacts by their ids, and creates the others: what there is of each address then, or why
        it was not written. Other fields stay."""

    @abstractmethod
    def find_or_make_list(self, name: str) -> tuple[str, bool]:
        """The list's id, and whether it was just made."""

    @abstractmethod
    def members(self, list_id: str) -> Iterator[Set[str]]:
        """The addresses of each member of a list, in small letters."""

    @abstractmethod
    def add_to_list(self, list_id: str, contact_ids: Sequence[str]) -> Mapping[str, Verdict]:
        """Adds contacts, at least one; who is a member stays one. By id of those that were not added, why not. It gives
        no consent."""

    def check(self, request: SendRequest) -> None:
        """Creates missing fields and the list.

        Raises:
            ServerRefused: when the key lacks a right, or a field or list of that name belongs to somebody else.
        """
        try:
            self._make_place(request)
            self.find(["nobody@example.com"])  # it may read contacts
        finally:
            self.close()

    def send(self, request: SendRequest) -> Iterator[pa.Table]:
        """Sends in batches of addresses, and yields the results of each.

        Raises:
            ServerRefused: when the service refuses; before anything is sent, if that can be known.
            ServerUnreachable: when it did not respond for minutes.
        """
        try:
            lists: dict[str | None, str] | None = None
            for part in by_address(request.people, self.batch_size):
                if isinstance(part, pa.Table):
                    yield part
                    continue
                if lists is None:
                    lists = self._make_place(request)
                values = dict(zip(part.addresses, self.values(part.first, request.audience), strict=True))
                yield part.results(self._send_batch(values, lists, part.variants()))
        finally:
            self.close()

    def suppress(self, request: SendRequest) -> str:
        """A list of the contacts that the service knows, to be left out of its other messages. None is created, changed
        or unsubscribed, because that would outlast the campaign.

        Raises:
            ServerRefused: when the service refuses, or the list has other members.
            ServerUnreachable: when it did not respond for minutes.
        """
        assert request.audience is not None  # only campaigns have a control group
        name = control_group_of(request.audience)
        known = sorted(set(pc.utf8_lower(addresses(request.people)).drop_null().to_pylist()))
        try:
            list_id = self._campaign_list(name, None if request.is_resumed else set(known))
            for start in range(0, len(known), self.batch_size):
                found = self.find(known[start : start + self.batch_size])
                if ids := sorted({contact.id for contact in found.values()}):
                    self.add_to_list(list_id, ids)
        finally:
            self.close()
        return f'the {self.kind_of_list} "{name}" of {self.service}'

    def _make_place(self, request: SendRequest) -> dict[str | None, str]:
        """The ids of the campaign's lists, if there is a campaign: of everybody, and by variant."""
        self.make_fields(of_campaign=request.audience is not None)
        members = members_of(request)
        return {variant: self._campaign_list(name, members) for variant, name in lists_of(request).items()}

    def _campaign_list(self, name: str, members: Set[str] | None) -> str:
        """The list's id; it is created if none has this name. `members`: addresses of the campaign's customers, in
        small letters; None: the list is known to be the campaign's, with any members."""
        list_id, is_new = self.find_or_make_list(name)
        if not is_new and members is not None:
            strangers = sum(members.isdisjoint(one) for one in self.members(list_id))
            if strangers:
                raise self.api.errors.refused(
                    f'{self.service} already has a {self.kind_of_list} "{name}" with {strangers:,} members who are not'
                    " in this campaign: rename or delete it there, or give the campaign another name before it is"
                    " launched."
                )
        return list_id

    def _send_batch(
        self, values: Mapping[str, Values], lists: Mapping[str | None, str], variants: Mapping[str, str | None]
    ) -> dict[str, Verdict]:
        """The result of each address, given its fields and its variant."""
        found = self.find(list(values))
        verdicts = {address: contact.verdict for address, contact in found.items() if contact.verdict}
        if not self.may_create:
            verdicts |= {address: NOT_FOUND for address in values if address not in found}
        wanted = {address: of_one for address, of_one in values.items() if address not in verdicts}
        written: dict[str, Contact] = {}
        now = self.write(wanted, found) if wanted else {}
        for address in wanted:
            now_there = now[address]
            if not isinstance(now_there, Contact):
                verdicts[address] = now_there
            elif now_there.verdict:  # since it was looked for
                verdicts[address] = now_there.verdict
            else:
                written[address] = now_there
        return verdicts | self._list_batch(written, lists, variants)

    def _list_batch(
        self, written: Mapping[str, Contact], lists: Mapping[str | None, str], variants: Mapping[str, str | None]
    ) -> dict[str, Verdict]:
        variant_of: dict[str, str | None] = {}
        for address, contact in written.items():  # one contact may have two of the addresses: the first counts
            variant_of.setdefault(contact.id, variants[address])
        failed: dict[str, Verdict] = {}
        for variant, list_id in lists.items():
            ids = [one for one, its in variant_of.items() if one not in failed and variant in (None, its)]
            if ids:
                failed |= self.add_to_list(list_id, ids)
        return {address: failed.get(contact.id, SENT) for address, contact in written.items()}


def by_address(people: pa.Table, size: int) -> Iterator[pa.Table | ContactBatch]:
    """RESULTS of those without an address, if any, and batches of the others."""
    found = pc.utf8_lower(addresses(people))
    if found.null_count:
        yield results(people.filter(found.is_null()).column("customer_id"), "no_address")
    yield from batches_by_address(people.filter(found.is_valid()), found.drop_null(), size)
