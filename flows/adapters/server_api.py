"""Shared parts of the clients of servers: calls that are retried until there is a response, and errors with a remedy
and without secrets. The clients of Airbyte, HubSpot and Tableau add their SDKs and what is special to each; others
share json_api.py."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TypeVar

from flows.errors import ServerRefused, ServerUnreachable

log = logging.getLogger(__name__)

MIN_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 2.0, 30.0
MAX_QUOTE = 300  # characters of a response that an error shows
MAY_PASS = frozenset({408, 425, 429})  # statuses after which the same call may succeed in a moment, besides 5xx

Returned = TypeVar("Returned")


def pauses() -> Iterator[float]:
    """Seconds between one attempt and the next."""
    pause = MIN_PAUSE_SECONDS
    while True:
        yield pause
        pause = min(pause * 1.5, MAX_PAUSE_SECONDS)


@dataclass(frozen=True)
class RetryPolicy:
    """How a client waits for a server that is busy or unreachable. A deadline is a value of `clock`, in seconds."""

    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def deadline(self, seconds: float) -> float:
        """The deadline in `seconds` from now."""
        return self.clock() + seconds

    def wait_until(self, deadline: float, seconds: float) -> bool:
        """Waits, but not beyond the deadline; False at once if that has passed."""
        left = deadline - self.clock()
        if left <= 0:
            return False
        self.wait(min(seconds, left))
        return True

    def retry_until(self, deadline: float, attempt: Callable[[], Returned]) -> Returned:
        """The result of an attempt that may be repeated any number of times.

        Raises:
            ServerUnreachable: of the last attempt, when there was no clear response until the deadline.
        """
        for pause in pauses():
            try:
                return attempt()
            except ServerUnreachable as lost:
                if not self.wait_until(deadline, lost.retry_after_seconds or pause):
                    raise
                log.warning("%s Trying again.", lost)
        raise AssertionError("pauses never end")


IN_REAL_TIME = RetryPolicy()


@dataclass(frozen=True)
class ServerErrors:
    """Turns responses of the server at `url`, or their absence, into our errors.

    `secrets`: texts that no message may show. `may_pass`: statuses besides 5xx after which the same call may succeed in
    a moment. `advice`: the remedy by status."""

    url: str
    refused: type[ServerRefused]
    unreachable: type[ServerUnreachable]
    secrets: tuple[str, ...] = field(repr=False)
    may_pass: frozenset[int] = MAY_PASS
    advice: Mapping[int, str] = field(default_factory=dict)

    def redacted(self, text: str, *more_secrets: str) -> str:
        """A text on one line, without secrets."""
        for secret in (*self.secrets, *more_secrets):
            text = text.replace(secret, "…") if secret else text
        return " ".join(text.split())

    def quoted(self, text: str, *more_secrets: str) -> str:
        """The part of the server's response that a message may show."""
        return self.redacted(text, *more_secrets)[:MAX_QUOTE]

    def from_response(
        self,
        doing: str,
        status: int,
        response_text: str,
        headers: Mapping[str, str],
        *more_secrets: str,
        advice: str = "",
        is_final: bool = False,
    ) -> ServerRefused | ServerUnreachable:
        """The error of a response that is not a success. `doing` begins the message. `advice` replaces that of the
        status, and `is_final` says that waiting does not help, whatever the status. 2xx: the response cannot be
        read."""
        what = f"{doing}: {self.url} answers {status}: {self.quoted(response_text, *more_secrets)}".rstrip(" .:") + "."
        if self.is_passing(status) and not is_final:
            return self.unreachable(what, retry_after_seconds(headers))
        advice = advice or self.advice.get(status, "")
        return self.refused(f"{what} {advice}".rstrip(), status, self.redacted(response_text, *more_secrets))

    def of_silence(self, doing: str, problem: Exception, *more_secrets: str) -> ServerUnreachable:
        """The error of a call without a response."""
        why = self.quoted(str(problem), *more_secrets) or type(problem).__name__
        return self.unreachable(f"{doing}: no clear answer from {self.url} ({why}). Is the server up?")

    def of_unreadable(self, doing: str) -> ServerUnreachable:
        """The error of a response that does not fit the call."""
        return self.unreachable(f"{doing}: nobody can read the answer of {self.url}.")

    def is_passing(self, status: int) -> bool:
        """Whether the same call may succeed in a moment."""
        return status in self.may_pass or status >= 500 or 200 <= status < 300


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """The pause that a Retry-After header requests; a date in it is relative to the server's own."""
    wanted, sent = (str(headers.get(name, "")) for name in ("retry-after", "date"))
    if wanted.isdigit():
        return float(wanted)
    try:
        return max((parsedate_to_datetime(wanted) - parsedate_to_datetime(sent)).total_seconds(), 0.0)
    except (TypeError, ValueError):  # TypeError: only one of them has a zone
        return None
