"""What callers without a key can do to `make serve`: huge heads, silence, half requests, and too many at once."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from flows.adapters import http_server
from flows.adapters.http_server import BoundedProtocol
from flows.settings import SHIPPED_MODELS
from functions.churn_api.champion import ModelFolder
from tests.integration.api.test_serving import serving
from tests.running.processes import free_port, post, process_group, wait_for_port
from tests.running.serving import api_on_loopback, customer

JSON = b"content-type: application/json\r\n"


@pytest.fixture
def port(monkeypatch):
    """Of a server that waits for a tenth of a second where it waits for seconds otherwise."""
    monkeypatch.setattr(http_server, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(http_server, "REQUEST_SECONDS", 0.2)
    monkeypatch.setattr(http_server, "RESPONSE_SECONDS", 0.1)
    monkeypatch.setattr(BoundedProtocol, "check_every_seconds", 0.02)
    monkeypatch.setattr(BoundedProtocol, "max_connections", 20)
    with api_on_loopback([ModelFolder(str(SHIPPED_MODELS))], http=BoundedProtocol) as url:
        yield int(url.rpartition(":")[2])


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def rest(connection):
    """All that the server sends before it closes."""
    parts = []
    try:
        while part := connection.recv(1 << 20):
            parts.append(part)
    except ConnectionResetError:
        pass
    connection.close()
    return b"".join(parts)


def ask(port, head=b"", body=None, path=b"/predict"):
    body = json.dumps(customer()).encode() if body is None else body
    connection = connect(port)
    connection.sendall(
        b"POST %s HTTP/1.1\r\nhost: 127.0.0.1\r\n%s%scontent-length: %d\r\nconnection: close\r\n\r\n%s"
        % (path, JSON, head, len(body), body)
    )
    return rest(connection)


def send_as_long_as_it_takes(port, begin, more):
    connection = connect(port)
    sent = 0
    try:
        connection.sendall(begin)
        while sent < 50_000_000:
            connection.sendall(more)
            sent += len(more)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return sent, rest(connection)


def test_a_connection_that_says_nothing_is_closed(port):
    assert b" 408 " in rest(connect(port))


@pytest.mark.parametrize(
    "begin",
    [b"GET /health HT", b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n", b"\r\n",
     b"POST /predict HTTP/1.1\r\nhost: 127.0.0.1\r\n" + JSON + b"content-length: 100\r\n\r\n{",
     b"POST /predict HTTP/1.1\r\nhost: 127.0.0.1\r\n" + JSON + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n"],
)  # fmt: skip
def test_half_a_request_is_answered_and_closed_in_time(port, begin):
    connection = connect(port)
    connection.sendall(begin)
    assert b"HTTP/1.1 408 " in rest(connection)


def test_a_request_that_comes_byte_by_byte_has_no_more_time(port):
    connection, begun = connect(port), time.monotonic()
    try:
        while time.monotonic() < begun + 5:
            connection.sendall(b"x")
            time.sleep(0.01)
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert time.monotonic() < begun + 5
    connection.close()


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"GET /health HTTP/1.1\r\nx: ", b"y" * 100_000),
        (b"GET /health HTTP/1.1\r\n", b"x: y\r\n" * 10_000),
        (b"GET /" + b"x" * 100, b"x" * 100_000),
        (b"POST /predict HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n" * 10_000),
        (b"POST /predict HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n", b"400\r\n" + b" " * 1024),
    ],
)
def test_a_head_or_a_body_without_an_end_is_cut_off(port, begin, more):
    sent, answer = send_as_long_as_it_takes(port, begin, more)
    assert sent < 25_000_000
    assert not answer or answer.split(b" ", 2)[1] in (b"400", b"413", b"415", b"431", b"408"), answer
    assert b" 200 " in ask(port)


def test_more_connections_than_the_server_has_room_for_are_refused_and_the_others_answered(port):
    silent = [connect(port) for _ in range(40)]
    answers = [b" 503 " in rest(connection) for connection in silent[25:]]
    assert all(answers)
    time.sleep(0.5)  # the silent ones have had their time
    assert b" 200 " in ask(port)
    for connection in silent:
        connection.close()


def test_a_caller_that_offers_http_2_is_answered_in_http_1(port):
    # as the JDK's HttpClient and `curl --http2` do
    offer = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAA\r\n"
    body = json.dumps(customer()).encode()
    for split in (0, 30, 150, 200):
        connection = connect(port)
        request = b"POST /predict HTTP/1.1\r\nhost: 127.0.0.1\r\n%s%scontent-length: %d\r\n\r\n%s" % (
            JSON, offer, len(body), body)  # fmt: skip
        connection.sendall(request[:split])
        time.sleep(0.01)
        connection.sendall(request[split:])
        assert connection.recv(1 << 20).startswith(b"HTTP/1.1 200"), split
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
        assert b" 200 " in rest(connection)


@pytest.mark.release
def test_a_server_is_stopped_within_its_time_whatever_is_unfinished(tmp_path):
    with serving(tmp_path) as (process, url, _):
        (answer,) = json.loads(post(f"{url}/predict", customer(), process))
        connection = connect(int(url.rpartition(":")[2]))
        connection.sendall(b"POST /predict HTTP/1.1\r\nhost: 127.0.0.1\r\n" + JSON + b"content-length: 100\r\n\r\n{")
        begun = time.monotonic()
        os.kill(process.pid, signal.SIGTERM)
        process.wait(timeout=http_server.GRACE_SECONDS + 10)
        assert time.monotonic() < begun + http_server.GRACE_SECONDS + 5
        connection.close()
    assert answer["stored"]


@pytest.mark.skipif(sys.platform == "win32", reason="ulimit")
def test_few_descriptors_and_many_silent_connections_still_leave_a_place_to_store(tmp_path):
    port = free_port()
    command = ["sh", "-c", 'ulimit -n 256 && exec "$@"', "sh", sys.executable, "-m", "flows", "serve"]
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "PORT": str(port)}
    with process_group(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for_port(port, process)
        silent = [connect(port) for _ in range(100)]
        (answer,) = json.loads(post(f"http://127.0.0.1:{port}/predict", customer("A"), process))
        assert answer["stored"]
        silent += [connect(port) for _ in range(300)]
        assert b" 503 " in rest(silent.pop())
        silent.pop(0).close()
        answer = b""
        while b" 200 " not in answer:  # as soon as it has seen that one has gone
            answer = ask(port)
        assert b'"stored":true' in answer
        for connection in silent:
            connection.close()
