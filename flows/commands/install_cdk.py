"""Installs Airbyte's CDK, which reads sources on this machine, when a run first needs it."""

import shutil
import subprocess

from flows.adapters.airbyte.cdk.process import PROGRAM
from flows.ports.syncs import SyncFailed
from flows.settings import CONNECTIONS, REPOSITORY, Settings
from flows.sources.connections import read_connections
from flows.sources.selection import sources_of


def install_cdk(settings: Settings) -> None:
    """Installs the CDK once, in its own environment, if a run with these settings syncs a source on this machine.

    Raises:
        SyncFailed: when that fails.
    """
    if not settings.is_on_this_machine or not sources_of(settings, read_connections(CONNECTIONS)).synced:
        return
    command = [shutil.which("make") or "make", "-s", ".venv/cdk/ready"]
    if not PROGRAM.exists() and subprocess.run(command, cwd=REPOSITORY).returncode:
        raise SyncFailed("Airbyte's CDK could not be installed, see above; `make .venv/cdk/ready` tries again.")
