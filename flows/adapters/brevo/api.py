"""Calls of Brevo's API, version 3. https://developers.brevo.com/docs/how-it-works"""

from collections.abc import Mapping
from functools import cached_property

import httpx

from flows.adapters.json_api import JsonApi
from flows.adapters.server_api import ServerErrors
from flows.errors import BrevoRefused, BrevoUnreachable, ServerRefused, ServerUnreachable

_ADVICE = {
    401: "It does not take the key of BREVO_API_KEY (or of the block BREVO_BLOCK): does Brevo still list it, in"
    " Settings, SMTP & API, and does it allow this machine's IP address?",
    403: "The key's account or plan may not do this.",
}
_RESET = "x-sib-ratelimit-reset"  # seconds until more requests may be made


class BrevoApi(JsonApi):
    """`key`: an API key."""

    # 10 requests in a second is what every plan allows under /contacts, see https://developers.brevo.com/docs/api-limits
    seconds_between_requests = 0.12
    # So that the pace is kept although Brevo takes a moment for each; with more, late ones could be too many at once
    connections = 2

    @cached_property
    def errors(self) -> ServerErrors:
        return ServerErrors(self.url, BrevoRefused, BrevoUnreachable, (self.key,), advice=_ADVICE)

    def headers(self) -> Mapping[str, str]:
        return {"api-key": self.key, "accept": "application/json", "content-type": "application/json"}

    def said(self, answer: httpx.Response) -> str:
        """Its code and message."""
        try:
            found = answer.json()
            return f"{found['code']}: {found['message']}"
        except (ValueError, KeyError, TypeError):
            return answer.text

    def refusal(self, doing: str, answer: httpx.Response) -> ServerRefused | ServerUnreachable:
        """Brevo asks for a pause in a header of its own."""
        asked = answer.headers.get("retry-after") or answer.headers.get(_RESET)
        headers = {**answer.headers, **({"retry-after": asked} if asked and answer.status_code == 429 else {})}
        return self.errors.from_response(doing, answer.status_code, self.said(answer), headers)
