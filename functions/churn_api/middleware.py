"""What every request passes: its key, size, type and encoding are checked, and its outcome is logged."""

import logging
import math
import os
import time
import zlib
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from functions.churn_api.access import KEY_HEADER, Access, KeysRefused
from functions.churn_api.asgi import App, Receive, Scope, Send, send_json
from functions.churn_api.telemetry import RequestNotes, log_request, request_id

log = logging.getLogger(__name__)

_SEND_A_KEY = f"Send a valid API key in the header {KEY_HEADER}, or as Authorization: Bearer."
MAX_BODY_BYTES = 6 * 1024 * 1024
MAX_GZIP_MEMBERS = 100
ROUTES = frozenset({"/predict", "/snowflake", "/health", "/model", "/docs", "/openapi.json"})
TAKE_A_BODY = frozenset({"/predict", "/snowflake"})
OPEN_TO_ALL = frozenset({"/health", "/docs", "/openapi.json"})


class RequestRefused(Exception):
    """A request that is answered with an error instead of being handled."""

    def __init__(self, status: int, why: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(why)
        self.status, self.why, self.headers = status, why, headers


@dataclass
class RequestMiddleware:
    """ASGI middleware: authenticates, limits and logs each request before `app` handles it."""

    app: App
    access: Access
    model_version: str
    clock: Callable[[], datetime]
    _first: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        if scope["path"].startswith("/v1/"):
            scope["path"] = scope["path"].removeprefix("/v1")
        method = scope["method"]
        if method == "HEAD" and scope["path"] not in TAKE_A_BODY:
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        cold_start, self._first = self._first, False
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        notes = RequestNotes(request_id(headers, scope.get("aws.context"), os.urandom(8).hex()))
        scope["notes"] = notes
        status = 0

        async def send_with_id(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", notes.request_id.encode())]
            await send(message)

        try:
            notes.caller = self._authenticate(scope, headers)
            if scope["method"] == "POST" and scope["path"] in TAKE_A_BODY:
                scope["body"] = await _whole_body(headers, receive)
                receive = _replaying(scope["body"], receive)
            await self.app(scope, receive, send_with_id)
        except RequestRefused as refused:
            body = msgspec.json.encode({"detail": refused.why})
            await send_json(send_with_id, refused.status, body, refused.headers)
        except Exception:
            log.exception("a request failed", extra={"request_id": notes.request_id})
            if not status:
                await send_json(send_with_id, 500, internal_error(notes.request_id))
        finally:
            log_request(
                notes,
                route=scope["path"] if scope["path"] in ROUTES else "other",
                method=method,
                status=status,
                seconds=time.perf_counter() - started,
                cold_start=cold_start,
                at=self.clock(),
                model_version=self.model_version,
            )

    def _authenticate(self, scope: Scope, headers: Mapping[str, str]) -> str | None:
        if "aws.event" not in scope and (
            "host" not in headers or (len(headers) < len(scope["headers"]) and _hosts(scope) != 1)
        ):
            raise RequestRefused(400, "Send one Host header.")
        if scope["path"] in OPEN_TO_ALL:
            return None
        try:
            caller = self.access.caller(scope, headers)
        except KeysRefused as problem:
            log.error("no request can be authenticated", extra={"problem": str(problem)})
            raise RequestRefused(
                503, "The API keys cannot be read at the moment; try again later.", (b"retry-after", b"15")
            ) from None
        if caller is None:
            raise RequestRefused(401, _SEND_A_KEY, (b"www-authenticate", b'Bearer realm="churn"'))
        wait = self.access.seconds_to_wait(caller)
        if wait:
            seconds = b"%d" % math.ceil(wait)
            raise RequestRefused(429, "Too many requests with this key; try again later.", (b"retry-after", seconds))
        return caller


def internal_error(request_id: str) -> bytes:
    """The response to a request that failed through no fault of the caller."""
    return msgspec.json.encode({"detail": f"This failed on our side; the log has it as {request_id}."})


async def _whole_body(headers: Mapping[str, str], receive: Receive) -> bytes:
    """The body, decompressed and of allowed size and type."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RequestRefused(415, f"The content-type is {kind[:100] or 'missing'}; send application/json.")
    declared = headers.get("content-length", "")
    if declared.isdecimal() and len(declared) < 20 and int(declared) > MAX_BODY_BYTES:
        raise _too_large()
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestRefused(400, "The connection was closed before the whole body was there.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            raise _too_large()
        more = message.get("more_body", False)
    return _decompressed(b"".join(parts), headers.get("content-encoding", "identity").lower())


def _hosts(scope: Scope) -> int:
    return sum(name == b"host" for name, _ in scope["headers"])


def _without_body(send: Send) -> Send:
    """For HEAD: the headers of the response to GET, and nothing else."""

    async def headers_only(message: MutableMapping[str, Any]) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return headers_only


def _replaying(body: bytes, receive: Receive) -> Receive:
    whole = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> MutableMapping[str, Any]:
        return whole.pop() if whole else await receive()

    return replay


def _decompressed(body: bytes, encoding: str) -> bytes:
    if encoding == "identity":
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise RequestRefused(
            415, f"The content-encoding is {encoding[:100]}; send gzip, or none.", (b"accept-encoding", b"gzip")
        )
    parts: list[bytes] = []
    left = MAX_BODY_BYTES
    while body or not parts:  # gzip may be several members, one after the other
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            parts.append(unpacker.decompress(body, left + 1))
        except zlib.error:
            raise RequestRefused(400, "The body is not gzip, as its content-encoding declares.") from None
        left -= len(parts[-1])
        if left < 0 or len(parts) > MAX_GZIP_MEMBERS:
            raise _too_large()
        if not unpacker.eof:
            raise RequestRefused(400, "The body ends before its gzip stream does.")
        body = unpacker.unused_data
    return b"".join(parts)


def _too_large() -> RequestRefused:
    return RequestRefused(413, f"The body is larger than {MAX_BODY_BYTES:,} bytes; send fewer customers at a time.")
