"""Runs a long command in the foreground: with its progress, one at a time, until a signal ends it."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

import typer

from flows.adapters.files.run_lock import lock
from flows.commands.local_tools import keep_tools_local, show_progress
from flows.orchestration import one_at_a_time
from flows.settings import Settings, differing

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def foreground(settings: Settings) -> Iterator["Console"]:
    """Must be entered before prefect is imported. Yields the console for results.

    Raises:
        typer.Exit: with 128 and the signal's number, when a signal ended it.
    """
    from rich.console import Console  # --help does without

    stopped_by = _stop_on_signals()
    console = Console(width=None if sys.stdout.isatty() else 112)
    sys.stderr.write(f"{differing(settings)}\n")
    keep_tools_local(settings.data_dir)
    show_progress()
    try:
        with one_at_a_time(), lock(settings.data_dir):
            yield console
        if settings.timings:
            from flows.console.sections import print_sections
            from flows.console.timings import timings

            print_sections([timings()], console)
    except (Exception, KeyboardInterrupt):
        if stopped_by:  # dbt turns an interrupt into a failure of its own
            with suppress(OSError):  # the terminal may be gone
                sys.stderr.write("\nInterrupted. Nothing is half-written: run again to finish.\n")
            raise typer.Exit(128 + stopped_by[0]) from None
        raise


def _stop_on_signals() -> list[int]:
    """Ends the command in order on a signal from the user, the system or a closing terminal; the list then holds that
    signal."""
    received: list[int] = []

    def stop(signal_number: int, _: FrameType | None) -> None:
        received.append(signal_number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup sets it
        signal.signal(signal.SIGHUP, stop)
    return received
