"""Who may call: holders of an API key, and IAM roles that a gateway has verified."""

import hmac
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

log = logging.getLogger(__name__)

KEY_HEADER = "x-api-key"
MIN_KEY_LENGTH = 24
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_HOST = re.compile(r":\d+$")
REFRESH_AFTER = timedelta(minutes=5)
# an unknown key may have been added a moment ago; but reading the secret for every wrong key would allow a flood of
# calls
REFRESH_FOR_UNKNOWN_AFTER = timedelta(seconds=15)


class KeysRefused(Exception):
    """API keys that cannot be read or used. The message never contains a key."""


def read_keys(text: str) -> dict[bytes, str]:
    """The digests of keys with their holders, from a JSON object such as {"shop": "key", "crm": ["new", "old"]}.

    Raises:
        KeysRefused: naming the holder whose key does not fit.
    """
    form = 'write a JSON object of holders and keys, such as {"shop-backend": "…", "crm": ["new key", "old key"]}'
    try:
        given = json.loads(text)
    except ValueError:
        raise KeysRefused(f"The API keys are not JSON: {form}.") from None
    if not isinstance(given, dict) or not given:
        raise KeysRefused(f"There are no API keys: {form}.")
    digests: dict[bytes, str] = {}
    for holder, keys in given.items():
        for key in keys if isinstance(keys, list) else [keys]:
            if not isinstance(key, str) or len(key) < MIN_KEY_LENGTH or not key.isascii() or not key.isprintable():
                # a long name may be a key in the wrong place
                whose = holder if len(holder) < MIN_KEY_LENGTH else "a holder with a long name"
                raise KeysRefused(
                    f"A key of {whose} is not fit: use at least {MIN_KEY_LENGTH} random printable ASCII characters."
                )
            digests[sha256(key.encode()).digest()] = holder
    return digests


@dataclass
class ApiKeys:
    """The keys in the text that `source` returns; read again from time to time, so that they can be rotated."""

    source: Callable[[], str]
    clock: Callable[[], datetime]
    _digests: dict[bytes, str] = field(default_factory=dict, repr=False)
    _read_at: datetime | None = None

    def holder(self, key: str) -> str | None:
        """The holder of the key; None for an unknown key. Comparison takes constant time.

        Raises:
            KeysRefused: when the keys have never been readable.
        """
        self._refresh(REFRESH_AFTER)
        holder = self._find(key)
        if holder is None and self._refresh(REFRESH_FOR_UNKNOWN_AFTER):
            holder = self._find(key)
        return holder

    def _find(self, key: str) -> str | None:
        digest, found = sha256(key.encode("utf-8", "surrogateescape")).digest(), None
        for known, holder in self._digests.items():
            if hmac.compare_digest(known, digest):
                found = holder
        return found

    def _refresh(self, after: timedelta) -> bool:
        at = self.clock()
        if self._read_at is not None and at - self._read_at < after:
            return False
        try:
            self._digests = read_keys(self.source())
        except Exception as problem:
            if self._read_at is None:
                raise KeysRefused(f"The API keys cannot be read: {problem}") from problem
            log.error(
                "the API keys could not be read again; the former ones stay valid", extra={"problem": str(problem)}
            )
        self._read_at = at
        return True


@dataclass(frozen=True)
class Access:
    """`keys` None: everyone may call, which only a server on the loopback interface allows.

    `trusted_roles`: ARNs, without paths, of IAM roles whose calls of `/snowflake` a gateway with IAM authorisation has
    verified.
    """

    keys: ApiKeys | None
    trusted_roles: frozenset[str] = frozenset()

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
        key = headers.get(KEY_HEADER)
        return self.keys.holder(key) if key else None


def _role_that_signed(event: Mapping[str, Any]) -> str | None:
    """The ARN of the role whose signature the gateway has checked: API Gateway, not the caller, writes it there."""
    context = event.get("requestContext") or {}
    iam = (context.get("authorizer") or {}).get("iam") or {}
    arn = str(iam.get("userArn") or (context.get("identity") or {}).get("userArn") or "")
    # arn:aws:sts::123456789012:assumed-role/NAME/SESSION is a session of arn:aws:iam::123456789012:role/NAME
    kind, _, rest = arn.partition(":assumed-role/")
    return f"{kind.replace(':sts:', ':iam:')}:role/{rest.split('/')[0]}" if rest else arn or None
