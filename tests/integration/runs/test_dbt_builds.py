"""How a run builds the dbt project: it parses once, and reports failures alike with and without a Prefect server."""

import json
import subprocess
import sys

import pytest

from flows.adapters.dbt import runner as dbt_runner
from flows.adapters.dbt.parse import KeptParse
from flows.adapters.dbt.runner import DbtProject
from flows.errors import DbtFailed
from flows.settings import Settings
from flows.wiring import wire
from tests.running.dbt import DBT_PROJECT, dbt

VALUES = {"as_of_date": "2026-06-30", "horizon_days": 90}
SEEDS = ("rfm_segments", "rfm_segment_rules")


@pytest.fixture
def project(tmp_path) -> DbtProject:
    """As a build of the seeds has left it."""
    project = wire(Settings(data_dir=tmp_path)).dbt
    project.build(SEEDS, {}, VALUES)
    return project


def parsed_again(project, variables, **run_values):
    """Names of the files that dbt would parse, given what it has kept of the last build."""
    environment = {**project.environment, "DBT_ENV_CUSTOM_ENV_RUN_VALUES": json.dumps(run_values)}
    state = project.state / "target"
    ended = dbt(
        "parse",
        "--target",
        project.target,
        state=state,
        environment=environment,
        variables={**project.variables, **variables},
    )
    assert ended.success, ended.output
    found = json.loads((state / "perf_info.json").read_text())
    return sum(parser["parsed_path_count"] for of in found["projects"] for parser in of["parsers"])


def test_another_day_another_horizon_and_another_model_parse_nothing_again(project):
    for changed in (
        {"as_of_date": "2026-07-01", "run_date": "2026-07-02", "scored_at": "2026-07-02 05:00:00"},
        {"horizon_days": 60, "model_version": "m-2", "currency": "EUR", "reporting_currency": "EUR"},
        {"training_sample_below": "0fffffff", "model_folder": "/elsewhere"},
    ):
        assert parsed_again(project, {}, **changed) == 0, changed


def test_on_snowflake_the_parse_is_kept_too(tmp_path):
    given = {"SNOWFLAKE_ACCOUNT": "org-shop", "SNOWFLAKE_USER": "service", "SNOWFLAKE_DATABASE": "shop"}
    project = DbtProject(DBT_PROJECT, "snowflake", None, tmp_path, {"scoring": "udf"}, given)
    assert parsed_again(project, {}, **VALUES) > 30
    assert parsed_again(project, {}, as_of_date="2026-07-01", horizon_days=60, model_version="m-2") == 0


def test_a_run_in_a_new_data_folder_parses_nothing_that_a_run_in_another_has(project, tmp_path):
    new = wire(Settings(data_dir=tmp_path / "new")).dbt
    KeptParse.of(new.folder, new.target, {}, new.state / "target").fetch()
    assert parsed_again(new, {}, **VALUES) == 0


def test_what_decides_how_sql_is_compiled_parses_the_project_again(project):
    assert parsed_again(project, {"contacts": [], "sources": ["orders_csv"]}, **VALUES) > 30


@pytest.fixture
def logged(monkeypatch):
    """What the flows log; pytest's own handler does not survive Prefect's set-up of logging."""
    messages = []
    monkeypatch.setattr(dbt_runner.log, "info", lambda message, *values: messages.append(message % values))
    return messages


def test_a_build_leaves_the_warehouse_to_other_programs(project, tmp_path):
    open_it = "import duckdb, sys; print(duckdb.connect(sys.argv[1]).sql('show all tables').fetchall())"
    other = [sys.executable, "-c", open_it, str(tmp_path / "warehouse.duckdb")]
    assert "rfm_segments" in subprocess.run(other, capture_output=True, text=True, check=True).stdout


def test_a_build_says_what_it_has_built(project, logged):
    project.build(("campaigns", "segment_activations"), {}, VALUES)
    assert sorted(logged) == ["built marts.campaigns", "built marts.segment_activations"]


def failure_of(project):
    """What a build says that cannot succeed: there are no orders."""
    with pytest.raises(DbtFailed) as failed:
        project.build(("int_order_lines", "int_purchases"), {}, VALUES)
    return str(failed.value)


@pytest.fixture
def failure_without_a_server(project):
    return failure_of(project)


def test_a_failure_names_what_failed_and_what_was_skipped_for_it(failure_without_a_server):
    assert "model.rfm_churn.int_order_lines error: " in failure_without_a_server
    assert "stg_shop__sold_and_returned" in failure_without_a_server
    assert "model.rfm_churn.int_purchases skipped: depends on one above" in failure_without_a_server


def test_with_a_prefect_server_success_and_failure_are_reported_alike(
    project, failure_without_a_server, prefect_api, logged
):
    assert failure_of(project) == failure_without_a_server
    project.build(("campaigns",), {}, VALUES)
    assert logged == ["built marts.campaigns"]
