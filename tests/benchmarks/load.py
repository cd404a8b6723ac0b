"""A load on an HTTP server from one thread: the next request on a connection once its answer is there."""

import selectors
import socket
import time
from dataclasses import dataclass

WARM_UP_SECONDS = 1.0


@dataclass(frozen=True)
class Load:
    per_second: float
    p50_ms: float
    p99_ms: float


def post_request(path: str, body: bytes) -> bytes:
    """An HTTP request, as sent."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    )
    return head.encode() + b"\r\n" + body


def load(port: int, request: bytes, connections: int, seconds: float) -> Load:
    """What the server answers within so many seconds; every answer must be a 200."""
    selector = selectors.DefaultSelector()
    sent_at: dict[socket.socket, float] = {}
    got: dict[socket.socket, bytes] = {}
    waits: list[float] = []
    begin = time.perf_counter() + WARM_UP_SECONDS
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        _send(connection, request, sent_at, got)
    while time.perf_counter() < begin + seconds:
        for key, _ in selector.select(1):
            connection = key.fileobj  # type: ignore[assignment]
            got[connection] += connection.recv(1 << 20)
            if not _is_whole(got[connection]):
                continue
            at = time.perf_counter()
            if sent_at[connection] >= begin:
                waits.append(at - sent_at[connection])
            _send(connection, request, sent_at, got)
    for connection in got:
        connection.close()
    selector.close()
    waits.sort()
    return Load(len(waits) / seconds, waits[len(waits) // 2] * 1000, waits[int(len(waits) * 0.99)] * 1000)


def _send(
    connection: socket.socket, request: bytes, sent_at: dict[socket.socket, float], got: dict[socket.socket, bytes]
) -> None:
    got[connection] = b""
    sent_at[connection] = time.perf_counter()
    connection.sendall(request)


def _is_whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer[:500])
    lines = head.lower().split(b"\r\n")
    length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), None)
    return len(body) >= length if length is not None else body.endswith(b"0\r\n\r\n")
