"""Accounts of the services with contacts, and how a test looks at them, whichever it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from flows.adapters.brevo.destination import FIELDS as BREVO_FIELDS
from flows.adapters.brevo.destination import BrevoContacts
from flows.adapters.contact_destination import ContactDestination
from flows.adapters.klaviyo.destination import KlaviyoProfiles
from flows.adapters.mailchimp.destination import FIELDS as MAILCHIMP_FIELDS
from flows.adapters.mailchimp.destination import MailchimpMembers
from flows.adapters.server_api import RetryPolicy
from flows.errors import (
    BrevoRefused,
    BrevoUnreachable,
    KlaviyoRefused,
    KlaviyoUnreachable,
    MailchimpRefused,
    MailchimpUnreachable,
    ServerRefused,
    ServerUnreachable,
)
from flows.settings import BrevoSettings, KlaviyoSettings, MailchimpSettings
from tests.stand_ins import brevo, klaviyo, mailchimp
from tests.stand_ins.json_server import JsonServer


@dataclass
class Clock:
    """Time that passes by being waited for."""

    now: float = 0.0
    waited: list[float] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds

    def read(self) -> float:
        return self.now


class Account:
    """`name` of the destination, `segment` and `campaign`: what two fields are called there; `key`: a secret."""

    name: ClassVar[str]
    key: ClassVar[str]
    segment: ClassVar[str]
    refused: ClassVar[type[ServerRefused]]
    unreachable: ClassVar[type[ServerUnreachable]]
    server: JsonServer

    def __init__(self, contacts: int = 0) -> None:
        self.clock = Clock()
        self.server = self.new()
        for number in range(1, contacts + 1):
            self.add(f"c{number}@example.org")

    @contextmanager
    def destination(self, may_create: bool = False, **more: Any) -> Iterator[ContactDestination]:
        with self.server.serving() as url:
            yield self.read(url, RetryPolicy(self.clock.wait, self.clock.read), may_create, **more)

    def with_fields(self) -> "Account":
        """With all of our fields but one, where fields have to be made."""
        return self

    def state(self) -> Any:
        return {address: (self.fields(address), self.is_out(address)) for address in self.known()}, self.lists()


class KlaviyoAccount(Account):
    name, key, segment, refused, unreachable = (
        "klaviyo_api", klaviyo.KEY, "rfm_segment", KlaviyoRefused, KlaviyoUnreachable,
    )  # fmt: skip

    def new(self):
        return klaviyo.Klaviyo()

    def read(self, url, retry, may_create, **more):
        return KlaviyoProfiles.read(KlaviyoSettings(api_key=self.key, base_url=url, create_profiles=may_create), retry)

    def add(self, address, opted_out=False):
        self.server.add(address, consent="UNSUBSCRIBED" if opted_out else "SUBSCRIBED")

    def known(self):
        return {one.email for one in self.server.profiles.values()}

    def fields(self, address):
        return next(one.properties for one in self.server.profiles.values() if one.email == address)

    def is_out(self, address):
        return next(one.consent == "UNSUBSCRIBED" for one in self.server.profiles.values() if one.email == address)

    def lists(self):
        return self.server.members()

    def add_list(self, name, *addresses):
        ids = {one.email: one.id for one in self.server.profiles.values()}
        self.server.add_list(name, *(ids[address] for address in addresses))

    def delete(self, address):
        self.server.profiles = {one: of for one, of in self.server.profiles.items() if of.email != address}


class BrevoAccount(Account):
    name, key, segment, refused, unreachable = "brevo_api", brevo.KEY, "SEGMENT", BrevoRefused, BrevoUnreachable

    def new(self):
        return brevo.Brevo(clock=self.clock.read)

    def read(self, url, retry, may_create, **more):
        given = BrevoSettings(**{"api_key": self.key, "base_url": url, "create_contacts": may_create} | more)
        return BrevoContacts.read(given, retry)

    def with_fields(self):
        self.server.attributes |= {one.name: "float" if one.is_number else "text" for one in BREVO_FIELDS[1:]}
        return self

    def add(self, address, opted_out=False):
        self.server.add(address, is_blacklisted=opted_out)

    def known(self):
        return {one.email for one in self.server.contacts.values()}

    def fields(self, address):
        return next(one.attributes for one in self.server.contacts.values() if one.email == address)

    def is_out(self, address):
        return next(one.is_blacklisted for one in self.server.contacts.values() if one.email == address)

    def lists(self):
        of = {one: contact.email for one, contact in self.server.contacts.items()}
        return {its.name: {of[one] for one in its.members if one in of} for its in self.server.lists.values()}

    def add_list(self, name, *addresses):
        ids = {one.email: one.id for one in self.server.contacts.values()}
        self.server.add_list(name, *(ids[address] for address in addresses))

    def delete(self, address):
        self.server.contacts = {one: of for one, of in self.server.contacts.items() if of.email != address}


class MailchimpAccount(Account):
    name, key, segment, refused, unreachable = (
        "mailchimp_api", mailchimp.KEY, "SEGMENT", MailchimpRefused, MailchimpUnreachable,
    )  # fmt: skip

    def new(self):
        return mailchimp.Mailchimp()

    def read(self, url, retry, may_create, **more):
        given = {"api_key": self.key, "base_url": url, "audience": mailchimp.AUDIENCE, "create_members": may_create}
        return MailchimpMembers.read(MailchimpSettings(**given | more), retry)

    def with_fields(self):
        self.server.merge_fields |= {one.name: "number" if one.is_number else "text" for one in MAILCHIMP_FIELDS[1:]}
        return self

    def add(self, address, opted_out=False):
        self.server.add(address, status="unsubscribed" if opted_out else "subscribed")

    def known(self):
        return {one.email for one in self.server.members.values() if not one.is_deleted}

    def fields(self, address):
        return next(one.merge_fields for one in self.server.members.values() if one.email == address)

    def is_out(self, address):
        return next(one.status == "unsubscribed" for one in self.server.members.values() if one.email == address)

    def lists(self):
        return {of.name: set(of.members) for of in self.server.segments.values()}

    def add_list(self, name, *addresses):
        self.server.add_segment(name, *addresses)

    def delete(self, address):
        self.server.members = {one: of for one, of in self.server.members.items() if of.email != address}
        for segment in self.server.segments.values():
            segment.members.discard(address)


ACCOUNTS = (KlaviyoAccount, BrevoAccount, MailchimpAccount)
