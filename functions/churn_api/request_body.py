"""Receives the body of a request: of a type that is taken, of bounded size, decompressed."""

import zlib
from collections.abc import Mapping, Sequence

from functions.churn_api.asgi import Receive
from functions.churn_api.problems import Refused

MAX_BODY_BYTES = 6 * 1024 * 1024
MAX_GZIP_MEMBERS = 100
JSON, CSV = "application/json", "text/csv"


async def whole_body(kinds: Sequence[str], headers: Mapping[str, str], receive: Receive) -> tuple[bytes, str]:
    """The body, and which of `kinds` it is.

    Raises:
        Refused: when it is of another type or encoding, too large, or never whole.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in kinds:
        raise Refused(
            "media_type_unsupported",
            f"The content-type is {kind[:100] or 'missing'}; send {' or '.join(kinds)}.",
            (b"accept", ", ".join(kinds).encode()),
        )
    declared = headers.get("content-length", "")
    if declared.isdecimal() and len(declared) < 20 and int(declared) > MAX_BODY_BYTES:
        raise _too_large()
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused("request_unreadable", "The connection was closed before the whole body was there.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            raise _too_large()
        more = message.get("more_body", False)
    return _decompressed(b"".join(parts), headers.get("content-encoding", "identity").lower()), kind


def _decompressed(body: bytes, encoding: str) -> bytes:
    if encoding == "identity":
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise Refused(
            "media_type_unsupported",
            f"The content-encoding is {encoding[:100]}; send gzip, or none.",
            (b"accept-encoding", b"gzip"),
        )
    parts: list[bytes] = []
    left = MAX_BODY_BYTES
    while body or not parts:  # gzip may be several members, one after the other
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            parts.append(unpacker.decompress(body, left + 1))
        except zlib.error:
            raise Refused("request_unreadable", "The body is not gzip, as its content-encoding declares.") from None
        left -= len(parts[-1])
        if left < 0 or len(parts) > MAX_GZIP_MEMBERS:
            raise _too_large()
        if not unpacker.eof:
            raise Refused("request_unreadable", "The body ends before its gzip stream does.")
        body = unpacker.unused_data
    return b"".join(parts)


def _too_large() -> Refused:
    return Refused(
        "body_too_large", f"The body is larger than {MAX_BODY_BYTES:,} bytes; send fewer customers at a time."
    )
