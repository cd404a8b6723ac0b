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
    awaited: dict[socket.socket, _Answer] = {}
    buffer = memoryview(bytearray(1 << 20))
    waits: list[float] = []
    begin = time.perf_counter() + WARM_UP_SECONDS
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        awaited[connection] = _send(connection, request)
    while time.perf_counter() < begin + seconds:
        for key, _ in selector.select(1):
            connection = key.fileobj  # type: ignore[assignment]
            answer = awaited[connection]
            if not answer.is_whole_with(buffer[: connection.recv_into(buffer)]):
                continue
            at = time.perf_counter()
            if answer.sent_at >= begin:
                waits.append(at - answer.sent_at)
            awaited[connection] = _send(connection, request)
    for connection in awaited:
        connection.close()
    selector.close()
    waits.sort()
    return Load(len(waits) / seconds, waits[len(waits) // 2] * 1000, waits[int(len(waits) * 0.99)] * 1000)


@dataclass
class _Answer:
    """What is known of an answer: its head, how much of its body is to come if the head says so, and its end. The body
    is not kept: copying a megabyte again and again would slow down the load, not the server."""

    sent_at: float
    head: bytes = b""
    to_come: int | None = None
    end: bytes = b""

    def is_whole_with(self, piece: memoryview) -> bool:
        if b"\r\n\r\n" in self.head:
            self.to_come = None if self.to_come is None else self.to_come - len(piece)
            self.end = (self.end + piece[-5:])[-5:]
        else:
            self.head += piece
            head, found, body = self.head.partition(b"\r\n\r\n")
            if not found:
                return False
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(self.head[:500])
            self.head, self.end = head + found, body[-5:]
            lines = head.lower().split(b"\r\n")
            length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), None)
            self.to_come = None if length is None else length - len(body)
        return self.end == b"0\r\n\r\n" if self.to_come is None else self.to_come <= 0


def _send(connection: socket.socket, request: bytes) -> _Answer:
    answer = _Answer(time.perf_counter())
    connection.sendall(request)
    return answer
