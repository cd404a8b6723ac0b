"""Flows and tasks with and without a Prefect server."""

import subprocess
import sys
from datetime import date
from types import SimpleNamespace
from typing import Protocol

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate

from flows import orchestration
from flows.errors import BadInput, WarehouseBusy
from flows.orchestration import flow, keep_markdown, keep_table, run_id, task, waits_for_warehouse
from flows.timings import spent


@pytest.fixture
def pauses(monkeypatch):
    """The pauses that were made, none of which takes any time."""
    made = []
    monkeypatch.setattr(orchestration.time, "sleep", made.append)
    return made


def failing(times, error):
    """A task that fails so often before it succeeds, and how often it was tried."""
    tries = []

    @task(retry=waits_for_warehouse)
    def attempt():
        tries.append(None)
        if len(tries) <= times:
            raise error
        return "done"

    return attempt, tries


def test_a_task_that_may_succeed_in_a_moment_is_tried_again_with_growing_pauses(pauses):
    attempt, tries = failing(2, WarehouseBusy("open elsewhere"))
    assert attempt() == "done"
    assert (len(tries), pauses) == (3, [1, 2])


def test_a_task_that_keeps_failing_fails_in_the_end_with_its_own_error(pauses):
    attempt, tries = failing(9, WarehouseBusy("open elsewhere"))
    with pytest.raises(WarehouseBusy, match="open elsewhere"):
        attempt()
    assert (len(tries), pauses) == (4, [1, 2, 4])


def test_what_would_fail_again_is_not_tried_again(pauses):
    attempt, tries = failing(1, BadInput("no such file"))
    with pytest.raises(BadInput):
        attempt()
    assert (len(tries), pauses) == (1, [])


def test_what_writes_takes_the_limit_of_all_machines_where_a_prefect_server_is(prefect_api):
    with get_client(sync_client=True) as client:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=orchestration.ONE_AT_A_TIME, limit=1))
        with orchestration.one_at_a_time():
            assert client.read_global_concurrency_limit_by_name(orchestration.ONE_AT_A_TIME).active_slots == 1
        assert client.read_global_concurrency_limit_by_name(orchestration.ONE_AT_A_TIME).active_slots == 0


def test_a_flow_may_take_anything_and_prefects_server_gets_none_of_it(prefect_api):
    class Adapter(Protocol):
        password: str

    @flow(name="takes-an-adapter")
    def taking(adapter: Adapter, day: date):
        return f"{adapter.password} on {day}"

    assert taking(SimpleNamespace(password="hunter2"), day=date(2026, 1, 31)) == "hunter2 on 2026-01-31"
    with get_client(sync_client=True) as client:
        runs = {client.read_flow(run.flow_id).name: run.parameters for run in client.read_flow_runs()}
    assert runs["takes-an-adapter"] == {}


def test_calls_side_by_side_end_each_for_itself_and_in_order():
    @task
    def half(number):
        if number % 2:
            raise BadInput(f"{number} is odd")
        return number // 2

    first, second, third = half.side_by_side([(4,), (5,), (6,)])
    assert (first, third) == (2, 3)
    assert isinstance(second, BadInput)
    assert half.side_by_side([]) == []


def test_a_flow_has_one_id_for_all_of_its_tasks_and_each_run_its_own():
    @flow(name="two-tasks")
    def two():
        return run_id(), task(run_id)()

    (first, in_task), (second, _) = two(), two()
    assert first == in_task != second


def test_without_a_server_nothing_is_kept_for_its_page_and_prefect_is_not_even_imported():
    program = (
        "import sys; import flows.flow.pipeline, flows.flow.campaign; from flows.orchestration import keep_markdown;"
        "keep_markdown('a', 'b', 'c'); print('prefect' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.strip() == "False", result.stderr


def test_with_a_server_flows_and_tasks_are_prefects_and_retry_alike(prefect_api):
    from prefect.client.orchestration import get_client
    from prefect.context import FlowRunContext, TaskRunContext

    tries = []

    @task(run_name="load {table}")
    def load(table):
        return TaskRunContext.get().task_run.name

    @task(retry=orchestration.RetryPolicy(on=WarehouseBusy, pauses_seconds=(0, 0)))
    def busy():
        tries.append(None)
        if len(tries) < 3:
            raise WarehouseBusy("open elsewhere")

    @flow(name="seen")
    def seen():
        busy()
        keep_table("rows", [{"a": 1}], "a table")
        keep_markdown("words", "**bold**", "a text")
        assert run_id() == str(FlowRunContext.get().flow_run.id)
        return load("orders"), load.side_by_side([("lines",), ("contacts",)])

    assert seen() == ("load orders", ["load lines", "load contacts"])
    assert len(tries) == 3
    with get_client(sync_client=True) as client:
        assert {"rows", "words"} <= {artifact.key for artifact in client.read_artifacts()}


def test_the_time_of_each_task_is_noted_under_the_name_of_its_run():
    @task(run_name="load {table}")
    def load(table):
        return table

    load("orders")
    rows = spent()
    assert "load orders" in [name for name, *_ in rows]
    assert [name for name, *_ in rows][-2:] == ["everything else", "in all"]
