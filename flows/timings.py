"""Where the time of a command went, by task."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

_STARTED = time.perf_counter()  # this module is imported first
_spent: list[tuple[str, float, float]] = []


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Notes how long the block takes: seconds of the clock, and of the processors."""
    clock, processors = time.perf_counter(), time.process_time()
    try:
        yield
    finally:
        _spent.append((name, time.perf_counter() - clock, time.process_time() - processors))


def spent() -> list[tuple[str, float, float]]:
    """A row for each task in the order in which they ended: its name, seconds of the clock, and of the processors.
    `everything else` is mostly the import of libraries."""
    clock, processors = time.perf_counter() - _STARTED, time.process_time()
    rest = clock - sum(row[1] for row in _spent), processors - sum(row[2] for row in _spent)
    return [*_spent, ("everything else", *rest), ("in all", clock, processors)]
