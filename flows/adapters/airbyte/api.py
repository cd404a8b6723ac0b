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

from flows.adapters.server_api import RetryPolicy, ServerErrors, retry_after_seconds
from flows.errors import AirbyteRefused, AirbyteUnreachable, ServerRefused, ServerUnreachable

CALL_TIMEOUT_SECONDS = 60.0  # starting a sync takes a busy server tens of seconds
_ADVICE: dict[int, str] = {
    httpx.codes.UNAUTHORIZED: "It takes no token of this application: does Airbyte still list it under User settings,"
    " Applications?",
    httpx.codes.FORBIDDEN: "Give the application's user a role in the workspace that may run syncs.",
}

Call = Callable[[AirbyteAPI], Any]
Returned = TypeVar("Returned", bound=BaseModel)


@dataclass(frozen=True)
class AirbyteApi:
    """`url` is the public API's, without a slash at its end."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    retry: RetryPolicy

    def call_api(self, doing: str, deadline: float, call: Call, kind: type[Returned]) -> Returned:
        """The answer of a call that may be made any number of times. `doing` begins its error messages.

        Raises:
            AirbyteRefused: when the server answers that it will not.
            AirbyteUnreachable: when there was no clear answer until the deadline.
        """
        return self.retry.retry_until(deadline, lambda: self.call_api_once(doing, call, kind))

    def call_api_once(self, doing: str, call: Call, kind: type[Returned]) -> Returned:
        """The answer of a call that is made once; twice only where the token had expired, with which nothing happens.

        Raises:
            AirbyteRefused: when the server answers that it will not.
            AirbyteUnreachable: when it is not clear whether it was done.
        """
        try:
            return self._call_api(doing, call, kind)
        except AirbyteRefused as refused:
            if refused.status_code != httpx.codes.UNAUTHORIZED:
                raise
        return self._call_api(doing, call, kind)  # the SDK has dropped its token, and signs in again

    def _call_api(self, doing: str, call: Call, kind: type[Returned]) -> Returned:
        # The SDK's models refuse an answer for one value that a newer server has and they do not know, whatever else
        # it contains. The body is available, and we read it ourselves.
        try:
            body = call(self._sdk).raw_response.text
        except ResponseValidationError as unknown:
            body = unknown.body
        except SDKError as error:
            raise self._to_our_error(doing, error) from None
        except httpx.HTTPStatusError as error:  # of signing in, see `_check_sign_in`
            raise self._sign_in_failed(error.response) from None
        except (httpx.RequestError, ValueError) as problem:  # ValueError: a token in no JSON
            raise self._errors.of_silence(doing, problem) from None
        try:
            return kind.model_validate_json(body)
        except ValidationError:
            raise self._errors.of_unreadable(doing) from None

    @cached_property
    def _errors(self) -> ServerErrors:
        secrets = (self.client_secret,)
        return ServerErrors(self.url, AirbyteRefused, AirbyteUnreachable, secrets, advice=_ADVICE)

    def _to_our_error(self, doing: str, error: AirbyteAPIError) -> ServerRefused | ServerUnreachable:
        response = error.raw_response
        token = response.request.headers.get("authorization", "").removeprefix("Bearer ")
        return self._errors.from_response(doing, error.status_code, error.body, response.headers, token)

    def _sign_in_failed(self, response: httpx.Response) -> AirbyteRefused | AirbyteUnreachable:
        status = response.status_code
        what = f"Signing in to Airbyte: {self._token_url} answers {status}."
        if self._errors.is_passing(status):
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
        """The SDK reports a failed sign-in by a sentence only; this raises its cause."""
        if str(response.request.url) == self._token_url:
            response.raise_for_status()
            if "bearer" not in response.read().decode(errors="replace").lower():
                raise httpx.DecodingError("signing in brings no token", request=response.request)
