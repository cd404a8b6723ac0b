"""What every request passes: its key, size, type and encoding are checked, and its outcome is logged."""

import logging
import math
import os
import time
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from functions.churn_api.access import KEY_HEADER, Access, KeysRefused
from functions.churn_api.asgi import App, Receive, Scope, Send, send_whole
from functions.churn_api.counts import Counts
from functions.churn_api.problems import MEDIA_TYPE, Refused
from functions.churn_api.request_body import CSV, JSON, whole_body
from functions.churn_api.telemetry import RequestNotes, log_request, request_id

log = logging.getLogger(__name__)

_SEND_A_KEY = f"Send a valid API key in the header {KEY_HEADER}, or as Authorization: Bearer."
_NOT_THIS_MACHINE = (
    "A server without API keys answers only requests that call it 127.0.0.1 or localhost. Set API_KEYS to let others"
    " call it, or by another name."
)
COLUMNS_PATH = "/predict/columns"
ROUTES = frozenset(
    {
        "/predict",
        COLUMNS_PATH,
        "/snowflake",
        "/health",
        "/ready",
        "/metrics",
        "/model",
        "/jobs",
        "/docs",
        "/openapi.json",
    }
)
METHODS = frozenset({"GET", "HEAD", "POST"})  # no caller makes a metric of their own
TAKE_A_BODY = {"/predict": (JSON, CSV), COLUMNS_PATH: (JSON,), "/snowflake": (JSON,)}
VERSION = "/v1/"
OPEN_TO_ALL = frozenset({"/health", "/ready", "/docs", "/openapi.json"})


@dataclass
class RequestMiddleware:
    """ASGI middleware: authenticates, limits and logs each request before `app` handles it.

    `base_path`: where the API is mounted; requests come with it, or without it from a proxy that takes it off.
    """

    app: App
    access: Access
    model_version: Callable[[], str]
    clock: Callable[[], datetime]
    base_path: str = ""
    counts: Counts = field(default_factory=Counts)
    _first: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        if scope["path"].startswith(self.base_path + "/"):
            scope["path"] = scope["path"].removeprefix(self.base_path)
        scope["is_versioned"] = scope["path"].startswith(VERSION)
        if scope["is_versioned"]:
            scope["path"] = scope["path"].removeprefix(VERSION[:-1])
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
                scope["body"], scope["body_type"] = await whole_body(TAKE_A_BODY[scope["path"]], headers, receive)
                if notes.caller is not None:
                    self.access.count_body(notes.caller, len(scope["body"]))
                scope["answer_type"] = _wanted(headers.get("accept", ""))
                receive = _replaying(scope["body"], receive)
            await self.app(scope, receive, send_with_id)
        except Refused as refused:
            await send_problem(send_with_id, refused)
        except Exception:
            log.exception("a request failed", extra={"request_id": notes.request_id})
            if not status:
                await send_problem(send_with_id, internal_error(notes.request_id))
        finally:
            seconds = time.perf_counter() - started
            route = _route(scope["path"])
            self.counts.note(route, method if method in METHODS else "other", status, seconds)
            self.counts.note_predictions(notes.probabilities, notes.not_stored, notes.refused_rows)
            log_request(
                notes,
                route=route,
                method=method,
                status=status,
                seconds=seconds,
                cold_start=cold_start,
                at=self.clock(),
                model_version=self.model_version(),
            )

    def _authenticate(self, scope: Scope, headers: Mapping[str, str]) -> str | None:
        if "aws.event" not in scope and (
            "host" not in headers or (len(headers) < len(scope["headers"]) and _hosts(scope) != 1)
        ):
            raise Refused("host_missing", "Send one Host header.")
        if scope["path"] in OPEN_TO_ALL or scope["path"].startswith("/docs/"):
            return None
        try:
            caller = self.access.caller(scope, headers)
        except KeysRefused as problem:
            log.error("no request can be authenticated", extra={"problem": str(problem)})
            raise Refused(
                "keys_unreadable",
                "The API keys cannot be read at the moment; try again later.",
                (b"retry-after", b"15"),
            ) from None
        if caller is None:
            if self.access.keys is None:
                raise Refused("host_not_local", _NOT_THIS_MACHINE)
            raise Refused("key_invalid", _SEND_A_KEY, (b"www-authenticate", b'Bearer realm="churn"'))
        wait = self.access.seconds_to_wait(caller)
        if wait:
            seconds = b"%d" % math.ceil(wait)
            raise Refused(
                "too_many_requests", "Too many requests with this key; try again later.", (b"retry-after", seconds)
            )
        return caller


def _route(path: str) -> str:
    """What logs and metrics call a path; columns are another way to write a request to /predict."""
    if path == COLUMNS_PATH:
        return "/predict"
    route = "/jobs" if path.startswith("/jobs/") else path
    return route if route in ROUTES else "other"


async def send_problem(send: Send, refused: Refused) -> None:
    """Sends a refusal."""
    await send_whole(send, refused.status, refused.body(), refused.headers, MEDIA_TYPE)


def internal_error(request_id: str) -> Refused:
    """The response to a request that failed through no fault of the caller."""
    return Refused("internal_error", f"This failed on our side; the log has it as {request_id}.")


def _wanted(accept: str) -> str:
    """The first media type of an Accept header that responses can have; JSON where there is none."""
    given = (kind.partition(";")[0].strip().lower() for kind in accept.split(","))
    return next((kind for kind in given if kind in (JSON, CSV)), JSON)


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
