"""The time of a command by task."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

_STARTED = time.perf_counter()  # this module is imported first
_spent: list[tuple[str, float, float]] = []


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Measures the block, in seconds of wall-clock and of processor time."""
    clock, processors = time.perf_counter(), time.process_time()
    try:
        yield
    finally:
        _spent.append((name, time.perf_counter() - clock, time.process_time() - processors))


def spent() -> list[tuple[str, float, float]]:
    """One row per task in the order in which they ended: name, wall-clock seconds, processor seconds.
    `everything else` is mostly the import of libraries."""
    clock, processors = time.perf_counter() - _STARTED, time.process_time()
    rest = clock - sum(row[1] for row in _spent), processors - sum(row[2] for row in _spent)
    return [*_spent, ("everything else", *rest), ("in all", clock, processors)]
