"""Runs the dbt project in this process, and reads what dbt reports.

With a Prefect server, prefect-dbt makes a task run of every node. Without one, that would waste three quarters of a
build's time, so dbt is called directly."""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.adapters.dbt.artifacts import (
    CATALOG,
    MANIFEST,
    RUN_RESULTS,
    SOURCES,
    merged_results,
    read_artifact,
    table_age,
)
from flows.adapters.dbt.parse import KeptParse
from flows.errors import BadInput, DbtFailed, PipelineError, WarehouseUnreachable
from flows.orchestration import has_prefect_server
from flows.sources.data_age import TableAge

log = logging.getLogger(__name__)

_GOOD = {"success", "pass", "warn", "no-op"}
# The prefix of variables that the macro run_value reads; dbt copies them into its artifacts.
_RUN_VALUES = "DBT_ENV_CUSTOM_ENV_RUN_VALUES"


def read_run_values() -> Mapping[str, Any]:
    """The run values of the current build, for code that dbt calls."""
    values: Mapping[str, Any] = json.loads(os.environ.get(_RUN_VALUES, "{}"))
    return values


@dataclass(frozen=True)
class DbtProject:
    """The project in `folder`, built in the target named `target`; dbt's own files go to `state`.

    `variables` are passed to every build. `environment` is set during a build: what the profile needs to reach the
    warehouse. Secrets go into the environment, because dbt writes variables to its artifacts.

    `keeps_artifacts`: dbt's JSON files of a run's builds are kept for `artifacts`, which takes half a second a build.

    `connection` is entered for the length of each call of dbt: it closes what dbt leaves open.

    `advice` returns the remedy for an error message of the warehouse, `is_broken_connection` whether it means that the
    warehouse could not be reached."""

    folder: Path
    target: str
    threads: int | None
    state: Path
    variables: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    keeps_artifacts: bool = False
    connection: Callable[[], AbstractContextManager[Any]] = nullcontext
    advice: Callable[[str], str | None] = lambda _: None
    is_broken_connection: Callable[[str], bool] = lambda _: False
    _kept: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False, compare=False)

    def build(self, selection: Sequence[str], variables: Mapping[str, Any], run_values: Mapping[str, Any]) -> None:
        """Builds and tests the selected nodes. Their unit tests belong to the test suite, not to a run.

        `variables` affect how SQL is compiled: when one changes, dbt parses the whole project again. `run_values`
        change from run to run (see the macro run_value) and cost nothing.

        Raises:
            DbtFailed: naming every node that failed or was skipped, with dbt's message and what to do.
            WarehouseUnreachable: when the same build may succeed in a moment.
        """
        given = {"variables": {**self.variables, **variables}, "run_values": run_values}
        # fmt: off
        arguments = ["build", "--select", *selection, "--exclude-resource-type", "unit_test",
                     "--indirect-selection", "buildable",  # no tests of models that are built later
                     "--vars", json.dumps(given["variables"]),
                     "--target", self.target, *(["--threads", str(self.threads)] if self.threads else []),
                     "--log-path", str(self.state / "logs")]
        # fmt: on
        invoke = self._invoke_with_task_runs if has_prefect_server() else self._invoke
        parse = KeptParse.of(self.folder, self.target, given["variables"], self.state / "target")
        parse.fetch()
        self._last_build.parent.mkdir(parents=True, exist_ok=True)
        self._last_build.write_text(json.dumps(given), encoding="utf-8")
        with self.connection(), _environment({**self.environment, _RUN_VALUES: json.dumps(run_values)}):
            ended = invoke(arguments)
        parse.keep()
        if ended.exception is not None:  # dbt could not even start: a bad project file, profile, variable or login
            problem = str(ended.exception)
            raise self._failure(problem, [problem])
        if self.keeps_artifacts:
            built = read_artifact(self.state / "target" / RUN_RESULTS)
            self._kept[RUN_RESULTS] = merged_results(self._kept.get(RUN_RESULTS), built)
        self._require_success(ended.result.results)

    def source_freshness(self, sources: Sequence[str]) -> list[TableAge]:
        """What `dbt source freshness` finds of these sources' tables that have thresholds, after the last build.

        Raises:
            DbtFailed, WarehouseUnreachable: when dbt could not even ask.
        """
        # fmt: off
        arguments = ["source", "freshness", "--select", *(f"source:{name}" for name in sources),
                     "--vars", self._last_given("variables"), "--target", self.target,
                     "--log-path", str(self.state / "logs")]
        # fmt: on
        with self._as_in_last_build():
            ended = self._invoke(arguments)
        if ended.exception is not None:
            raise self._failure(str(ended.exception), [str(ended.exception)])
        if self.keeps_artifacts:
            self._kept[SOURCES] = read_artifact(self.state / "target" / SOURCES)
        return [table_age(result) for result in ended.result.results]

    def artifacts(self) -> dict[str, bytes]:
        """dbt's JSON files by name: the results of every node of this object's builds in one, what `source_freshness`
        has found, and the manifest and catalogue of `document`. For tools that read a finished run."""
        described = {name: self.state / "docs" / name for name in (MANIFEST, CATALOG)}
        return {
            **{name: file.read_bytes() for name, file in described.items() if file.exists()},
            **{name: json.dumps(content).encode() for name, content in self._kept.items()},
        }

    def _last_given(self, name: str) -> str:
        """The variables or run values of the last build, as JSON."""
        return json.dumps(json.loads(self._last_build.read_text(encoding="utf-8"))[name])

    @contextmanager
    def _as_in_last_build(self) -> Iterator[None]:
        with self.connection(), _environment({**self.environment, _RUN_VALUES: self._last_given("run_values")}):
            yield

    @property
    def _last_build(self) -> Path:
        """The parameters of dbt's last build."""
        return self.state / "last_build.json"

    def _invoke(self, arguments: Sequence[str]) -> Any:
        from dbt.cli.main import dbtRunner  # takes a second and a half, so it is imported only for a build

        # fmt: off
        return dbtRunner(callbacks=[_log_built]).invoke(
            [*arguments, "--project-dir", str(self.folder), "--profiles-dir", str(self.folder),
             "--target-path", str(self.state / "target"), "--log-level", "none", "--log-level-file", "warn",
             *(() if self.keeps_artifacts else ("--no-write-json",))]
        )
        # fmt: on

    def _invoke_with_task_runs(self, arguments: Sequence[str]) -> Any:
        from dbt.cli.main import dbtRunnerResult
        from dbt_common.events.base_types import EventLevel
        from prefect_dbt import PrefectDbtRunner, PrefectDbtSettings

        settings = PrefectDbtSettings(
            project_dir=self.folder,
            profiles_dir=self.folder,
            target_path=self.state / "target",
            log_level=EventLevel.WARN,
        )
        runner = PrefectDbtRunner(settings=settings, raise_on_failure=False, disable_assets=True)
        runner.post_model(_log_built_node)
        try:
            with _task_runs_awaited():
                return runner.invoke(list(arguments))
        except ValueError as error:
            return dbtRunnerResult(success=False, exception=error)

    def document(self, file: Path) -> None:
        """Writes dbt's documentation of models, columns, tests and exposures after the last build as one self-contained
        page.

        Raises:
            BadInput: when nothing was built yet.
            DbtFailed: with dbt's message.
        """
        from dbt.cli.main import dbtRunner

        if not self._last_build.exists():
            raise BadInput("There is nothing to document yet: `make run` first.")
        # fmt: off
        arguments = ["--quiet", "docs", "generate", "--static", "--vars", self._last_given("variables"),
                     "--target", self.target,
                     "--project-dir", str(self.folder), "--profiles-dir", str(self.folder),
                     "--target-path", str(self.state / "docs"), "--log-path", str(self.state / "logs")]
        # fmt: on
        with self._as_in_last_build():
            ended = dbtRunner().invoke(arguments)
        if not ended.success:
            text = str(ended.exception or "dbt could not document the warehouse: see its messages above.")
            raise self._failure(text, [text])
        (self.state / "docs" / "static_index.html").replace(file)

    def _failure(self, text: str, messages: Sequence[str]) -> PipelineError:
        if any(self.is_broken_connection(message) for message in messages):
            return WarehouseUnreachable(text)
        steps = dict.fromkeys(step for message in messages if (step := self.advice(message)))
        return DbtFailed("\n".join([text, *steps]))

    def _require_success(self, results: Sequence[Any]) -> None:
        """prefect-dbt has reported failures as successes before, so dbt's own results decide."""
        bad = [result for result in results if result.status not in _GOOD]
        if bad:
            failed_first = sorted(bad, key=lambda result: result.status == "skipped")
            lines = [
                f"{result.node.unique_id} {result.status}: {result.message or 'depends on one above'}"
                for result in failed_first
            ]
            text = "dbt could not build everything:\n  " + "\n  ".join(lines)
            raise self._failure(text, [result.message or "" for result in bad])
        if not results:
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


def _log_built(event: Any) -> None:
    """dbt's own event that a node is done."""
    if event.info.name == "NodeFinished":
        node = event.data.node_info
        if node.resource_type == "model" and node.node_status == "success":
            log.info("built %s.%s", node.node_relation.schema, node.node_relation.alias)


def _log_built_node(node: Any) -> None:
    """The same from prefect-dbt."""
    if node.status not in (None, "error"):
        log.info("built %s.%s", node.node.schema, node.node.name)


@contextmanager
def _task_runs_awaited() -> Iterator[None]:
    """prefect-dbt does not wait for the task runs of the last nodes, which then race with what follows: the environment
    is restored while they read it, or the process ends."""
    before = set(threading.enumerate())
    try:
        yield
    finally:
        for thread in set(threading.enumerate()) - before:
            if "run_task" in thread.name:
                thread.join(timeout=30)
