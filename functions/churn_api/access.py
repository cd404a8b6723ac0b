"""Who may call: holders of an API key, and IAM roles that a gateway has verified."""

import hmac
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

log = logging.getLogger(__name__)

KEY_HEADER = "x-api-key"
MIN_KEY_LENGTH = 24
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_HOST = re.compile(r":\d+$")
REFRESH_SECONDS = 5 * 60.0
# an unknown key may have been added a moment ago; but reading the secret for every wrong key would allow a flood of
# calls
REFRESH_FOR_UNKNOWN_SECONDS = 15.0
# keys that cannot be read again may have been revoked: after this long they are no longer accepted
MAX_AGE_SECONDS = 3_600.0
# of each holder; a holder who was silent may send as many as BURST at once
REQUESTS_PER_SECOND, BURST = 100.0, 1_000.0
# a request counts once more for each so many bytes of its body, unpacked: large ones take as much longer
BYTES_PER_REQUEST = 250_000


class KeysRefused(Exception):
    """API keys that cannot be read or used. The message never contains a key."""


def read_keys(text: str) -> dict[bytes, str]:
    """The digests of keys with their holders, from a JSON object such as {"shop": "key", "crm": ["new", "old"]}.

    Raises:
        KeysRefused: naming the holder whose key does not fit.
    """
    form = 'write a JSON object of holders and keys, such as {"shop-backend": "…", "crm": ["new key", "old key"]}'
    try:
        given = json.loads(text, object_pairs_hook=_without_repetition)
    except KeysRefused:
        raise
    except ValueError:
        raise KeysRefused(f"The API keys are not JSON: {form}.") from None
    if not isinstance(given, dict) or not given:
        raise KeysRefused(f"There are no API keys: {form}.")
    digests: dict[bytes, str] = {}
    for holder, keys in given.items():
        # a long name may be a key in the wrong place
        whose = holder if len(holder) < MIN_KEY_LENGTH else "a holder with a long name"
        if keys == []:
            raise KeysRefused(f"There is no key of {whose}: write one, or leave the holder out.")
        for key in keys if isinstance(keys, list) else [keys]:
            if not isinstance(key, str) or len(key) < MIN_KEY_LENGTH or not key.isascii() or not key.isprintable():
                raise KeysRefused(
                    f"A key of {whose} is not fit: use at least {MIN_KEY_LENGTH} random printable ASCII characters."
                )
            if key != key.strip():
                raise KeysRefused(f"A key of {whose} begins or ends with white space, which callers cannot send.")
            digest = sha256(key.encode()).digest()
            if digest in digests:
                raise KeysRefused(f"A key of {whose} is written twice: give each holder keys of their own.")
            digests[digest] = holder
    return digests


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise KeysRefused("A holder of API keys is written twice: write both keys in one list.")
    return dict(pairs)


@dataclass
class ApiKeys:
    """The keys in the text that `source` returns; read again from time to time, so that they can be rotated.

    `clock`: seconds that only ever grow, whatever is set on the machine's clock."""

    source: Callable[[], str]
    clock: Callable[[], float] = time.monotonic
    _digests: dict[bytes, str] = field(default_factory=dict, repr=False)
    _tried_at: float | None = None
    _read_at: float | None = None

    def holder(self, key: str) -> str | None:
        """The holder of the key; None for an unknown key. Comparison takes constant time.

        Raises:
            KeysRefused: when the keys have never been readable, or not for an hour.
        """
        self._refresh(REFRESH_SECONDS)
        holder = self._find(key)
        if holder is None and self._refresh(REFRESH_FOR_UNKNOWN_SECONDS):
            holder = self._find(key)
        return holder

    def _find(self, key: str) -> str | None:
        digest, found = sha256(key.encode("utf-8", "surrogateescape")).digest(), None
        for known, holder in self._digests.items():
            if hmac.compare_digest(known, digest):
                found = holder
        return found

    def _refresh(self, seconds: float) -> bool:
        at = self.clock()
        has_none = self._read_at is None or at - self._read_at >= MAX_AGE_SECONDS
        if self._tried_at is not None and at - self._tried_at < (REFRESH_FOR_UNKNOWN_SECONDS if has_none else seconds):
            if has_none:
                raise KeysRefused("The API keys could not be read a moment ago.")
            return False
        self._tried_at = at
        try:
            self._digests = read_keys(self.source())
        except Exception as problem:
            if has_none:
                raise KeysRefused(f"The API keys cannot be read: {problem}") from problem
            log.error("the API keys could not be read again; the former ones stay valid for an hour at most",
                      extra={"problem": str(problem)})  # fmt: skip
        else:
            self._read_at = at
        return True


@dataclass
class Rate:
    """How often each holder may call, so that none starves the others."""

    clock: Callable[[], float] = time.monotonic
    per_second: float = REQUESTS_PER_SECOND
    burst: float = BURST
    _free_at: dict[str, float] = field(default_factory=dict)

    def seconds_to_wait(self, holder: str) -> float:
        """0 for a call that is allowed, and counted."""
        at = self.clock()
        free_at = max(self._free_at.get(holder, at), at)
        if free_at - at > (self.burst - 1) / self.per_second:
            return free_at - at - (self.burst - 1) / self.per_second
        self._free_at[holder] = free_at + 1 / self.per_second
        return 0.0

    def count_body(self, holder: str, size: int) -> None:
        """Counts the body of the holder's last request."""
        if more := size // BYTES_PER_REQUEST:
            self._free_at[holder] = self._free_at.get(holder, self.clock()) + more / self.per_second


@dataclass(frozen=True)
class Access:
    """`keys` None: everyone may call, which only a server on the loopback interface allows.

    `trusted_roles`: ARNs, without paths, of IAM roles whose calls of `/snowflake` a gateway with IAM authorisation has
    verified.
    """

    keys: ApiKeys | None
    trusted_roles: frozenset[str] = frozenset()
    rate: Rate = field(default_factory=Rate)

    def caller(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
        """The name of the caller; None: access is denied.

        Raises:
            KeysRefused: when the keys cannot be read.
        """
        if self.keys is None:
            # DNS rebinding: a page of another site whose name points here is not this machine
            return "loopback" if _HOST.sub("", headers.get("host", "")).strip("[]") in LOOPBACK else None
        role = _role_that_signed(scope.get("aws.event") or {})
        if role in self.trusted_roles and scope["path"] == "/snowflake":
            return role
        key = headers.get(KEY_HEADER, "").strip(" \t") or _bearer(headers.get("authorization", ""))
        return self.keys.holder(key) if key else None

    def problem(self) -> str | None:
        """Why nobody can be let in at the moment; None when keys are known, or none are needed."""
        try:
            if self.keys is not None:
                self.keys.holder("")
        except KeysRefused as problem:
            return str(problem)
        return None

    def seconds_to_wait(self, caller: str) -> float:
        """0, or how long this holder of a key has to wait. A server without keys has one caller, who may do anything; a
        role is held back by its gateway."""
        return self.rate.seconds_to_wait(caller) if self._has_a_rate(caller) else 0.0

    def count_body(self, caller: str, size: int) -> None:
        """Counts a body of so many bytes for the caller's rate."""
        if self._has_a_rate(caller):
            self.rate.count_body(caller, size)

    def _has_a_rate(self, caller: str) -> bool:
        return self.keys is not None and caller not in self.trusted_roles


def _bearer(authorization: str) -> str:
    scheme, _, key = authorization.strip(" \t").partition(" ")
    return key.strip(" \t") if scheme.lower() == "bearer" else ""


def _role_that_signed(event: Mapping[str, Any]) -> str | None:
    """The ARN of the role whose signature the gateway has checked: API Gateway, not the caller, writes it there."""
    context = event.get("requestContext") or {}
    iam = (context.get("authorizer") or {}).get("iam") or {}
    arn = str(iam.get("userArn") or (context.get("identity") or {}).get("userArn") or "")
    # arn:aws:sts::123456789012:assumed-role/NAME/SESSION is a session of arn:aws:iam::123456789012:role/NAME
    kind, _, rest = arn.partition(":assumed-role/")
    return f"{kind.replace(':sts:', ':iam:')}:role/{rest.split('/')[0]}" if rest else arn or None
