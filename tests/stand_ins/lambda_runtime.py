"""Lambda on this machine: the real runtime interface client in a process, and a server of Lambda's Runtime API.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import base64
import json
import os
import platform
import queue
import re
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from flows.adapters.models.lambda_package import LAMBDA_PYTHON, find_python
from flows.settings import REPOSITORY

ARCHITECTURE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")


def lambda_python() -> tuple[Path, str]:
    """Lambda's Python if it is on this machine, else this process's own; and its version."""
    given = os.environ.get("LAMBDA_PYTHON")
    found = find_python(LAMBDA_PYTHON, given and Path(given))
    return (found, LAMBDA_PYTHON) if found else (Path(sys.executable), "{}.{}".format(*sys.version_info))


def install_runtime_client(folder: Path, version: str) -> Path:
    """What AWS has in /var/runtime, for a Python of this version."""
    lock = (REPOSITORY / "requirements" / "dev.txt").read_text()
    pinned = [
        block for block in re.split(r"\n(?=[a-z])", lock) if block.startswith(tuple(f"{n}==" for n in RUNTIME_CLIENT))
    ]
    assert len(pinned) == len(RUNTIME_CLIENT)
    folder.mkdir()
    (folder / "lock.txt").write_text("\n".join(pinned))
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "pip", "install", "-q", "--target", folder, "--python-version", version, "--no-deps", "--require-hashes",
         "-r", folder / "lock.txt"],
        check=True,
    )  # fmt: skip
    return folder


def unpack(package: Path, folder: Path) -> Path:
    """What AWS has in /var/task."""
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    return folder


@dataclass(frozen=True)
class Outcome:
    """How an invocation, or the start, ended: `kind` is response, error or init."""

    kind: str
    body: bytes

    @property
    def answer(self):
        return json.loads(self.body)


@dataclass
class Sandbox:
    """One sandbox of a function; starts with the block and is killed at its end."""

    python: Path
    runtime: Path
    task: Path
    handler: str
    environment: dict[str, str] = field(default_factory=dict)
    deadline_seconds: float = 30

    def __enter__(self):
        self._events, self._said, self._asked = queue.Queue(), queue.Queue(), queue.Queue()
        self._http = _Server(("127.0.0.1", 0), _runtime_api(self._events, self._said, self._asked, self))
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self._log = open(self.task.parent / f"log-{uuid.uuid4().hex}.txt", "w+b")
        self.process = subprocess.Popen(
            # -S: of this machine's packages it sees none
            [self.python, "-S", "-m", "awslambdaric", self.handler],
            cwd=self.task,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={
                "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONPATH": f"{self.runtime}:{self.task}",
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._http.server_port}", "LAMBDA_TASK_ROOT": str(self.task),
                "_HANDLER": self.handler, "AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_VERSION": "1",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769", "AWS_LAMBDA_LOG_GROUP_NAME": "g",
                "AWS_LAMBDA_LOG_STREAM_NAME": "s", "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing", **self.environment,
            },
        )  # fmt: skip
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self._http.shutdown()
        self._http.server_close()
        self._log.close()

    def asked_for_work(self) -> float:
        """When the function had started and requested its first event, by `time.perf_counter`."""
        return self._asked.get(timeout=60)

    def invoke(self, event) -> Outcome:
        """Gives it an event and waits for what becomes of it."""
        self._events.put((str(uuid.uuid4()), json.dumps(event).encode()))
        return self._wait()

    def _wait(self) -> Outcome:
        while True:
            try:
                return self._said.get(timeout=0.2)
            except queue.Empty:
                if self.process.poll() is not None and self._said.empty():
                    raise AssertionError(f"the sandbox ended:\n{self.log()}") from None

    def start_that_fails(self) -> dict:
        """What it says of a start that fails."""
        outcomes = self._wait()
        assert outcomes.kind == "init", outcomes
        return outcomes.answer

    def log(self) -> str:
        self._log.flush()
        return Path(self._log.name).read_text()

    def lines(self) -> list[dict]:
        """The log's lines that are JSON."""
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A sandbox is killed in the middle of a request: it always waits for work."""


def _runtime_api(events, outcomes, requested, sandbox):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or an answer waits 40 ms for an acknowledgement
        wbufsize = -1

        def do_GET(self):
            requested.put(time.perf_counter())
            request_id, body = events.get()
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + sandbox.deadline_seconds) * 1000)))
            self.send_header(
                "Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:f"
            )
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def do_POST(self):
            body = self._body()
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            kind = "init" if "/init/" in self.path else self.path.rsplit("/", 1)[1]
            outcomes.put(Outcome(kind, body))

        def _body(self):
            if "chunked" not in self.headers.get("transfer-encoding", ""):
                return self.rfile.read(int(self.headers["content-length"]))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def log_message(self, *_):
            pass

    return Handler


def http_api_event(method, path, body=None, headers=None, *, encoded=False):
    """API Gateway's HTTP API, payload format 2.0."""
    text = body if isinstance(body, (str, type(None))) else json.dumps(body)
    return {
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "api.example"} | (headers or {}),
        "requestContext": {
            "accountId": "123456789012", "apiId": "a", "domainName": "api.example", "stage": "$default",
            "requestId": "gateway-1", "http": {"method": method, "path": path, "protocol": "HTTP/1.1",
                                               "sourceIp": "127.0.0.1", "userAgent": "test"},
        },
        "body": base64.b64encode(text.encode()).decode() if encoded else text, "isBase64Encoded": encoded,
    }  # fmt: skip


def rest_api_event(method, path, body=None, headers=None, *, role=None, encoded=None):
    """API Gateway's REST API, as Snowflake calls it when `role` has signed; `encoded`: bytes, sent as base64."""
    headers = {"Content-Type": "application/json", "Host": "api.example"} | (headers or {})
    session = f"arn:aws:sts::123456789012:assumed-role/{role}/snowflake" if role else None
    return {
        "resource": "/{proxy+}", "path": path, "httpMethod": method, "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None, "multiValueQueryStringParameters": None, "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": "/{proxy+}", "httpMethod": method, "path": f"/prod{path}", "stage": "prod",
            "requestId": "gateway-2", "protocol": "HTTP/1.1", "accountId": "123456789012", "apiId": "a",
            "identity": {"sourceIp": "127.0.0.1", "userAgent": "snowflake", "userArn": session},
        },
        "body": base64.b64encode(encoded).decode() if encoded else body if body is None else json.dumps(body),
        "isBase64Encoded": bool(encoded),
    }  # fmt: skip
