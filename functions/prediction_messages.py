"""The messages that carry predictions to where they are merged into `marts.churn_predictions`.

A message is a JSON object: `source`, `scored_at`, and `answers` as the caller got them. The mart's other columns are
computed when merging, not while a caller waits."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TypeVar

# a message may hold 256 KB; some room is left for the envelope
MESSAGE_BYTES = 200_000

T = TypeVar("T")


def messages(source: str, scored_at: datetime, lists: Iterable[bytes]) -> Iterator[bytes]:
    """JSON lists of predictions, in as few messages as possible without parting one. `scored_at` is in UTC."""
    head = f'{{"source":"{source}","scored_at":"{scored_at:%Y-%m-%dT%H:%M:%S}","answers":['.encode()
    without_brackets = (memoryview(_in_ascii(one))[1:-1] for one in lists)
    for together in parted(without_brackets, lambda answers: len(answers) + 1, MESSAGE_BYTES):
        parts: list[bytes | memoryview] = [head]
        for answers in together:
            parts += (answers, b",")
        parts[-1] = b"]}"
        yield b"".join(parts)


def parted(parts: Iterable[T], size_of: Callable[[T], int], limit: int) -> Iterator[list[T]]:
    """The parts in order, in as few lists within the limit as possible; a larger part is alone."""
    together: list[T] = []
    size = 0
    for part in parts:
        more = size_of(part)
        if together and size + more > limit:
            yield together
            together, size = [], 0
        together.append(part)
        size += more
    if together:
        yield together


def _in_ascii(text: bytes) -> bytes:
    """The same JSON, escaped: SQS does not accept every character."""
    return text if text.isascii() else json.dumps(json.loads(text), separators=(",", ":")).encode()
