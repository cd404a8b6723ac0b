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

from flows.adapters.server_api import MAY_PASS, RetryPolicy, ServerErrors
from flows.errors import HubSpotRefused, HubSpotUnreachable, ServerRefused, ServerUnreachable

log = logging.getLogger(__name__)

# 100 requests in 10 seconds is what the smallest of HubSpot's plans lets a private app do (190 the others), see
# https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
SECONDS_BETWEEN_REQUESTS = 0.12
PATIENCE_SECONDS = 300.0
CONNECT_SECONDS, ANSWER_SECONDS = 30.0, 60.0
SCOPES = (
    "crm.objects.contacts.read", "crm.objects.contacts.write", "crm.schemas.contacts.read",
    "crm.schemas.contacts.write", "crm.lists.read", "crm.lists.write",
)  # fmt: skip

_MAY_PASS = MAY_PASS | {423, 477}  # 423: a lock; 477: HubSpot moves the account
_ADVICE = {
    401: "It does not take the token of HUBSPOT_ACTIVATION_TOKEN (or of the block HUBSPOT_ACTIVATION_BLOCK): does"
    " HubSpot still list its private app, in Settings, Integrations?",
    403: f"It needs the scopes {', '.join(SCOPES)}.",
}

_Refusals = (contacts.ApiException, lists.ApiException, properties.ApiException)

Returned = TypeVar("Returned", bound=BaseModel)


class Problem(BaseModel):
    """An error from HubSpot, of a request or of one record; any field may be missing."""

    message: str | None = None
    category: str | None = None
    policy: str | None = Field(None, alias="policyName")  # which rate limit was exceeded
    context: Any = None
    errors: list[Any] | None = None

    @property
    def mentions(self) -> set[str]:
        """Every text of its context: the ids that it is about."""
        return set(_texts(self.context))

    @property
    def missing_scopes(self) -> list[str]:
        contexts = [error.get("context") for error in self.errors or () if isinstance(error, dict)]
        return sorted({name for context in (self.context, *contexts) for name in _texts(context)})


@dataclass(frozen=True)
class Sdk:
    """The parts of the SDK that calls use."""

    contacts: Any
    properties: Any
    groups: Any
    lists: Any
    memberships: Any


Call = Callable[[Sdk, Mapping[str, Any]], Any]  # receives the arguments of every call of the SDK


@dataclass
class HubSpotApi:
    """`url` has no slash at its end."""

    url: str
    token: str = field(repr=False)
    retry: RetryPolicy
    _next_request_at: float = field(default=float("-inf"), init=False)

    def call_api(self, doing: str, call: Call, kind: type[Returned]) -> Returned:
        """The answer of a call that may be made any number of times. `doing` begins its error messages.

        Raises:
            HubSpotRefused: when HubSpot answers that it will not.
            HubSpotUnreachable: when there was no clear answer for PATIENCE_SECONDS.
        """
        return self.retry.retry_until(self.retry.deadline(PATIENCE_SECONDS), lambda: self._call_api(doing, call, kind))

    def close(self) -> None:
        """Closes the connection; a later call opens a new one."""
        if "_sdk" in self.__dict__:
            for part in vars(self.__dict__.pop("_sdk")).values():
                part.api_client.rest_client.pool_manager.clear()

    @cached_property
    def errors(self) -> ServerErrors:
        """Turns HubSpot's errors into ours."""
        return ServerErrors(self.url, HubSpotRefused, HubSpotUnreachable, (self.token,), _MAY_PASS, _ADVICE)

    def _call_api(self, doing: str, call: Call, kind: type[Returned]) -> Returned:
        self._keep_pace()
        how = {"_preload_content": False, "_request_timeout": (CONNECT_SECONDS, ANSWER_SECONDS)}
        try:
            body = call(self._sdk, how).data
        except _Refusals as refusal:
            raise self._to_our_error(doing, refusal) from None
        except (urllib3.exceptions.HTTPError, UnicodeDecodeError) as lost:
            raise self.errors.of_silence(doing, lost) from None
        try:
            return kind.model_validate_json(body)
        except ValidationError:
            raise self.errors.of_unreadable(doing) from None

    def _keep_pace(self) -> None:
        early = self._next_request_at - self.retry.clock()
        if early > 0:
            self.retry.wait(early)
        self._next_request_at = self.retry.deadline(SECONDS_BETWEEN_REQUESTS)

    def _to_our_error(self, doing: str, refusal: Any) -> ServerRefused | ServerUnreachable:
        status, problem = int(refusal.status or 0), _problem(refusal.body)
        is_of_the_day, advice = problem.policy == "DAILY", ""
        if is_of_the_day:
            advice = "The rest of today's calls is spent: run this again tomorrow."
        elif status == 403 and problem.missing_scopes:
            advice = f"Give the private app the scope {', '.join(problem.missing_scopes)}."
        return self.errors.from_response(
            doing, status, problem.message or "", refusal.headers or {}, advice=advice, is_final=is_of_the_day
        )

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
    except ValidationError:  # for example a proxy's page
        return Problem(message=str(body))  # type: ignore[call-arg]


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) else []
