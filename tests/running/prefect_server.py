"""A real Prefect server on this machine, for the few tests that are about it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from tests.running.processes import free_port, process_group, wait_for_port
from tests.running.shared import Shared


@contextmanager
def prefect_server(home: Path) -> Iterator[dict[str, str]]:
    """The environment of a machine that reports to a new server of its own; the server does not outlive the block."""
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")} | {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",  # what is needed is registered where it is saved
        "PREFECT_SERVER_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",
        "DO_NOT_TRACK": "1",
    }
    kept = Shared(Path(sys.prefix) / "made_by_tests")  # an empty database takes ten seconds, once in an environment
    shutil.copyfile(kept.folder(f"prefect-{version('prefect')}", _make_tables) / "prefect.db", home / "prefect.db")
    serve = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    with process_group(serve, signal.SIGTERM, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        wait_for_port(port, server)
        yield env


def _make_tables(folder: Path) -> None:
    env = {**os.environ, "PREFECT_HOME": str(folder), "PREFECT_API_URL": "", "DO_NOT_TRACK": "1"}
    upgrade = [sys.executable, "-m", "prefect", "server", "database", "upgrade", "-y"]
    subprocess.run(upgrade, env=env, check=True, stdout=subprocess.DEVNULL)
