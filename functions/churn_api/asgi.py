"""The parts of ASGI that are used here directly."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


async def send_whole(
    send: Send, status: int, body: bytes, more: Sequence[tuple[bytes, bytes]] = (), kind: str = "application/json"
) -> None:
    """Sends a whole response of a media type; `more` headers with it."""
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", kind.encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
