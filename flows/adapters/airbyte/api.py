"""Calls of Airbyte's public API through its SDK, each made until it is answered.

The SDK's own retries are left off: they sleep beyond anybody's time limit, take neither a connection that was hung up
nor a failed sign-in for worth another try, and would start a sync a second time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import httpx
from airbyte_api import AirbyteAPI
from airbyte_api.errors import AirbyteAPIError, ResponseValidationError, SDKError
from airbyte_api.models import SchemeClientCredentials, Security
from pydantic import BaseModel, ValidationError

from flows.adapters.patience import Patience, retry_after_seconds
from flows.errors import AirbyteRefused, AirbyteUnreachable

CALL_TIMEOUT_SECONDS = 60.0  # starting a sync takes a busy server tens of seconds
LONGEST_QUOTE = 300  # characters of an answer that an error shows

Call = Callable[[AirbyteAPI], Any]
Answer = TypeVar("Answer", bound=BaseModel)


@dataclass(frozen=True)
class AirbyteApi(Patience):
    """`url` is the public API's, without a slash at its end."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    wait: Callable[[float], None]
    clock: Callable[[], float]

    def ask(self, doing: str, deadline: float, call: Call, kind: type[Answer]) -> Answer:
        """The answer of a call that may be made any number of times. `doing` begins what is said of it.

        Raises:
            AirbyteRefused: when the server answers that it will not.
            AirbyteUnreachable: when there was no clear answer until the deadline.
        """
        return self.until_answered(lambda: self.ask_once(doing, call, kind), deadline)

    def ask_once(self, doing: str, call: Call, kind: type[Answer]) -> Answer:
        """The answer of a call that is made once; twice only where the token had expired, with which nothing happens.

        Raises:
            AirbyteRefused: when the server answers that it will not.
            AirbyteUnreachable: when it is not clear whether it was done.
        """
        try:
            return self._ask(doing, call, kind)
        except AirbyteRefused as refused:
            if refused.status_code != httpx.codes.UNAUTHORIZED:
                raise
        return self._ask(doing, call, kind)  # the SDK has dropped its token, and signs in again

    def _ask(self, doing: str, call: Call, kind: type[Answer]) -> Answer:
        # The SDK's models refuse an answer for one value that a newer server has and they do not know, whatever else
        # it says. The body is there all the same, and we read it ourselves.
        try:
            body = call(self._sdk).raw_response.text
        except ResponseValidationError as unknown:
            body = unknown.body
        except SDKError as error:
            raise self._in_our_words(doing, error) from None
        except httpx.HTTPStatusError as error:  # of signing in, see `_check_sign_in`
            raise self._sign_in_failed(error.response) from None
        except (httpx.RequestError, ValueError) as problem:  # ValueError: a token in no JSON
            why = str(problem) or type(problem).__name__
            raise AirbyteUnreachable(f"{doing}: no clear answer from {self.url} ({why}). Is the server up?") from None
        try:
            return kind.model_validate_json(body)
        except ValidationError:
            raise AirbyteUnreachable(f"{doing}: nobody can read the answer of {self.url}.") from None

    def _in_our_words(self, doing: str, error: AirbyteAPIError) -> AirbyteRefused | AirbyteUnreachable:
        status, response = error.status_code, error.raw_response
        said = " ".join(error.body.split())
        for secret in (self.client_secret, response.request.headers.get("authorization", "").removeprefix("Bearer ")):
            said = said.replace(secret, "…") if secret else said
        what = f"{doing}: {self.url} answers {status}: {said[:LONGEST_QUOTE]}"
        if _may_pass(status):
            return AirbyteUnreachable(what, retry_after_seconds(response.headers))
        return AirbyteRefused(f"{what}{_ADVICE.get(status, '')}", status)

    def _sign_in_failed(self, response: httpx.Response) -> AirbyteRefused | AirbyteUnreachable:
        status = response.status_code
        what = f"Signing in to Airbyte: {self._token_url} answers {status}."
        if _may_pass(status):
            return AirbyteUnreachable(what, retry_after_seconds(response.headers))
        # without a status: a 401 or 404 of signing in is not the call's own
        if status in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED) or status < 400:
            return AirbyteRefused(
                f"{what} Is AIRBYTE_URL the public API's address? It ends with /v1 for Airbyte's cloud, and with"
                " /api/public/v1 for a server of one's own."
            )
        return AirbyteRefused(
            f"{what} Check AIRBYTE_CLIENT_ID and AIRBYTE_CLIENT_SECRET (or the block of AIRBYTE_BLOCK): they belong to"
            " one application, which Airbyte lists under User settings, Applications."
        )

    @property
    def _token_url(self) -> str:
        return f"{self.url}/applications/token"  # the SDK's default loses the path of `url`

    @cached_property
    def _sdk(self) -> AirbyteAPI:
        credentials = SchemeClientCredentials(
            client_id=self.client_id, client_secret=self.client_secret, token_url=self._token_url
        )
        client = httpx.Client(
            timeout=CALL_TIMEOUT_SECONDS,  # of signing in, which the SDK's own time limit leaves out
            # calls are half a minute apart: a connection that was kept would be found dead by the next one
            limits=httpx.Limits(max_keepalive_connections=0),
            event_hooks={"response": [self._check_sign_in]},
        )
        return AirbyteAPI(
            security=Security(client_credentials=credentials),
            server_url=self.url,
            client=client,
            timeout_ms=int(CALL_TIMEOUT_SECONDS * 1000),
        )

    def _check_sign_in(self, response: httpx.Response) -> None:
        """The SDK says of a failed sign-in no more than a sentence; with this, what it was."""
        if str(response.request.url) == self._token_url:
            response.raise_for_status()
            if "bearer" not in response.read().decode(errors="replace").lower():
                raise httpx.DecodingError("signing in brings no token", request=response.request)


def _may_pass(status: int) -> bool:
    """Whether the same call may be answered in a moment. 2xx: it was, but with what nobody can read."""
    return status in (408, 425, 429) or status >= 500 or status < 300


_ADVICE: dict[int, str] = {
    httpx.codes.UNAUTHORIZED: " It takes no token of this application: does Airbyte still list it under User settings,"
    " Applications?",
    httpx.codes.FORBIDDEN: " Give the application's user a role in the workspace that may run syncs.",
}
