"""Runs the dbt project through prefect-dbt, which makes a task run of every node, and reads what dbt reports."""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbt_common.events.base_types import EventLevel
from prefect_dbt import PrefectDbtRunner, PrefectDbtSettings
from prefect_dbt.core._hooks import DbtHookContext

from flows.errors import BadInput, DbtFailed, PipelineError, WarehouseUnreachable

log = logging.getLogger(__name__)

_GOOD = {"success", "pass", "warn", "no-op"}


@dataclass(frozen=True)
class DbtProject:
    """The project in `folder`, built in the target named `target`; dbt's own files go to `state`.

    `variables` are given to every build, and `environment` is there during it: what the profile needs to reach the
    warehouse. Secrets go into the environment: variables are written down.

    `advice` is what to do about a message of the warehouse's, and `is_broken_connection` whether it says that the
    warehouse did not answer.
    """

    folder: Path
    target: str
    threads: int | None
    state: Path
    variables: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    advice: Callable[[str], str | None] = lambda _: None
    is_broken_connection: Callable[[str], bool] = lambda _: False

    def build(self, selection: Sequence[str], variables: Mapping[str, Any]) -> None:
        """Builds and tests the selected nodes. Their unit tests are the test suite's business, not a run's.

        Raises:
            DbtFailed: naming every node that failed or was skipped, with dbt's message and what to do.
            WarehouseUnreachable: when the same build may well succeed in a moment.
        """
        results = self.state / "target" / "run_results.json"
        results.unlink(missing_ok=True)
        # fmt: off
        arguments = ["build", "--select", *selection, "--exclude-resource-type", "unit_test",
                     "--indirect-selection", "buildable",  # not the tests of what is only built later
                     "--vars", json.dumps({**self.variables, **variables}),
                     "--target", self.target, *(["--threads", str(self.threads)] if self.threads else []),
                     "--log-path", str(self.state / "logs")]
        # fmt: on
        settings = PrefectDbtSettings(
            project_dir=self.folder,
            profiles_dir=self.folder,
            target_path=self.state / "target",
            log_level=EventLevel.WARN,
        )
        runner = PrefectDbtRunner(settings=settings, raise_on_failure=False, disable_assets=True)
        runner.post_model(_say_built)
        try:
            with _environment(self.environment), _task_runs_awaited():
                runner.invoke(arguments)
        except ValueError as error:  # dbt could not even start: a bad project file, profile, variable or login
            raise self._failure(str(error), [str(error)]) from error
        self._require_success(results)

    def document(self, file: Path) -> None:
        """Writes dbt's own pages of models, columns, tests and exposures, as the last build left them, as one page that
        stands alone.

        Raises:
            BadInput: when nothing was built yet.
            DbtFailed: with what dbt says.
        """
        from dbt.cli.main import dbtRunner

        results = self.state / "target" / "run_results.json"
        if not results.exists():
            raise BadInput("There is nothing to document yet: `make run` first.")
        variables = json.loads(results.read_text(encoding="utf-8"))["args"]["vars"]
        # fmt: off
        arguments = ["--quiet", "docs", "generate", "--static", "--vars", json.dumps(variables),
                     "--target", self.target,
                     "--project-dir", str(self.folder), "--profiles-dir", str(self.folder),
                     "--target-path", str(self.state / "docs"), "--log-path", str(self.state / "logs")]
        # fmt: on
        with _environment(self.environment):
            ended = dbtRunner().invoke(arguments)
        if not ended.success:
            text = str(ended.exception or "dbt could not document the warehouse: see what it said above.")
            raise self._failure(text, [text])
        (self.state / "docs" / "static_index.html").replace(file)

    def _failure(self, text: str, messages: Sequence[str]) -> PipelineError:
        if any(self.is_broken_connection(message) for message in messages):
            return WarehouseUnreachable(text)
        steps = dict.fromkeys(step for message in messages if (step := self.advice(message)))
        return DbtFailed("\n".join([text, *steps]))

    def _require_success(self, results: Path) -> None:
        """prefect-dbt has reported failures as successes before, so dbt's own report has the last word."""
        if not results.exists():
            raise DbtFailed("dbt ended without saying what it did (no run_results.json).")
        nodes = json.loads(results.read_text(encoding="utf-8"))["results"]
        bad = [node for node in nodes if node["status"] not in _GOOD]
        if bad:
            failed_first = sorted(bad, key=lambda node: node["status"] == "skipped")
            lines = [
                f"{node['unique_id']} {node['status']}: {node['message'] or 'depends on one above'}"
                for node in failed_first
            ]
            text = "dbt could not build everything:\n  " + "\n  ".join(lines)
            raise self._failure(text, [node["message"] or "" for node in bad])
        if not nodes:
            raise DbtFailed("dbt found nothing to build; the selection matches no node.")


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _say_built(node: DbtHookContext) -> None:
    if node.status not in (None, "error"):
        log.info("built %s.%s", node.node.schema, node.node.name)


@contextmanager
def _task_runs_awaited() -> Iterator[None]:
    """prefect-dbt does not wait for the task runs of the last nodes, which then race with what comes next: the
    environment that is put back while they read it, the end of the process."""
    before = set(threading.enumerate())
    try:
        yield
    finally:
        for thread in set(threading.enumerate()) - before:
            if "run_task" in thread.name:
                thread.join(timeout=30)
