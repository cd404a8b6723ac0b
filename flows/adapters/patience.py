"""Waiting for a server that is busy or out of reach: with growing pauses, as long as it asks for, to a deadline."""

import logging
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TypeVar

from flows.errors import ServerUnreachable

log = logging.getLogger(__name__)

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 2.0, 30.0

Answer = TypeVar("Answer")


def pauses() -> Iterator[float]:
    """Seconds between one look and the next."""
    pause = SHORTEST_PAUSE_SECONDS
    while True:
        yield pause
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)


class Patience:
    """What clients of a server share. A deadline is a value of `clock`, in seconds."""

    wait: Callable[[float], None]
    clock: Callable[[], float]

    def wait_until(self, deadline: float, seconds: float) -> bool:
        """Waits, but not beyond the deadline; False at once if that has passed."""
        left = deadline - self.clock()
        if left <= 0:
            return False
        self.wait(min(seconds, left))
        return True

    def until_answered(self, attempt: Callable[[], Answer], deadline: float) -> Answer:
        """The answer of what may be tried any number of times.

        Raises:
            ServerUnreachable: the last one's, when there was no clear answer until the deadline.
        """
        for pause in pauses():
            try:
                return attempt()
            except ServerUnreachable as lost:
                if not self.wait_until(deadline, lost.retry_after_seconds or pause):
                    raise
                log.warning("%s Trying again.", lost)
        raise AssertionError("pauses never end")


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """What a Retry-After header asks for; a date in it is taken relative to the server's own."""
    wanted, sent = (str(headers.get(name, "")) for name in ("retry-after", "date"))
    if wanted.isdigit():
        return float(wanted)
    try:
        return max((parsedate_to_datetime(wanted) - parsedate_to_datetime(sent)).total_seconds(), 0.0)
    except (TypeError, ValueError):  # TypeError: only one of them says its zone
        return None
