"""Flows and tasks: Prefect's with a Prefect server, plain function calls without one.

PREFECT_API_URL decides. A laptop has no such server; a temporary one costs each run some eight seconds, and is left
running when its run is killed. Names and retries are the same in both; Prefect is imported and artifacts are stored
only with a server."""

import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property, update_wrapper
from inspect import signature
from typing import Any, Generic, ParamSpec, TypeVar, overload

from flows.errors import TryAgain
from flows.timings import timed

log = logging.getLogger(__name__)

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def has_prefect_server() -> bool:
    """Whether flows report to a Prefect server. Only the environment decides, never a profile of the user."""
    return bool(os.environ.get("PREFECT_API_URL"))


@dataclass(frozen=True)
class RetryPolicy:
    """A task that fails with `on` is tried again after each of the pauses; other failures would fail again."""

    on: type[Exception]
    pauses_seconds: tuple[float, ...]

    def call(self, attempt: Callable[[], Result]) -> Result:
        for pause in self.pauses_seconds:
            try:
                return attempt()
            except self.on:
                time.sleep(pause)
        return attempt()

    def as_prefect_options(self) -> Mapping[str, Any]:
        def is_worth_another_try(_task: Any, _run: Any, state: Any) -> bool:
            return isinstance(state.result(raise_on_failure=False), self.on)

        return {
            "retries": len(self.pauses_seconds),
            "retry_delay_seconds": list(self.pauses_seconds),
            "retry_condition_fn": is_worth_another_try,
        }


# a reader of the laptop's warehouse, or an outage of Snowflake, may end in a moment
waits_for_warehouse = RetryPolicy(on=TryAgain, pauses_seconds=(1, 2, 4))

ONE_AT_A_TIME = "rfm-churn"  # the concurrency limit of all that writes to the warehouse, over deployments and machines

_run_id: ContextVar[str] = ContextVar("run_id")


class Flow(Generic[Parameters, Result]):
    """Runs a function as a flow."""

    def __init__(self, function: Callable[Parameters, Result], name: str) -> None:
        self.fn, self.name = function, name
        update_wrapper(self, function)

    def __call__(self, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        if has_prefect_server():
            result: Result = self._in_prefect(*args, **kwargs)
            return result
        token = _run_id.set(str(uuid.uuid4()))
        try:
            return self.fn(*args, **kwargs)
        finally:
            _run_id.reset(token)

    def _in_prefect(self, *args: Any, **kwargs: Any) -> Any:
        import prefect

        def call() -> Result:
            return self.fn(*args, **kwargs)

        # without parameters: Prefect's server would keep a copy of them, and of whatever secrets an adapter holds
        call.__doc__ = self.fn.__doc__
        return prefect.flow(name=self.name)(call)()


class Task(Generic[Parameters, Result]):
    """Runs a function as a task of a flow."""

    def __init__(self, function: Callable[Parameters, Result], run_name: str | None, retry: RetryPolicy | None) -> None:
        self.fn, self.run_name, self.retry = function, run_name, retry
        update_wrapper(self, function)

    def __call__(self, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        with timed(self._name_of_run(*args, **kwargs)):
            if has_prefect_server():
                result: Result = self._in_prefect(*args, **kwargs)
                return result
            if self.retry is None:
                return self.fn(*args, **kwargs)
            return self.retry.call(lambda: self.fn(*args, **kwargs))

    def _name_of_run(self, *args: Any, **kwargs: Any) -> str:
        if self.run_name is None:
            return self.fn.__name__.replace("_", " ")
        return self.run_name.format_map(signature(self.fn).bind(*args, **kwargs).arguments)

    def side_by_side(self, calls: Sequence[tuple[Any, ...]]) -> list[Result | BaseException]:
        """The outcomes of concurrent calls, in their order: a failure affects only its own."""
        if has_prefect_server():
            futures = [self._in_prefect.submit(*arguments) for arguments in calls]
            return [future.result(raise_on_failure=False) for future in futures]
        with ThreadPoolExecutor(max_workers=max(len(calls), 1)) as threads:
            started = [threads.submit(self, *arguments) for arguments in calls]  # type: ignore[call-arg]
        return [future.exception() or future.result() for future in started]

    @cached_property
    def _in_prefect(self) -> Any:
        import prefect
        from prefect.cache_policies import NO_CACHE

        # no cache: tasks have side effects, and their arguments are no cache key
        return prefect.task(
            task_run_name=self.run_name,
            cache_policy=NO_CACHE,
            **(self.retry.as_prefect_options() if self.retry else {}),
        )(self.fn)


def flow(name: str) -> Callable[[Callable[Parameters, Result]], Flow[Parameters, Result]]:
    """Makes a function a flow."""
    return lambda function: Flow(function, name)


@overload
def task(function: Callable[Parameters, Result]) -> Task[Parameters, Result]: ...


@overload
def task(
    *, run_name: str | None = None, retry: RetryPolicy | None = None
) -> Callable[[Callable[Parameters, Result]], Task[Parameters, Result]]: ...


def task(function: Any = None, *, run_name: str | None = None, retry: RetryPolicy | None = None) -> Any:
    """Makes a function a task. `run_name`: what Prefect calls each run, with the arguments' names in braces."""
    if function is not None:
        return Task(function, run_name, retry)
    return lambda decorated: Task(decorated, run_name, retry)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Waits until no other run of any machine writes to the warehouse, and holds them off for the length of the block.

    Without a Prefect server there is one machine, whose run lock does for it."""
    if not has_prefect_server():
        yield
        return
    from prefect.concurrency.sync import concurrency

    log.info("waiting for other runs to end, if there are any")
    with concurrency(ONE_AT_A_TIME):
        yield


def run_id() -> str:
    """The id of the current flow run, the same in each attempt of its tasks."""
    if has_prefect_server():
        from prefect import runtime

        return str(runtime.flow_run.id)
    return _run_id.get()


def alert(about: str, warnings: Sequence[str]) -> None:
    """Logs warnings, and sends them as one event to a Prefect server: flows/automations.yaml says whom that tells.

    `about`: a word for what they are about. They name no customer: Prefect keeps them, and an erasure does not reach
    it."""
    for warning in warnings:
        log.warning(warning)
    if warnings and has_prefect_server():
        from prefect.events import emit_event

        emit_event(
            "rfm-churn.warning",
            resource={"prefect.resource.id": f"rfm-churn.{about}", "prefect.resource.name": about},
            payload={"text": "; ".join(warnings)},
        )


def keep_table(key: str, rows: list[dict[str, Any]], description: str) -> None:
    """An artifact of the flow run, where a server keeps them."""
    if has_prefect_server():
        from prefect.artifacts import create_table_artifact

        create_table_artifact(rows, key=key, description=description)


def keep_markdown(key: str, text: str, description: str) -> None:
    """An artifact of the flow run, where a server keeps them."""
    if has_prefect_server():
        from prefect.artifacts import create_markdown_artifact

        create_markdown_artifact(text, key=key, description=description)
