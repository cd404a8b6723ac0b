"""Keeps the tools' own state, logs and telemetry where a laptop run wants them. Imports none of them."""

import atexit
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from flows.adapters.cdk_source.process import PROGRAM
from flows.errors import SyncFailed
from flows.settings import REPOSITORY, Settings

EMPTY_PREFECT_DATABASE = Path(sys.prefix) / "prefect" / "prefect.db"


def keep_prefect_local(settings: Settings) -> None:
    """Prefect's state goes under DATA_DIR and its server is a temporary one, whatever profile the user has.

    Only a PREFECT_API_URL that is set in the environment is taken as the wish to report elsewhere. Must be
    called before prefect is imported.
    """
    home = settings.data_dir / ".prefect"
    home.mkdir(parents=True, exist_ok=True)
    database = home / "prefect.db"
    if not database.exists() and EMPTY_PREFECT_DATABASE.exists():
        draft = database.with_suffix(".draft")
        shutil.copyfile(EMPTY_PREFECT_DATABASE, draft)  # creating the tables afresh takes 10 s
        draft.replace(database)
    local = {
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        # a temporary server holds no blocks: it need not spend six seconds on importing every collection's
        "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
        "PREFECT_SERVER_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # what went wrong is said once, at the end
        "DO_NOT_TRACK": "1",
    }
    if "PREFECT_API_URL" not in os.environ:
        os.environ.pop("PREFECT_API_KEY", None)
        os.environ.pop("PREFECT_PROFILE", None)
    os.environ.update(local)


def hush_duckdb_at_exit() -> None:
    """Nothing is printed to standard error once the interpreter has run its exit handlers.

    prefect-dbt keeps DuckDB's module alive beyond that, and its binding would complain at length. To be called
    first: exit handlers run last to first.
    """
    atexit.register(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 2))


def start_prefect_server() -> threading.Thread:
    """Starts prefect's temporary server in the background; join the thread before the first flow run.

    Prefect would start the same server itself at the first flow run, and wait for it: some five seconds in
    which the flows can be imported. With a PREFECT_API_URL there is nothing to start.
    """
    if "PREFECT_API_URL" in os.environ:
        server = threading.Thread(target=lambda: None)
    else:
        from prefect.server.api.server import SubprocessASGIServer

        server = threading.Thread(target=SubprocessASGIServer().start, daemon=True)
    server.start()
    return server


def install_cdk() -> None:
    """Installs Airbyte's CDK in its own environment, once.

    Raises:
        SyncFailed: when that fails.
    """
    command = [shutil.which("make") or "make", "-s", ".venv/cdk/ready"]
    if not PROGRAM.exists() and subprocess.run(command, cwd=REPOSITORY).returncode:
        raise SyncFailed("Airbyte's CDK could not be installed, see above; `make .venv/cdk/ready` tries again.")


def show_progress() -> None:
    """Prints what the flows log, each line with the seconds since the start."""
    handler = logging.StreamHandler()
    handler.setFormatter(_SinceStart())
    logger = logging.getLogger("flows")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    logger.propagate = False  # prefect's own console handler would say it again


class _SinceStart(logging.Formatter):
    def __init__(self) -> None:
        super().__init__()
        self._start = time.monotonic()

    def format(self, record: logging.LogRecord) -> str:
        return f"{time.monotonic() - self._start:6.1f} s  {record.getMessage()}"
