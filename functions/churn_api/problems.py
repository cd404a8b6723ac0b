"""Refusals as problem details (RFC 9457). A refusal's `code` stays the same; its words may change."""

import json
from collections.abc import Sequence
from typing import Any, Literal, get_args

Code = Literal[
    "request_unreadable", "host_missing", "host_not_local", "key_invalid", "not_found", "method_not_allowed",
    "request_timeout", "body_too_large", "media_type_unsupported", "body_invalid", "too_many_requests",
    "headers_too_large", "internal_error", "not_stored", "keys_unreadable", "too_many_connections",
    "not_ready", "job_unfinished", "too_many_jobs",
]  # fmt: skip
CODES: tuple[Code, ...] = get_args(Code)
MEDIA_TYPE = "application/problem+json"

_KINDS: dict[Code, tuple[int, str]] = {
    "request_unreadable": (400, "The request cannot be read"),
    "host_missing": (400, "The request has no host, or several"),
    "host_not_local": (403, "The server answers this machine only"),
    "key_invalid": (401, "No valid API key"),
    "not_found": (404, "There is no such path"),
    "method_not_allowed": (405, "The path does not take this method"),
    "request_timeout": (408, "The request did not arrive in time"),
    "body_too_large": (413, "The body is too large"),
    "media_type_unsupported": (415, "The body is of a type or encoding that is not taken"),
    "body_invalid": (422, "The body does not fit"),
    "too_many_requests": (429, "Too many requests with this key"),
    "headers_too_large": (431, "The head of the request is too large"),
    "internal_error": (500, "The request failed on our side"),
    "not_stored": (503, "The prediction could not be stored"),
    "keys_unreadable": (503, "The API keys cannot be read"),
    "too_many_connections": (503, "Too many connections"),
    "job_unfinished": (409, "The job is not done"),
    "too_many_jobs": (503, "Too many jobs"),
    "not_ready": (503, "The service is not ready"),
}


class Refused(Exception):
    """A request that is answered with a problem instead of being handled.

    `headers` are sent with it. `errors`: what does not fit in a body, each with pointer, detail and code.
    """

    def __init__(
        self, code: Code, detail: str, *headers: tuple[bytes, bytes], errors: Sequence[dict[str, Any]] = ()
    ) -> None:
        super().__init__(detail)
        self.code, self.detail, self.headers, self.errors = code, detail, headers, errors

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _KINDS[self.code][0]

    def body(self) -> bytes:
        """As JSON. Whatever a caller has called a field can be written in ASCII."""
        status, title = _KINDS[self.code]
        about = {"type": f"urn:churn-api:problem:{self.code}", "title": title, "status": status, "detail": self.detail}
        return json.dumps(about | {"code": self.code} | ({"errors": self.errors} if self.errors else {})).encode()


def codes_of(status: int) -> list[Code]:
    """The codes that have this HTTP status."""
    return [code for code in CODES if _KINDS[code][0] == status]


def pointer(path: Sequence[str | int]) -> str:
    """The JSON pointer (RFC 6901) to a place in a body; the whole body is ""."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
