"""Calls of Mailchimp's Marketing API. https://mailchimp.com/developer/marketing/docs/fundamentals/"""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cached_property

import httpx

from flows.adapters.json_api import Json, JsonApi
from flows.adapters.server_api import ServerErrors
from flows.errors import MailchimpRefused, MailchimpUnreachable, ServerRefused, ServerUnreachable, SettingsError

MAX_PER_PAGE = 1_000
_DATA_CENTRE = re.compile(r"-([a-z]{2,4}\d+)$")
_ADVICE = {
    401: "It does not take the key of MAILCHIMP_API_KEY (or of the block MAILCHIMP_BLOCK): does Mailchimp still list"
    " it, in Profile, Extras, API keys?",
    403: "The key is of another data centre, or its user or plan may not do this: the key's end names the data centre.",
    404: "Is MAILCHIMP_AUDIENCE the id of an audience, as in Audience, Settings?",
}


class MailchimpApi(JsonApi):
    """`key`: an API key."""

    # Mailchimp allows 10 at the same time, of all programs of a user together, and has no other limit
    connections = 4

    @cached_property
    def errors(self) -> ServerErrors:
        return ServerErrors(self.url, MailchimpRefused, MailchimpUnreachable, (self.key,), advice=_ADVICE)

    def headers(self) -> Mapping[str, str]:
        credentials = b64encode(f"key:{self.key}".encode()).decode()
        return {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}

    def said(self, answer: httpx.Response) -> str:
        """Title, detail, and the messages of fields."""
        try:
            found = answer.json()
            fields = "; ".join(f"{one.get('field')}: {one.get('message')}" for one in found.get("errors") or ())
            return f"{found['title']}: {found['detail']} {fields}".strip()
        except (ValueError, KeyError, TypeError, AttributeError):
            return answer.text

    def refusal(self, doing: str, answer: httpx.Response) -> ServerRefused | ServerUnreachable:
        """A 403 that is not in Mailchimp's own form is a proxy before it that has had too many requests."""
        if answer.status_code == 403 and "json" not in answer.headers.get("content-type", ""):
            return self.errors.from_response(doing, 429, "403, and not Mailchimp's own answer", answer.headers)
        return super().refusal(doing, answer)

    def all(self, doing: str, path: str, key: str, parameters: Mapping[str, str]) -> Iterator[Json]:
        """Every object of a GET."""
        offset, total = 0, 1
        while offset < total:
            given = {**parameters, "count": str(MAX_PER_PAGE), "offset": str(offset)}
            page = self.request(doing, "GET", path, parameters=given)
            yield from page.get(key) or ()
            offset, total = offset + MAX_PER_PAGE, int(page.get("total_items") or 0)


def url_of(key: str) -> str:
    """Where the API of a key's data centre is.

    Raises:
        SettingsError: when the key does not say which it is.
    """
    found = _DATA_CENTRE.search(key)
    if not found:
        raise SettingsError(
            "MAILCHIMP_API_KEY (or the key of MAILCHIMP_BLOCK) does not end with its data centre, such as -us6: copy"
            " the whole key."
        )
    return f"https://{found[1]}.api.mailchimp.com"
