"""Calls of Tableau's REST API through its SDK, tableauserverclient, each made until it is answered.

Parts of the SDK that hide errors are not used: its version stays silently at 2.4 when the server does not respond, its
query sets take any refusal for an empty list, and its errors lose the Retry-After header."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from xml.etree.ElementTree import ParseError

import requests
import tableauserverclient as tsc
from tableauserverclient.server.endpoint.exceptions import (
    InternalServerError,
    NonXMLResponseError,
    RedirectError,
    XMLError,
)
from tableauserverclient.server.exceptions import EndpointUnavailableError, ServerInfoEndpointNotFoundError

from flows.adapters.server_api import MAY_PASS, RetryPolicy, ServerErrors
from flows.errors import ServerRefused, ServerUnreachable, TableauRefused, TableauUnreachable

log = logging.getLogger(__name__)

NEEDED_VERSION = "3.13"  # Server 2021.3: the first whose live-to-Hyper sources the SDK can update
PATIENCE_SECONDS = 300.0  # for an answer that needs no work of the server
CONNECT_SECONDS = 30.0
_MAY_PASS = MAY_PASS | {409, 423}  # 409: another job has what we want to change
_ADVICE: dict[int, str] = {
    403: "The token's owner needs the site role Creator, and on the project the capabilities View and Publish; on what"
    " is there already: Overwrite and Connect.",
    413: "The file is too big for the server, or for a proxy before it: send it in smaller pieces with"
    " TSC_FILESIZE_LIMIT_MB=1 and TSC_CHUNK_SIZE_MB=5, or have their limit raised.",
}

Returned = TypeVar("Returned")
Call = Callable[[tsc.Server], Returned]


@dataclass
class TableauApi:
    """A session with the server, started by the first call and renewed when it has expired.

    `url` has no slash at its end.
    """

    url: str
    site: str
    token_name: str
    token_secret: str = field(repr=False)
    request_timeout_seconds: float
    retry: RetryPolicy
    secrets: tuple[str, ...] = field(default=(), repr=False)  # more that no message may show
    _server: tsc.Server | None = field(default=None, init=False, repr=False)
    _last: requests.Response | None = field(default=None, init=False, repr=False)

    def call_api(self, doing: str, call: Call[Returned], deadline: float | None = None) -> Returned:
        """The answer of a call that may be made any number of times. `doing` begins its error messages.

        Raises:
            TableauRefused: when the server answers that it will not.
            TableauUnreachable: when there was no clear answer until the deadline.
        """
        deadline = self.retry.deadline(PATIENCE_SECONDS) if deadline is None else deadline
        return self.retry.retry_until(deadline, lambda: self._call_in_session(doing, call))

    def has_version(self, version: str) -> bool:
        """Whether the server's REST API is that new. Call it after a first call."""
        return self._server is not None and bool(self._server.check_at_least_version(version))

    @property
    def last_status(self) -> int | None:
        """Of the last answer, if there was one."""
        return None if self._last is None else self._last.status_code

    def sign_out(self) -> None:
        """Ends the session, if there is one; a server that does not hear it ends it by itself."""
        if self._server is None:
            return
        try:
            self._server.auth.sign_out()
        except Exception as problem:  # nothing depends on it
            log.info(
                "Tableau did not hear that we sign out: %s", self._errors.redacted(str(problem), self._session_token)
            )
        self._server.close()
        self._server = None

    def _call_in_session(self, doing: str, call: Call[Returned]) -> Returned:
        if self._server is None:
            self._server = self._sign_in()
        try:
            return self._call_api(doing, self._server, call)
        except TableauRefused as refused:
            if refused.status_code != requests.codes.unauthorized:
                raise
        log.info("Tableau's session has expired: signing in again")
        self._server.close()
        self._server = None
        self._server = self._sign_in()
        try:
            return self._call_api(doing, self._server, call)
        except TableauRefused as refused:
            if refused.status_code != requests.codes.unauthorized:
                raise
            raise TableauRefused(
                f"{refused} Even a new session ended at once: does another installation sign in with the same token?"
                " Each sign-in ends the session before. Make a token for each.",
                refused.status_code,
            ) from None

    def _sign_in(self) -> tsc.Server:
        server = tsc.Server(  # type: ignore[no-untyped-call]
            self.url,
            http_options={"timeout": (CONNECT_SECONDS, self.request_timeout_seconds)},
            session_factory=self._new_session,
        )
        info = self._call_api("Asking Tableau for its version", server, lambda it: it.server_info.get())
        version = str(info.rest_api_version) if info else ""
        if not version.replace(".", "").isdigit():
            raise self._errors.of_unreadable("Asking Tableau for its version")
        server.version = version
        if not server.check_at_least_version(NEEDED_VERSION):
            raise TableauRefused(
                f"{self.url} supports version {version} of the REST API; {NEEDED_VERSION} is needed: Tableau Cloud,"
                " or Tableau Server 2021.3 and later."
            )
        token = tsc.PersonalAccessTokenAuth(self.token_name, self.token_secret, self.site)
        try:
            self._call_api("Signing in to Tableau", server, lambda it: it.auth.sign_in(token))
        except TableauRefused as refused:
            if refused.status_code == requests.codes.unauthorized:
                raise TableauRefused(
                    f"{refused} Check TABLEAU_TOKEN_NAME and TABLEAU_TOKEN_SECRET (or the block of TABLEAU_BLOCK) and"
                    f" TABLEAU_SITE={self.site}: the token is made on that site, under My Account Settings, and ends"
                    " after 15 days without use, at its date, or when somebody revokes it."
                ) from None  # without a status: a 401 of signing in is not the call's own
            raise
        return server

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.hooks["response"].append(self._note)
        return session

    def _note(self, response: requests.Response, **_: Any) -> None:
        self._last = response

    def _call_api(self, doing: str, server: tsc.Server, call: Call[Returned]) -> Returned:
        self._last = None
        try:
            return call(server)
        except (XMLError, InternalServerError, NonXMLResponseError) as error:
            raise self._to_our_error(doing, error) from None
        except (ServerInfoEndpointNotFoundError, EndpointUnavailableError, RedirectError) as error:
            why = self._errors.redacted(str(error), self._session_token)
            raise TableauRefused(f"{doing}: {why} Is {self.url} a Tableau server?") from None
        except requests.RequestException as problem:
            raise self._errors.of_silence(doing, problem, self._session_token) from None
        except (ParseError, AttributeError, IndexError, ValueError, TypeError):
            if self._last is None:  # a mistake of ours
                raise
            raise self._errors.of_unreadable(doing) from None

    @cached_property
    def _errors(self) -> ServerErrors:
        secrets = (self.token_secret, *self.secrets)
        return ServerErrors(self.url, TableauRefused, TableauUnreachable, secrets, _MAY_PASS, _ADVICE)

    @property
    def _session_token(self) -> str:
        return "" if self._last is None else str(self._last.request.headers.get("x-tableau-auth", ""))

    def _to_our_error(self, doing: str, error: Exception) -> ServerRefused | ServerUnreachable:
        response = self._last
        assert response is not None  # the SDK raises these of answers only
        response_text = response.text
        if isinstance(error, XMLError) and error.code:
            response_text = f"({error.code}) {error.summary}: {error.detail}"
        return self._errors.from_response(
            doing, response.status_code, response_text, response.headers, self._session_token
        )
