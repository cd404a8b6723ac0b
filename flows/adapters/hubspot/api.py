"""Calls of HubSpot's API through its SDK, hubspot-api-client, each made until it is answered.

Of the SDK we use the calls, and read the answers ourselves: its models refuse a value that a newer HubSpot has and they
do not know. Its retries are left off: they sleep beyond anybody's time limit, and take no POST.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import urllib3
from hubspot import HubSpot
from hubspot.crm import contacts, lists, properties
from pydantic import BaseModel, Field, ValidationError
from urllib3.util.retry import Retry

from flows.adapters.patience import Patience, retry_after_seconds
from flows.errors import HubSpotRefused, HubSpotUnreachable

log = logging.getLogger(__name__)

# 100 requests in 10 seconds is what the smallest of HubSpot's plans lets a private app do (190 the others), see
# https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
SECONDS_BETWEEN_REQUESTS = 0.12
PATIENCE_SECONDS = 300.0
CONNECT_SECONDS, ANSWER_SECONDS = 30.0, 60.0
LONGEST_QUOTE = 300  # characters of an answer that an error shows
SCOPES = (
    "crm.objects.contacts.read", "crm.objects.contacts.write", "crm.schemas.contacts.read",
    "crm.schemas.contacts.write", "crm.lists.read", "crm.lists.write",
)  # fmt: skip

_Refusals = (contacts.ApiException, lists.ApiException, properties.ApiException)

Answer = TypeVar("Answer", bound=BaseModel)


class Problem(BaseModel):
    """An error as HubSpot says it, of a request or of one record; any of its fields may be left out."""

    message: str | None = None
    category: str | None = None
    policy: str | None = Field(None, alias="policyName")  # which limit it was
    context: Any = None
    errors: list[Any] | None = None

    @property
    def mentions(self) -> set[str]:
        """Every text of its context: the ids it is about."""
        return set(_texts(self.context))

    @property
    def missing_scopes(self) -> list[str]:
        contexts = [error.get("context") for error in self.errors or () if isinstance(error, dict)]
        return sorted({name for context in (self.context, *contexts) for name in _texts(context)})


@dataclass(frozen=True)
class Sdk:
    """The parts of the SDK that calls are made of."""

    contacts: Any
    properties: Any
    groups: Any
    lists: Any
    memberships: Any


Call = Callable[[Sdk, Mapping[str, Any]], Any]  # given what every call of the SDK is to be told besides


@dataclass
class HubSpotApi(Patience):
    """`url` has no slash at its end."""

    url: str
    token: str = field(repr=False)
    wait: Callable[[float], None]
    clock: Callable[[], float]
    _next_request_at: float = field(default=float("-inf"), init=False)

    def ask(self, doing: str, call: Call, kind: type[Answer]) -> Answer:
        """The answer of a call that may be made any number of times. `doing` begins what is said of it.

        Raises:
            HubSpotRefused: when HubSpot answers that it will not.
            HubSpotUnreachable: when there was no clear answer for PATIENCE_SECONDS.
        """
        return self.until_answered(lambda: self._ask(doing, call, kind), self.clock() + PATIENCE_SECONDS)

    def close(self) -> None:
        """Hangs up; a later call connects anew."""
        if "_sdk" in self.__dict__:
            for part in vars(self.__dict__.pop("_sdk")).values():
                part.api_client.rest_client.pool_manager.clear()

    def quoted(self, said: str) -> str:
        """What a message may show of what HubSpot says."""
        return self._redacted(said)[:LONGEST_QUOTE]

    def _redacted(self, said: str) -> str:
        return " ".join(said.replace(self.token, "…").split())

    def _ask(self, doing: str, call: Call, kind: type[Answer]) -> Answer:
        self._keep_pace()
        how = {"_preload_content": False, "_request_timeout": (CONNECT_SECONDS, ANSWER_SECONDS)}
        try:
            body = call(self._sdk, how).data
        except _Refusals as refusal:
            raise self._in_our_words(doing, refusal) from None
        except (urllib3.exceptions.HTTPError, UnicodeDecodeError) as lost:
            why = self.quoted(str(lost)) or type(lost).__name__
            raise HubSpotUnreachable(f"{doing}: no clear answer from {self.url} ({why}).") from None
        try:
            return kind.model_validate_json(body)
        except ValidationError:
            raise HubSpotUnreachable(f"{doing}: nobody can read the answer of {self.url}.") from None

    def _keep_pace(self) -> None:
        early = self._next_request_at - self.clock()
        if early > 0:
            self.wait(early)
        self._next_request_at = self.clock() + SECONDS_BETWEEN_REQUESTS

    def _in_our_words(self, doing: str, refusal: Any) -> HubSpotRefused | HubSpotUnreachable:
        status, problem = int(refusal.status or 0), _problem(refusal.body)
        said = self._redacted(problem.message or "")
        what = f"{doing}: {self.url} answers {status}: {said[:LONGEST_QUOTE]}".rstrip(" .:") + "."
        if problem.policy == "DAILY":
            return HubSpotRefused(f"{what} The rest of today's calls is spent: run this again tomorrow.", status, said)
        if _may_pass(status):
            return HubSpotUnreachable(what, retry_after_seconds(refusal.headers or {}))
        if status == 401:
            what += (
                " It does not take the token of HUBSPOT_ACTIVATION_TOKEN (or of the block HUBSPOT_ACTIVATION_BLOCK):"
                " does HubSpot still list its private app, in Settings, Integrations?"
            )
        elif status == 403:
            missing = ", ".join(problem.missing_scopes)
            what += (
                f" Give the private app the scope {missing}."
                if missing
                else f" It needs the scopes {', '.join(SCOPES)}."
            )
        return HubSpotRefused(what, status, said)

    @cached_property
    def _sdk(self) -> Sdk:
        crm = HubSpot(access_token=self.token, host=self.url, retry=Retry(total=0)).crm  # each part connects by itself
        return Sdk(
            contacts=crm.contacts.batch_api,
            properties=crm.properties.core_api,
            groups=crm.properties.groups_api,
            lists=crm.lists.lists_api,
            memberships=crm.lists.memberships_api,
        )


def _problem(body: Any) -> Problem:
    try:
        return Problem.model_validate_json(body or "{}")
    except ValidationError:  # a proxy's page, say
        return Problem(message=str(body))  # type: ignore[call-arg]


def _may_pass(status: int) -> bool:
    """Whether the same call may be answered in a moment. 423: a lock; 477: HubSpot moves the account."""
    return status in (408, 423, 425, 429, 477) or status >= 500


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) else []
