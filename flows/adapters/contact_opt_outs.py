"""Services that can be told who has opted out here."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from flows.adapters.contact_destination import NOT_FOUND, Contact, ContactDestination, by_address
from flows.ports.destination import Verdict


@dataclass(frozen=True, kw_only=True)
class OptOutDestination(ContactDestination):
    """A service that is told who has opted out here, where it `suppresses_opt_outs`."""

    suppresses_opt_outs: bool = False

    @abstractmethod
    def unsubscribe(self, contacts: Sequence[Contact]) -> Sequence[Verdict]:
        """Has the service send contacts no more e-mails; what became of each."""

    def opt_out(self, people: pa.Table) -> Iterator[pa.Table]:
        """RESULTS of customers who opted out here: opted_out there now, or why not. Nobody is created.

        Raises:
            ServerRefused: when the service refuses.
            ServerUnreachable: when it did not respond for minutes.
        """
        try:
            for part in by_address(people, self.batch_size):
                if isinstance(part, pa.Table):
                    yield part
                    continue
                found = self.find(part.addresses)
                verdicts = dict.fromkeys(part.addresses, NOT_FOUND)
                verdicts |= {address: contact.verdict for address, contact in found.items() if contact.verdict}
                told = {address: contact for address, contact in found.items() if _gets_e_mails(contact)}
                verdicts |= zip(told, self.unsubscribe(list(told.values())), strict=True)
                yield part.results(verdicts)
        finally:
            self.close()


def _gets_e_mails(contact: Contact) -> bool:
    """Or may get some one day."""
    return contact.verdict is None or contact.verdict[0] == "refused"
