"""The lock of the laptop's warehouse: one run, or one server that merges predictions, may write at a time."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.errors import WarehouseBusy

PATIENCE_SECONDS = 10.0


@contextmanager
def try_lock(data_dir: Path) -> Iterator[bool]:
    """Whether this process may write during the block; the lock ends with the process."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with open(data_dir / ".lock", "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def lock(data_dir: Path) -> Iterator[None]:
    """Takes the lock; waits for a server's merge, which takes a moment, but not for another run.

    Raises:
        WarehouseBusy: when another run is at work.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        with try_lock(data_dir) as locked:
            if locked:
                yield
                return
        if time.monotonic() > until:
            raise WarehouseBusy(
                f"Another run is at work in {data_dir}: wait for it, or give this one a DATA_DIR= of its own."
            )
        time.sleep(0.1)
