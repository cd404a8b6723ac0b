"""uvicorn with bounds on what a caller may send, and how slowly, before and after its key is known.

With the parser that makes it fast, uvicorn bounds neither the size of headers nor how long a request takes to arrive.
"""

import asyncio
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from functions.churn_api.asgi import App
from functions.churn_api.job_routes import MAX_JOB_BYTES
from functions.churn_api.problems import MEDIA_TYPE, Refused

MAX_HEADERS, MAX_HEAD_BYTES = 100, 64 * 1024
MAX_REQUEST_BYTES = 8 * 1024 * 1024  # a little more than the largest body, whatever is around it
MAX_UPLOAD_BYTES = MAX_JOB_BYTES + 1024 * 1024
HEAD_SECONDS, REQUEST_SECONDS, RESPONSE_SECONDS = 10.0, 60.0, 60.0
IDLE_SECONDS = 5
GRACE_SECONDS = 10
MAX_CONNECTIONS = 1_000
# descriptors that connections leave: those in the backlog, which are accepted all at once, and our own files
BACKLOG, OWN_DESCRIPTORS = 64, 64


class _TooManyHeaders(Exception):
    pass


class BoundedProtocol(HttpToolsProtocol):
    """A connection. What exceeds a bound is answered with 408, 431 or 503, if it can be, and closed."""

    max_connections = MAX_CONNECTIONS
    check_every_seconds = 1.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_bytes = self._request_bytes = 0
        self._begun: float | None = self.loop.time()  # when the request that is being received began
        self._has_head = False
        self._write_blocked: float | None = None
        self._upgrading = False
        self._check: asyncio.TimerHandle | None = None
        if len(self.connections) > self.max_connections:
            why = "There are too many connections; try again later."
            self._refuse(Refused("too_many_connections", why, (b"retry-after", b"1")))
        else:
            self._check = self.loop.call_later(self.check_every_seconds, self._check_time)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._check is not None:
            self._check.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._begun is None:
            self._begin()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._stay(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError as problem:
            if isinstance(problem.__context__, _TooManyHeaders):
                self._refuse(Refused("headers_too_large", f"The request has more than {MAX_HEADERS} headers."))
            else:
                self._refuse(Refused("request_unreadable", "The request is not HTTP/1.1."))
            return
        if self._begun is not None:
            self._count(len(data))

    def _begin(self) -> None:
        self._begun, self._has_head, self._head_bytes, self._request_bytes = self.loop.time(), False, 0, 0

    def _count(self, size: int) -> None:
        self._request_bytes += size
        if not self._has_head:
            self._head_bytes += size
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(Refused("headers_too_large", f"The headers are larger than {MAX_HEAD_BYTES:,} bytes."))
        elif self._request_bytes > (MAX_UPLOAD_BYTES if self.url.endswith(b"/jobs") else MAX_REQUEST_BYTES):
            self.transport.close()  # the response to a body that is too large is sent already

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= MAX_HEADERS:
            raise _TooManyHeaders
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._has_head = True
        self._upgrading = self.parser.should_upgrade()
        if not self._upgrading:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self._upgrading:
            self._begun = None
            super().on_message_complete()

    def _stay(self, rest: bytes) -> None:
        """Goes on in HTTP/1.1 where a client offers another protocol, as the JDK's does: the parser stops there."""
        kept = [(name, value) for name, value in self.headers if name not in (b"connection", b"upgrade")]
        head = b"".join(b"%s: %s\r\n" % header for header in kept)
        self._upgrading = False
        self.parser, method = httptools.HttpRequestParser(self), self.parser.get_method()
        self.data_received(b"%s %s HTTP/1.1\r\n%s\r\n%s" % (method, self.url, head, rest))

    def pause_writing(self) -> None:
        self._write_blocked = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._write_blocked = None
        super().resume_writing()

    def _check_time(self) -> None:
        now = self.loop.time()
        if self._write_blocked is not None and now - self._write_blocked > RESPONSE_SECONDS:
            self.transport.abort()
            return
        limit = REQUEST_SECONDS if self._has_head else HEAD_SECONDS
        if self._begun is not None and now - self._begun > limit and not self.transport.is_closing():
            self._refuse(Refused("request_timeout", f"The request was not whole after {limit:.0f} seconds."))
        self._check = self.loop.call_later(self.check_every_seconds, self._check_time)

    def _refuse(self, problem: Refused) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None or not self.cycle.response_started or self.cycle.response_complete:
            body = problem.body()
            headers = [
                (b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(body)),
                (b"connection", b"close"), *problem.headers,
            ]  # fmt: skip
            head = b"".join(b"%s: %s\r\n" % header for header in headers)
            self.transport.write(STATUS_LINE[problem.status] + head + b"\r\n" + body)
        self.transport.close()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, which sends this process the signal once more at the end: nothing could be done after that."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def run(app: App, host: str, port: int) -> None:
    """Serves until SIGINT or SIGTERM, and returns; requests that are not answered then have GRACE_SECONDS."""
    _keep_freed_memory()
    BoundedProtocol.max_connections = min(MAX_CONNECTIONS, _descriptors() - BACKLOG - OWN_DESCRIPTORS)
    config = uvicorn.Config(
        app, host=host, port=port, http=BoundedProtocol, ws="none", log_level="error", access_log=False,
        proxy_headers=False, server_header=False, backlog=BACKLOG, timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )  # fmt: skip
    _Server(config).run()


def _keep_freed_memory() -> None:
    """Has glibc keep what a large request leaves, for the next one.

    It would give it back to the kernel each time, and get it again page by page: a tenth of the time of a batch. It
    keeps twice as much as the largest block that was freed so far; this one is never touched, so it costs nothing."""
    bytes(MAX_REQUEST_BYTES)


def _descriptors() -> int:
    """How many files and connections this process may have, which is raised as far as it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, 2 * MAX_CONNECTIONS) if hard != resource.RLIM_INFINITY else 2 * MAX_CONNECTIONS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return soft if soft != resource.RLIM_INFINITY else 2 * MAX_CONNECTIONS
