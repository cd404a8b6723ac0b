"""A stand-in for Airbyte's server: the part of its public API that syncs need, as the SDK's strict models have it.

A job lives by being looked at: each look brings it one step on in its script. A token lives by being used. So nothing
here depends on time.
"""

import json
import re
import threading
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

from airbyte_api import models
from pydantic import BaseModel

BASE = "/api/public/v1"
ENDED = ("succeeded", "failed", "cancelled")
GOOD = ("pending", "running", "incomplete", "running", "succeeded")


@dataclass
class Fault:
    """What happens to the next request of a kind instead of, or after (`is_done`), what it asks for.

    `status` None: the connection is hung up, or (`is_slow`) answered only when the test is over.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"detail": "out of order"}'
    is_done: bool = False
    is_slow: bool = False


@dataclass
class Job:
    job_id: int
    connection_id: str
    kind: str
    script: deque[str]
    rows: int = 120

    @property
    def status(self) -> str:
        return self.script[0]

    def as_json(self) -> dict[str, Any]:
        known = {"jobId": self.job_id, "connectionId": self.connection_id, "jobType": self.kind, "status": self.status,
                 "startTime": "2026-06-30T02:00:05Z", "lastUpdatedAt": "2026-06-30T02:03:00Z"}  # fmt: skip
        if self.status != "pending":
            known |= {"duration": "PT2M5S", "rowsSynced": self.rows, "bytesSynced": self.rows * 10}
        return known


class AirbyteStandIn:
    """`started`: ids of the jobs that were requested over HTTP. `requests`: as `GET /jobs/1`."""

    def __init__(self) -> None:
        # the SDK keeps tokens by credentials, for the whole process: each server has its own
        self.client_id, self.client_secret = str(uuid.uuid4()), f"secret-{uuid.uuid4()}"
        self.connections: dict[str, dict[str, Any]] = {}
        self.jobs: dict[int, Job] = {}
        self.started: list[int] = []
        self.requests: list[str] = []
        self.tokens: dict[str, int] = {}  # uses that are left
        self.uses_of_a_token = 1_000
        self.script: tuple[str, ...] = GOOD
        self.rows = 120
        self.page_size: int | None = None  # a server may return fewer than requested
        self.changed_answers: dict[str, dict[str, Any]] = defaultdict(dict)
        self.after: dict[str, Callable[[], None]] = {}
        self.over = threading.Event()
        self.port = 0
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._ids = count(1)
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self.mistakes: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{BASE}"

    def add_connection(self, name: str, streams: tuple[str, ...] = ("order_lines",), status: str = "active") -> str:
        connection_id = str(uuid.uuid4())
        self.connections[connection_id] = {
            "connectionId": connection_id, "name": name, "status": status, "workspaceId": str(uuid.uuid4()),
            "sourceId": str(uuid.uuid4()), "destinationId": str(uuid.uuid4()), "createdAt": 1_780_000_000, "tags": [],
            "schedule": {"scheduleType": "manual"}, "dataResidency": "auto",
            "configurations": {"streams": [{"name": s, "syncMode": "full_refresh_overwrite"} for s in streams]},
        }  # fmt: skip
        return connection_id

    def set_streams(self, connection_id: str, *streams: str) -> None:
        self.connections[connection_id]["configurations"]["streams"] = [{"name": stream} for stream in streams]

    def add_job(self, connection_id: str, *script: str, kind: str = "sync") -> int:
        """A job that somebody else has started."""
        job = Job(next(self._ids), connection_id, kind, deque(script), self.rows)
        self.jobs[job.job_id] = job
        return job.job_id

    def fail_next(self, request: str, *faults: Fault) -> None:
        """`request`: a regular expression over `POST /jobs` and the like."""
        self.faults[request].extend(faults)

    def crash(self) -> None:
        """Nothing listens any more."""
        assert self._server
        self._server.shutdown()
        self._server.server_close()

    def recover(self) -> None:
        """Listens on the same port as before; jobs have not noticed."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def respond(self, request: str, query: dict[str, str], headers: Any, body: bytes) -> tuple[int, dict, bytes] | None:
        with self._lock:
            self.requests.append(request)
            fault = next((faults.popleft() for of, faults in self.faults.items()
                          if faults and re.fullmatch(of, request)), None)  # fmt: skip
            if fault is None or fault.is_done:
                answer = self._carry_out(request, query, headers, body)
            if request in self.after:
                self.after.pop(request)()
        if fault is None:
            return answer
        if fault.is_slow:
            self.over.wait()
        if fault.status is None:
            return None
        echo = fault.body.replace(b"<authorization>", headers.get("authorization", "").encode())
        return fault.status, {"content-type": "application/json"} | fault.headers, echo

    def _carry_out(self, request: str, query: dict[str, str], headers: Any, body: bytes) -> tuple[int, dict, bytes]:
        if request == "POST /applications/token":
            return self._sign_in({name: values[0] for name, values in parse_qs(body.decode()).items()})
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) < 1:
            return _problem(401, "the token is not valid")
        self.tokens[token] -= 1
        verb, _, rest = request.partition(" /")
        what, _, which = rest.partition("/")
        if what == "connections":
            return self._tell_connections(which, query)
        assert what == "jobs", request
        if verb == "POST":
            return self._start(json.loads(body))
        if not which:
            return self._list_jobs(query)
        job = self.jobs.get(int(which))
        if job is None:
            return _problem(404, f"there is no job {which}")
        if verb == "DELETE":
            if job.status in ENDED:
                return _problem(422, "the job has ended")
            job.script = deque(["cancelled"])
        elif len(job.script) > 1:
            job.script.popleft()
        return self._json("job", models.JobResponse, job.as_json())

    def _sign_in(self, form: dict[str, str]) -> tuple[int, dict, bytes]:
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return _problem(401, "unknown application")
        assert form["grant_type"] == "client_credentials"
        token = f"token-{uuid.uuid4()}"
        self.tokens[token] = self.uses_of_a_token
        return _answer({"access_token": token, "token_type": "Bearer", "expires_in": 180})

    def _tell_connections(self, which: str, query: dict[str, str]) -> tuple[int, dict, bytes]:
        if which:
            if which not in self.connections:
                return _problem(404, f"there is no connection {which}")
            return self._json("connection", models.ConnectionResponse, self.connections[which])
        return self._json("connections", models.ConnectionsResponse, self._page(list(self.connections.values()), query))

    def _start(self, wanted: dict[str, str]) -> tuple[int, dict, bytes]:
        models.JobCreateRequest.model_validate(wanted)
        if any(j.connection_id == wanted["connectionId"] and j.status not in ENDED for j in self.jobs.values()):
            return _problem(409, "a job of the connection is running")
        job_id = self.add_job(wanted["connectionId"], *self.script, kind=wanted["jobType"])
        self.started.append(job_id)
        return self._json("job", models.JobResponse, self.jobs[job_id].as_json())

    def _list_jobs(self, query: dict[str, str]) -> tuple[int, dict, bytes]:
        jobs = [job.as_json() for job in self.jobs.values() if job.connection_id == query["connectionId"]]
        if query.get("orderBy") == "createdAt|DESC":
            jobs.reverse()
        return self._json("jobs", models.JobsResponse, self._page(jobs, query))

    def _page(self, entries: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
        first, limit = int(query.get("offset", 0)), min(int(query.get("limit", 20)), self.page_size or 100)
        return {"data": entries[first : first + limit], "previous": "", "next": ""}

    def _json(self, what: str, kind: type[BaseModel], body: dict[str, Any]) -> tuple[int, dict, bytes]:
        """The answer, which the SDK must be able to read unless a test has spoilt it."""
        if not (changes := self.changed_answers[what]):
            kind.model_validate_json(json.dumps(body))
            return _answer(body)
        entries = body.get("data", [body])
        spoilt = [{name: value for name, value in (entry | changes).items() if value is not ...} for entry in entries]
        return _answer({"data": spoilt} if "data" in body else spoilt[0])

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            disable_nagle_algorithm = True  # or an answer waits 40 ms for an acknowledgement
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                try:
                    assert parts.path.startswith(BASE), f"{parts.path} is not the public API"
                    answer = stand_in.respond(f"{self.command} {parts.path[len(BASE) :]}", query, self.headers, body)
                except Exception as mistake:  # of the stand-in or of who calls it: `airbyte_server` says it
                    stand_in.mistakes.append(repr(mistake))
                    answer = _problem(418, "see the test's own error")
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, content = answer
                self.send_response_only(status)
                for name, value in ({"date": self.date_time_string()} | headers).items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_DELETE = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        return Handler


def _answer(body: Any, status: int = 200) -> tuple[int, dict, bytes]:
    return status, {"content-type": "application/json"}, json.dumps(body).encode()


def _problem(status: int, detail: str) -> tuple[int, dict, bytes]:
    return _answer({"type": "error", "title": detail, "detail": detail}, status)


@contextmanager
def airbyte_server() -> Iterator[AirbyteStandIn]:
    """A server without connections and jobs; at the end it says what neither it nor the SDK's models could take."""
    stand_in = AirbyteStandIn()
    stand_in.recover()
    try:
        yield stand_in
    finally:
        stand_in.over.set()
        stand_in.crash()
    assert not stand_in.mistakes, stand_in.mistakes


class Time:
    """A clock that goes on by being waited for. `meanwhile`: what happens during the next waits, one each."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.waits: list[float] = []
        self.meanwhile: deque[Callable[[], Any]] = deque()
        self._lock = threading.Lock()

    def clock(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        with self._lock:
            self.waits.append(seconds)
            self.seconds += seconds
        if self.meanwhile:
            self.meanwhile.popleft()()
