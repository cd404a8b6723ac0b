"""dbt's own command line on our project, as an analyst types it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.settings import REPOSITORY

DBT_PROJECT = REPOSITORY / "dbt_project"


def dbt_arguments(
    *arguments: str, variables: Mapping[str, Any], state: Path, project: Path = DBT_PROJECT
) -> tuple[str, ...]:
    """What Python is to be started with. dbt's own files go to `state`."""
    return (
        "-c", "from dbt.cli.main import cli; cli()", "--no-use-colors", *arguments,
        "--project-dir", str(project), "--profiles-dir", str(project),
        "--target-path", str(state), "--log-path", str(state),
        "--vars", json.dumps(variables),
    )  # fmt: skip


def dbt(
    *arguments: str,
    variables: Mapping[str, Any],
    state: Path,
    project: Path = DBT_PROJECT,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        [sys.executable, *dbt_arguments(*arguments, variables=variables, state=state, project=project)],
        cwd=REPOSITORY,
        env=os.environ | dict(environment or {}),
        capture_output=True,
        text=True,
    )
