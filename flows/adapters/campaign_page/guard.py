"""Who may use the page, and which requests came from it."""

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from functions.churn_api.access import Access, KeysRefused

COOKIE, TOKEN_HEADER = "campaign_page", "x-csrf-token"
SESSION_SECONDS = 12 * 3_600.0
MAX_SESSIONS = 500


class Denied(Exception):
    """A request that is not served: `key` of the page's texts."""

    def __init__(self, key: str, status: int) -> None:
        super().__init__(key)
        self.key, self.status = key, status


@dataclass(frozen=True)
class Session:
    """`key`: the API key that it was opened with; None until then, and where no keys are needed."""

    id: str
    until: float
    key: str | None = field(default=None, repr=False)


@dataclass
class Guard:
    """Sessions in memory: they end with the server. `clock`: seconds that only ever grow."""

    access: Access
    clock: Callable[[], float] = time.monotonic
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _sessions: dict[str, Session] = field(default_factory=dict, repr=False)

    def session(self, headers: Mapping[str, str]) -> Session | None:
        """The session that a request belongs to."""
        try:
            given = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return None
        found = self._sessions.get(given.value) if given else None
        return found if found and found.until > self.clock() else None

    def open(self, key: str | None = None) -> Session:
        """A new session; the oldest are forgotten."""
        at = self.clock()
        self._sessions = {name: one for name, one in self._sessions.items() if one.until > at}
        while len(self._sessions) >= MAX_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        session = Session(secrets.token_urlsafe(32), at + SESSION_SECONDS, key)
        self._sessions[session.id] = session
        return session

    def close(self, session: Session) -> None:
        """Signs out."""
        self._sessions.pop(session.id, None)

    def token(self, session: Session) -> str:
        """What only a page that was served to this session knows."""
        return hmac.new(self._secret, session.id.encode(), sha256).hexdigest()

    def caller(self, scope: Mapping[str, Any], headers: Mapping[str, str], session: Session | None) -> str:
        """The holder of the session's key, or of one in a header.

        Raises:
            Denied: with 401 where a key would help, 403 where the server was called by a strange name.
        """
        try:
            caller = self.access.caller(scope, headers)
            if caller is None and self.access.keys is not None and session and session.key:
                caller = self.access.keys.holder(session.key)
        except KeysRefused:
            raise Denied("keys_unreadable", 503) from None
        if caller is None:
            raise Denied("host_not_local", 403) if self.access.keys is None else Denied("key_needed", 401)
        if self.access.seconds_to_wait(caller):
            raise Denied("too_many_requests", 429)
        return caller

    def check_origin(self, headers: Mapping[str, str], session: Session | None) -> Session:
        """The session of a request that changes something, which must be sent by the page itself.

        Raises:
            Denied: when another site may have sent it.
        """
        origin, host = headers.get("origin", ""), headers.get("host", "")
        if not host or urlsplit(origin).netloc != host:
            raise Denied("foreign_origin", 403)
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise Denied("foreign_origin", 403)
        if session is None or not hmac.compare_digest(
            self.token(session).encode(), headers.get(TOKEN_HEADER, "").encode("utf-8", "replace")
        ):
            raise Denied("token_wrong", 403)
        return session


def cookie(session: Session, path: str, *, is_https: bool) -> str:
    """The Set-Cookie header of a session: no script reads it. Another site can only open a page with it, which changes
    nothing; with Strict, a link to the page would end the session of the one that is open."""
    secure = "; Secure" if is_https else ""
    return f"{COOKIE}={session.id}; Path={path}; Max-Age={SESSION_SECONDS:.0f}; HttpOnly; SameSite=Lax{secure}"
