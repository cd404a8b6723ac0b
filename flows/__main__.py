"""`python -m flows <command>`: what the make targets of the same names call."""

import signal
import sys
import traceback
from types import FrameType

from rich.console import Console

from flows.adapters.connections import read_connections
from flows.errors import PipelineError
from flows.local_tools import (
    hush_duckdb_at_exit,
    install_cdk,
    keep_prefect_local,
    show_progress,
    start_prefect_server,
)
from flows.settings import CONNECTIONS, Settings, read_settings
from flows.sources import sources_of

INTERRUPTED = 130


def main(command: str) -> int:
    """Runs a command to its end and returns the process's exit status."""
    try:
        if command == "deploy":  # its variables are those of the deployments, not of a run
            from flows.deploying import deploy

            deploy()
            return 0
        if command == "env":  # it says what the settings are to be
            from flows.environment_file import write_environment_file

            write_environment_file()
            return 0
        if command == "validate-workbook":
            from flows.publishing import validate_workbook

            return validate_workbook()
        settings = read_settings()
        if command == "serve":
            from flows.serve import serve

            serve(settings)
            return 0
        if command == "package":
            from flows.packaging import package

            package(settings)
            return 0
        if command == "redrive":
            from flows.redriving import redrive_dead_letters

            redrive_dead_letters()
            return 0
        if command == "forget":
            from flows.forgetting import forget

            forget(settings)
            return 0
        if command == "docs":
            from flows.adapters.run_lock import lock
            from flows.wiring import wire

            with lock(settings.data_dir):
                wire(settings).dbt.document(settings.docs_file)
            sys.stdout.write(f"wrote {settings.docs_file}\n")
            return 0
        if command in ("promote", "rollback"):
            from flows.promotion import promote, roll_back

            (promote if command == "promote" else roll_back)(settings)
            return 0
        return _run_flow(command, settings)
    except KeyboardInterrupt:
        return INTERRUPTED
    except PipelineError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1


def _run_flow(command: str, settings: Settings) -> int:
    interrupts: list[int] = []

    def interrupt(signal_number: int, _: FrameType | None) -> None:
        interrupts.append(signal_number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    if command == "run" and settings.is_on_this_machine and sources_of(settings, read_connections(CONNECTIONS)).synced:
        install_cdk()
    keep_prefect_local(settings)
    show_progress()
    try:
        server = start_prefect_server()
        from flows.adapters.run_lock import lock
        from flows.pipeline import pipeline
        from flows.publishing import publishing
        from flows.shipping import ship_champion
        from flows.summary import print_summary

        server.join()
        with lock(settings.data_dir):
            if command == "champion":
                ship_champion(settings)
            elif command == "publish":
                publishing(settings)
            elif command == "activate":
                from flows.activating import activating

                activating(settings)
            elif command == "campaign":
                from flows.campaign_summary import print_campaign
                from flows.campaigning import campaigning

                print_campaign(campaigning(settings), Console(width=None if sys.stdout.isatty() else 112))
            else:
                print_summary(pipeline(settings), Console(width=None if sys.stdout.isatty() else 112))
    except (Exception, KeyboardInterrupt) as error:
        if interrupts:  # dbt turns an interrupt into a failure of its own
            sys.stderr.write("\nInterrupted. Nothing is half-written: run again to finish.\n")
            return INTERRUPTED
        if isinstance(error, PipelineError):
            raise
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    commands = (
        "run", "serve", "champion", "promote", "rollback", "package", "redrive", "env", "deploy", "forget", "docs",
        "publish", "validate-workbook", "campaign", "activate",
    )  # fmt: skip
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(f"usage: python -m flows {' | '.join(commands)}")
    hush_duckdb_at_exit()
    sys.exit(main(sys.argv[1]))
