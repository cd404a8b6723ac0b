"""Configures state, logs and telemetry of the tools for a laptop. Imports none of them."""

import atexit
import logging
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from flows.orchestration import has_prefect_server


def keep_tools_local(data_dir: Path) -> None:
    """Puts Prefect's state under DATA_DIR and disables telemetry, independent of the user's profiles.

    Flows report to a server only if PREFECT_API_URL is set in the environment; otherwise none is started. Must be
    called before prefect is imported."""
    home = data_dir / ".prefect"
    local = {
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # an error is printed once, at the end
        "DO_NOT_TRACK": "1",
    }
    if not has_prefect_server():
        for name in ("PREFECT_API_KEY", "PREFECT_PROFILE"):
            os.environ.pop(name, None)
    os.environ.update(local)


def leave_without_teardown() -> Callable[[int], NoReturn]:
    """Returns a function that ends the process with a status after its exit handlers, without freeing the objects of
    dbt and scikit-learn: that takes more than a second. Must be called first: exit handlers run last to first."""
    chosen: list[int] = []

    def leave() -> None:
        if chosen:  # otherwise other code ends the process with its own status
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):  # the terminal is closed, or the stream is
                    stream.flush()
            os._exit(chosen[0])

    def end(status: int) -> NoReturn:
        chosen.append(status)
        sys.exit(status)

    atexit.register(leave)
    return end


def show_progress() -> None:
    """Prints what the flows log, each line with the seconds since the start."""
    handler = logging.StreamHandler()
    handler.setFormatter(_SinceStart())
    logger = logging.getLogger("flows")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    logger.propagate = False  # prefect's own console handler would print it again


class _SinceStart(logging.Formatter):
    def __init__(self) -> None:
        super().__init__()
        self._start = time.monotonic()

    def format(self, record: logging.LogRecord) -> str:
        return f"{time.monotonic() - self._start:6.1f} s  {record.getMessage()}"
