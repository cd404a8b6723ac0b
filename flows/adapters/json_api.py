"""Calls of a server's JSON API over HTTP, each made until it is answered: what the clients of Klaviyo, Brevo and
Mailchimp share.

Their SDKs are not used. Of Brevo's we would use nine calls of hundreds, its versions 1, 4 and 5 break each other,
and its own retries sleep beyond our time limit and do not read Brevo's header; Mailchimp's was last released in
2022, and opens a connection for every call."""

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import httpx

from flows.adapters.server_api import RetryPolicy, ServerErrors
from flows.errors import ServerRefused, ServerUnreachable

PATIENCE_SECONDS = 300.0
ANSWER_SECONDS = 60.0

Json = dict[str, Any]
Item = TypeVar("Item")
Returned = TypeVar("Returned")


@dataclass
class JsonApi(ABC):
    """`url` has no slash at its end. `key` is what its requests are signed with.

    `seconds_between_requests`: from the start of one to that of the next. `connections`: calls at the same time."""

    url: str
    key: str = field(repr=False)
    retry: RetryPolicy
    _next_request_at: float = field(default=float("-inf"), init=False)
    _pace: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    seconds_between_requests: ClassVar[float] = 0.0
    connections: ClassVar[int] = 1

    @cached_property
    @abstractmethod
    def errors(self) -> ServerErrors:
        """Turns the server's errors into ours."""

    @abstractmethod
    def headers(self) -> Mapping[str, str]:
        """Headers of every request."""

    @abstractmethod
    def said(self, answer: httpx.Response) -> str:
        """What a refusal says; its text where it is not the server's own, for example a proxy's page."""

    def request(
        self, doing: str, method: str, path: str, body: Any = None, parameters: Mapping[str, str] | None = None
    ) -> Json:
        """The answer of a call that may be made any number of times. `doing` begins its error messages.

        Raises:
            ServerRefused: when the server answers that it will not.
            ServerUnreachable: when there was no clear answer for PATIENCE_SECONDS.
        """
        return self.until_answered(lambda: self.call(doing, method, path, body, parameters))

    def until_answered(self, attempt: Callable[[], Returned]) -> Returned:
        """The result of an attempt, which is repeated while the server does not respond or is busy."""
        return self.retry.retry_until(self.retry.deadline(PATIENCE_SECONDS), attempt)

    def call(
        self, doing: str, method: str, path: str, body: Any = None, parameters: Mapping[str, str] | None = None
    ) -> Json:
        """One attempt; an answer without content is {}."""
        self._keep_pace()
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        try:
            answer = self._client.request(method, path, params=parameters, content=content)
        except httpx.HTTPError as lost:
            raise self.errors.of_silence(doing, lost) from None
        if not answer.is_success:
            raise self.refusal(doing, answer)
        try:
            found = answer.json() if answer.content else {}
        except ValueError:
            raise self.errors.of_unreadable(doing) from None
        if not isinstance(found, dict):
            raise self.errors.of_unreadable(doing)
        return found

    def refusal(self, doing: str, answer: httpx.Response) -> ServerRefused | ServerUnreachable:
        """The error of an answer that is not a success."""
        return self.errors.from_response(doing, answer.status_code, self.said(answer), answer.headers)

    def each(self, do: Callable[[Item], Returned], items: Iterable[Item]) -> list[Returned]:
        """What `do` returns of each item, in their order, with as many calls at the same time as there are connections.
        Raises the first of its errors, after the calls that had begun."""
        if self.connections == 1:
            return [do(item) for item in items]
        with ThreadPoolExecutor(self.connections) as pool:
            return list(pool.map(do, items))

    def close(self) -> None:
        """Closes the connections; a later call opens new ones."""
        if "_client" in self.__dict__:
            self.__dict__.pop("_client").close()

    @cached_property
    def _client(self) -> httpx.Client:
        limits = httpx.Limits(max_connections=self.connections)
        return httpx.Client(base_url=self.url, headers=self.headers(), timeout=ANSWER_SECONDS, limits=limits)

    def _keep_pace(self) -> None:
        with self._pace:  # so that threads start their calls one after another, and open one client
            early = self._next_request_at - self.retry.clock()
            if early > 0:
                self.retry.wait(early)
            self._next_request_at = self.retry.deadline(self.seconds_between_requests)
            _ = self._client
