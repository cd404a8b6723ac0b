"""dbt on our project, in this process or as an analyst types it."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.settings import REPOSITORY

DBT_PROJECT = REPOSITORY / "dbt_project"


@dataclass(frozen=True)
class Ended:
    """How a command ended: its output, and dbt's own result."""

    success: bool
    output: str
    result: Any


def dbt_environment(warehouse: Path | None = None, **run_values: Any) -> dict[str, str]:
    """What the project reads from the environment. `run_values`: those of the macro run_value."""
    place = {"WAREHOUSE_FILE": str(warehouse)} if warehouse else {}
    return place | {"DBT_ENV_CUSTOM_ENV_RUN_VALUES": json.dumps(run_values)}


def dbt_arguments(
    *arguments: str, state: Path, variables: Mapping[str, Any] | None = None, project: Path = DBT_PROJECT
) -> list[str]:
    """Of dbt's command line; dbt's own files go to `state`."""
    # fmt: off
    return [
        "--no-use-colors", *arguments,
        "--project-dir", str(project), "--profiles-dir", str(project),
        "--target-path", str(state), "--log-path", str(state),
        "--vars", json.dumps(variables or {}),
    ]
    # fmt: on


def dbt_command(*arguments: str, **given: Any) -> tuple[str, ...]:
    """The same as what Python is to be started with."""
    return ("-c", "from dbt.cli.main import cli; cli()", *dbt_arguments(*arguments, **given))


def dbt(
    *arguments: str,
    state: Path,
    environment: Mapping[str, str],
    variables: Mapping[str, Any] | None = None,
    project: Path = DBT_PROJECT,
) -> Ended:
    """Runs a command in this process: starting another one takes longer than most commands."""
    from dbt.cli.main import dbtRunner

    from flows.adapters.duckdb.scoring import dbts_connection

    lines: list[str] = []

    def listen(event: Any) -> None:
        if event.info.level != "debug":
            lines.append(event.info.msg)

    given = dbt_arguments("--log-level", "none", *arguments, state=state, variables=variables, project=project)
    with dbts_connection(), set_environment(environment):
        ended = dbtRunner(callbacks=[listen]).invoke(given)
    return Ended(ended.success, "\n".join([*lines, str(ended.exception or "")]), ended.result)


@contextmanager
def set_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Variables of this process, for the length of a block."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
