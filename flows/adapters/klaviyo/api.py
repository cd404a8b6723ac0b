"""Calls of Klaviyo's API. https://developers.klaviyo.com/en/reference/api_overview"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from urllib.parse import parse_qs, urlsplit

import httpx

from flows.adapters.json_api import Json, JsonApi
from flows.adapters.server_api import ServerErrors
from flows.errors import KlaviyoRefused, KlaviyoUnreachable

REVISION = "2026-10-15"  # of the API, which is kept for two years
SCOPES = ("lists:read", "lists:write", "profiles:read", "profiles:write", "subscriptions:read")
_ADVICE = {
    401: "It does not take the key of KLAVIYO_API_KEY (or of the block KLAVIYO_BLOCK): does Klaviyo still list it, in"
    " Settings, API keys?",
    403: f"It needs the scopes {', '.join(SCOPES)}.",
}
_MEDIA_TYPE = "application/vnd.api+json"


class KlaviyoApi(JsonApi):
    """`key`: a private API key."""

    # 700 requests in a minute is what the calls that we make most often may do; the others say with 429 when to go on
    seconds_between_requests = 60 / 700

    def pages(self, doing: str, path: str, parameters: Mapping[str, str]) -> Iterator[list[Json]]:
        """The data of each page of a GET; raises as `request` does."""
        cursor: str | None = ""
        while cursor is not None:
            given = {**parameters, **({"page[cursor]": cursor} if cursor else {})}
            answer = self.request(doing, "GET", path, parameters=given)
            yield answer.get("data", [])
            following = (answer.get("links") or {}).get("next")
            cursor = parse_qs(urlsplit(following).query).get("page[cursor]", [None])[0] if following else None

    @cached_property
    def errors(self) -> ServerErrors:
        return ServerErrors(self.url, KlaviyoRefused, KlaviyoUnreachable, (self.key,), advice=_ADVICE)

    def headers(self) -> Mapping[str, str]:
        return {
            "Authorization": f"Klaviyo-API-Key {self.key}", "revision": REVISION, "Accept": _MEDIA_TYPE,
            "Content-Type": _MEDIA_TYPE,
        }  # fmt: skip

    def said(self, answer: httpx.Response) -> str:
        """The details of its errors."""
        try:
            errors = answer.json()["errors"]
            return "; ".join(str(error.get("detail") or error.get("title")) for error in errors)
        except (ValueError, KeyError, TypeError, AttributeError):
            return answer.text
