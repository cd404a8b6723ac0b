"""What stand-ins for services with a JSON API share: they serve over HTTP on this machine, keep the requests that they
got, and let a test say what becomes of one."""

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    number: int  # from 1
    method: str
    path: str
    query: Mapping[str, str]
    body: Any  # of JSON


@dataclass(frozen=True)
class Answer:
    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


Intervention = Callable[[Request], Answer | None]
HANG_UP = Answer(0, {})
DO_AND_HANG_UP = Answer(-1, {})  # the request is carried out, but its response is lost
SERVER_ERROR = Answer(500, {"status": "error", "message": "internal error"})


def first(count: int, answer: Answer) -> Intervention:
    """This answer to the first requests."""
    return lambda request: answer if request.number <= count else None


def every(count: int, answer: Answer) -> Intervention:
    """This answer to every so manieth request."""
    return lambda request: None if request.number % count else answer


def at(number: int, act: Callable[[], object]) -> Intervention:
    """Does this before one request is answered."""

    def intervene(request: Request) -> None:
        if request.number == number:
            act()

    return intervene


class Refusal(Exception):
    """The service does not like a request."""

    def __init__(self, answer: Answer):
        super().__init__(answer)
        self.answer = answer


class JsonServer(ABC):
    """`requests` that it got, in their order. Several may be under way at the same time; they are carried out one after
    another."""

    media_type = "application/json"

    def __init__(self, intervene: Intervention = lambda request: None) -> None:
        self.intervene = intervene
        self.requests: list[Request] = []
        self._lock = threading.Lock()

    @abstractmethod
    def check(self, request: Request, headers: Mapping[str, str]) -> None:
        """Refuses a request for its headers."""

    @abstractmethod
    def route(self, request: Request, path: list[str]) -> Answer:
        """Carries out a request, or refuses it. path: its parts."""

    @contextmanager
    def serving(self) -> Iterator[str]:
        with ThreadingHTTPServer(("127.0.0.1", 0), _handler(self)) as server:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            try:
                yield f"http://127.0.0.1:{server.server_port}"
            finally:
                server.shutdown()

    def answer(self, method: str, url: str, body: Any, headers: Mapping[str, str]) -> Answer:
        parts = urlsplit(url)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        with self._lock:
            request = Request(len(self.requests) + 1, method, parts.path, query, body)
            self.requests.append(request)
            instead = self.intervene(request)
            if instead is not None and instead is not DO_AND_HANG_UP:
                return instead
            try:
                self.check(request, headers)
                answer = self.route(request, parts.path.strip("/").split("/"))
            except Refusal as refused:
                answer = refused.answer
        return HANG_UP if instead is DO_AND_HANG_UP else answer


def _handler(server: JsonServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave together: apart, the second waits for the first's receipt

        def do_POST(self):
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            answer = server.answer(self.command, self.path, body, self.headers)
            if answer is HANG_UP:
                self.close_connection = True
                return
            content = b"" if answer.status == 204 else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"content-type": server.media_type, **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_PATCH = do_POST  # noqa: N815

        def handle(self):
            with suppress(OSError):  # the caller was killed
                super().handle()

        def finish(self):
            with suppress(OSError):
                super().finish()

        def log_message(self, *_):
            pass

    return Handler
