"""`python -m flows <command>`: what the make targets of the same names call."""

import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from rich.console import Console

from flows.adapters.files.run_lock import lock
from flows.commands.local_tools import install_cdk, keep_tools_local, leave_without_teardown, show_progress
from flows.console.sections import print_sections
from flows.console.timings import timings
from flows.errors import PipelineError
from flows.settings import CONNECTIONS, Settings, read_settings
from flows.sources.connections import read_connections
from flows.sources.selection import sources_of


def main(command: str) -> int:
    """Runs a command to its end and returns the process's exit status."""
    try:
        if command == "deploy":  # its variables are those of the deployments, not of a run
            from flows.commands.deploy import deploy

            deploy()
            return 0
        if command == "env":  # it says what the settings are to be
            from flows.commands.env_file import write_environment_file

            write_environment_file()
            return 0
        if command == "validate-workbook":
            from flows.flow.publication import validate_workbook

            return validate_workbook()
        settings = read_settings(Settings)
        if command == "serve":
            from flows.commands.serve import serve

            serve(settings)
            return 0
        if command == "package":
            from flows.commands.package import package

            package(settings)
            return 0
        if command == "redrive":
            from flows.commands.redrive import redrive_dead_letters

            redrive_dead_letters()
            return 0
        if command == "forget":
            from flows.commands.erase import forget

            forget(settings)
            return 0
        if command == "docs":
            from flows.wiring import wire

            with lock(settings.data_dir):
                wire(settings).dbt.document(settings.docs_file)
            sys.stdout.write(f"wrote {settings.docs_file}\n")
            return 0
        if command in ("promote", "rollback"):
            from flows.commands.models import promote, roll_back

            (promote if command == "promote" else roll_back)(settings)
            return 0
        return _run_flow(command, settings)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except PipelineError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1


def _run_flow(command: str, settings: Settings) -> int:
    stopped_by = _stop_on_signals()
    if command == "run" and settings.is_on_this_machine and sources_of(settings, read_connections(CONNECTIONS)).synced:
        install_cdk()
    keep_tools_local(settings.data_dir)
    show_progress()
    try:
        with lock(settings.data_dir):
            _flow_of(command)(settings)
        if settings.timings:
            print_sections([timings()], _console())
    except (Exception, KeyboardInterrupt) as error:
        if stopped_by:  # dbt turns an interrupt into a failure of its own
            with suppress(OSError):  # the terminal may be gone
                sys.stderr.write("\nInterrupted. Nothing is half-written: run again to finish.\n")
            return 128 + stopped_by[0]
        if isinstance(error, PipelineError):
            raise
        traceback.print_exc()
        return 1
    return 0


def _stop_on_signals() -> list[int]:
    """Ends what is under way in order when the user, the system or a closing terminal asks for it; the list then says
    which signal it was."""
    received: list[int] = []

    def stop(signal_number: int, _: FrameType | None) -> None:
        received.append(signal_number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
        signal.signal(signal.SIGHUP, stop)
    return received


def _flow_of(command: str) -> Callable[[Settings], None]:
    """What a command runs and prints. Each imports what it needs, so that none waits for the others' libraries."""
    if command == "champion":
        from flows.commands.ship_model import ship_champion

        return ship_champion
    if command == "publish":
        from flows.flow.publication import publishing

        return publishing
    if command == "activate":
        from flows.flow.activation import activating

        return activating
    if command == "campaign":
        from flows.console.campaign_summary import print_campaign
        from flows.flow.campaign import campaigning

        return lambda settings: print_campaign(campaigning(settings), _console())
    from flows.console.run_summary import print_summary
    from flows.flow.pipeline import pipeline

    return lambda settings: print_summary(pipeline(settings), _console())


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else 112)


if __name__ == "__main__":
    commands = (
        "run", "serve", "champion", "promote", "rollback", "package", "redrive", "env", "deploy", "forget", "docs",
        "publish", "validate-workbook", "campaign", "activate",
    )  # fmt: skip
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(f"usage: python -m flows {' | '.join(commands)}")
    end = leave_without_teardown()
    end(main(sys.argv[1]))
