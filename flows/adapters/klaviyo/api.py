"""Calls of Klaviyo's API, each made until it is answered. https://developers.klaviyo.com/en/reference/api_overview"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx

from flows.adapters.server_api import RetryPolicy, ServerErrors
from flows.errors import KlaviyoRefused, KlaviyoUnreachable

REVISION = "2026-10-15"  # of the API, which is kept for two years
# 700 requests in a minute is what the calls that we make most often may do; the others say with 429 when to go on
SECONDS_BETWEEN_REQUESTS = 60 / 700
PATIENCE_SECONDS = 300.0
ANSWER_SECONDS = 60.0
SCOPES = ("lists:read", "lists:write", "profiles:read", "profiles:write", "subscriptions:read")
_ADVICE = {
    401: "It does not take the key of KLAVIYO_API_KEY (or of the block KLAVIYO_BLOCK): does Klaviyo still list it, in"
    " Settings, API keys?",
    403: f"It needs the scopes {', '.join(SCOPES)}.",
}
_MEDIA_TYPE = "application/vnd.api+json"

Json = dict[str, Any]
Returned = TypeVar("Returned")


@dataclass
class KlaviyoApi:
    """`url` has no slash at its end. `key`: a private API key."""

    url: str
    key: str = field(repr=False)
    retry: RetryPolicy
    _next_request_at: float = field(default=float("-inf"), init=False)

    def get(self, doing: str, path: str, parameters: Mapping[str, str]) -> Json:
        """The answer of a GET. `doing` begins its error messages.

        Raises:
            KlaviyoRefused: when Klaviyo answers that it will not.
            KlaviyoUnreachable: when there was no clear answer for PATIENCE_SECONDS.
        """
        return self.until_answered(lambda: self.call(doing, "GET", path, parameters=parameters))

    def pages(self, doing: str, path: str, parameters: Mapping[str, str]) -> Iterator[list[Json]]:
        """The data of each page of a GET; raises as it does."""
        cursor: str | None = ""
        while cursor is not None:
            given = {**parameters, **({"page[cursor]": cursor} if cursor else {})}
            answer = self.get(doing, path, given)
            yield answer.get("data", [])
            following = (answer.get("links") or {}).get("next")
            cursor = parse_qs(urlsplit(following).query).get("page[cursor]", [None])[0] if following else None

    def post(self, doing: str, path: str, data: Any) -> Json:
        """The answer of a POST that may be made any number of times; raises as `get` does."""
        return self.until_answered(lambda: self.call(doing, "POST", path, data))

    def until_answered(self, attempt: Callable[[], Returned]) -> Returned:
        """The result of an attempt, which is repeated while Klaviyo does not respond or is busy."""
        return self.retry.retry_until(self.retry.deadline(PATIENCE_SECONDS), attempt)

    def call(
        self, doing: str, method: str, path: str, data: Any = None, parameters: Mapping[str, str] | None = None
    ) -> Json:
        """One attempt."""
        self._keep_pace()
        content = None if data is None else json.dumps({"data": data}, ensure_ascii=False).encode()
        try:
            answer = self._client.request(method, f"/api/{path}", params=parameters, content=content)
        except httpx.HTTPError as lost:
            raise self.errors.of_silence(doing, lost) from None
        if not answer.is_success:
            raise self.errors.from_response(doing, answer.status_code, _said(answer), answer.headers)
        try:
            found = answer.json() if answer.content else {}
        except ValueError:
            raise self.errors.of_unreadable(doing) from None
        if not isinstance(found, dict):
            raise self.errors.of_unreadable(doing)
        return found

    def close(self) -> None:
        """Closes the connection; a later call opens a new one."""
        if "_client" in self.__dict__:
            self.__dict__.pop("_client").close()

    @cached_property
    def errors(self) -> ServerErrors:
        """Turns Klaviyo's errors into ours."""
        return ServerErrors(self.url, KlaviyoRefused, KlaviyoUnreachable, (self.key,), advice=_ADVICE)

    @cached_property
    def _client(self) -> httpx.Client:
        headers = {
            "Authorization": f"Klaviyo-API-Key {self.key}", "revision": REVISION, "Accept": _MEDIA_TYPE,
            "Content-Type": _MEDIA_TYPE,
        }  # fmt: skip
        return httpx.Client(base_url=self.url, headers=headers, timeout=ANSWER_SECONDS)

    def _keep_pace(self) -> None:
        early = self._next_request_at - self.retry.clock()
        if early > 0:
            self.retry.wait(early)
        self._next_request_at = self.retry.deadline(SECONDS_BETWEEN_REQUESTS)


def _said(answer: httpx.Response) -> str:
    """The details of its errors, or its text."""
    try:
        errors = answer.json()["errors"]
        return "; ".join(str(error.get("detail") or error.get("title")) for error in errors)
    except (ValueError, KeyError, TypeError, AttributeError):  # for example a proxy's page
        return answer.text
