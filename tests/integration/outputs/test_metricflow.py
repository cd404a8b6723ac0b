"""The real MetricFlow reads our dbt's semantic manifest, and its figures are those of the marts.

It is in an environment of its own (`make metricflow`), with our versions of dbt and DuckDB."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv
import pytest
import yaml

from flows.adapters.dbt.metrics import MODELS, RATIOS
from flows.settings import REPOSITORY
from tests.running.dbt import DBT_PROJECT, dbt, dbt_environment

METRICFLOW = Path(sys.prefix) / "metricflow"
SECONDS = 300

pytestmark = [
    pytest.mark.whole_run,
    pytest.mark.release,
    pytest.mark.skipif(not METRICFLOW.exists(), reason="make metricflow installs MetricFlow"),
]
CAMPAIGNS = """(values
    ('a', 'all', false, date '2026-01-31', 300.0, 100.0, 20.0, 9.0),
    ('a', 'Loyal', false, date '2026-01-31', 200.0, 90.0, 10.0, 5.0),
    ('b', 'all', false, date '2026-02-28', 100.0, 100.0, -40.0, 4.0),
    ('c', 'all', true, date '2026-02-28', 9000.0, 1.0, 8000.0, 700.0)
) as given (
    campaign, segment, is_sample_ratio_off, launched_on, incremental_revenue, cost, profit, additional_buyers
)"""
PROMISES = """(values
    ('campaign_profit', 'a', date '2026-03-02', 50.0, 20.0),
    ('campaign_profit', 'b', date '2026-03-30', 70.0, -40.0),
    ('expected_spend', 'all customers', date '2026-09-28', 900.0, null)
) as given (kind, subject, due_on, promised, came)"""


@pytest.fixture(scope="module")
def project(run, tmp_path_factory):
    """A copy of the dbt project with a profile for MetricFlow, parsed by our own dbt; and of the warehouse, where two
    campaigns and their promises have come due."""
    folder = tmp_path_factory.mktemp("metricflow")
    project, file = folder / "project", folder / "warehouse.duckdb"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs", "profiles.yml"))
    shutil.copy(run.settings.warehouse_file, file)
    with duckdb.connect(file) as con:
        for mart, rows in (("campaign_results", CAMPAIGNS), ("promises", PROMISES)):
            con.execute(f"delete from marts.{mart}")
            con.execute(f"insert into marts.{mart} by name select * from {rows}")
    output = {"type": "duckdb", "path": str(file), "schema": "main", "threads": 1}
    profiles = {"rfm_churn": {"target": "duckdb", "outputs": {"duckdb": output}}}
    (project / "profiles.yml").write_text(yaml.safe_dump(profiles))
    environment = dbt_environment(folder / "none.duckdb")
    ended = dbt("parse", "--target", "duckdb", state=project / "target", environment=environment)
    assert ended.success, ended.output
    return project, file


def in_its_environment(project, program, *arguments):
    done = subprocess.run(
        [METRICFLOW / "bin" / program, *map(str, arguments)], cwd=project, capture_output=True, text=True,
        timeout=SECONDS, env=os.environ | {"DBT_PROFILES_DIR": str(project), "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def queried(project, metrics, by):
    """Rows of `mf query`, by the value of what they are grouped by."""
    file = project / "figures.csv"
    in_its_environment(project, "mf", "query", "--metrics", ",".join(metrics), "--group-by", by, "--csv", file)
    text = pyarrow.csv.ConvertOptions(column_types={by: pa.string()}, strings_can_be_null=True)
    rows = pyarrow.csv.read_csv(file, convert_options=text).to_pylist()
    return {row.pop(by): row for row in rows}


def figures(file, mart, expressions, by):
    """The same from the mart itself."""
    columns = ", ".join(f"{sql} as {name}" for name, sql in expressions.items())
    with duckdb.connect(file, read_only=True) as con:
        rows = con.sql(f"select cast({by} as varchar) as by, {columns} from marts.{mart} group by 1").to_arrow_table()
    return {row.pop("by"): row for row in rows.to_pylist()}


def test_it_finds_nothing_to_object_to_in_definitions_and_warehouse(project):
    said = in_its_environment(project[0], "mf", "validate-configs")
    assert "Successfully validated metrics against data warehouse (ERRORS: 0, FUTURE_ERRORS: 0, WARNINGS: 0)" in said


WHOLE = "segment = 'all' and not is_sample_ratio_off"
OF_MARTS = {
    ("marketing_customers", "customer", "segment"): {
        "customers": "count(*)", "spend_last_365_days": "sum(spend_last_365_days)",
        "expected_spend": "sum(expected_spend)", "expected_loss": "sum(expected_loss)", "clv": "sum(clv)",
        "win_back_value": "sum(win_back_value)", "mean_churn_probability": "avg(churn_probability)",
    },
    ("campaign_results", "campaign", "segment"): {
        "campaign_cost": f"sum(cost) filter ({WHOLE})", "campaign_profit": f"sum(profit) filter ({WHOLE})",
        "additional_buyers": f"sum(additional_buyers) filter ({WHOLE})",
        "incremental_revenue": f"sum(incremental_revenue) filter ({WHOLE})",
        "return_on_spend": f"sum(incremental_revenue) filter ({WHOLE}) / sum(cost) filter ({WHOLE})",
    },
    ("promises", "promise", "kind"): {
        "promised": "sum(promised) filter (came is not null)", "came": "sum(came)",
    },
    ("cohort_retention", "cohort", "quarters_since"): {
        "cohort_customers": "sum(customers)", "active_customers": "sum(active_customers)",
        "retention": "sum(active_customers) / cast(sum(customers) as double)",
    },
}  # fmt: skip


@pytest.mark.parametrize("mart", list(OF_MARTS), ids=lambda mart: mart[0])
def test_its_figures_are_those_of_the_mart(project, mart):
    folder, file = project
    name, entity, dimension = mart
    found = queried(folder, OF_MARTS[mart], f"{entity}__{dimension}")
    expected = figures(file, name, OF_MARTS[mart], dimension)
    assert found.keys() == expected.keys()
    assert len(found) > 1
    for value, row in expected.items():
        assert found[value] == {name: pytest.approx(figure) if figure else figure for name, figure in row.items()}, (
            value
        )


def test_every_metric_is_queried():
    ours = {metric.name for model in MODELS for metric in model.metrics} | {ratio.name for ratio in RATIOS}
    assert {name for of in OF_MARTS.values() for name in of} == ours


def test_its_export_as_open_semantic_interchange_has_every_metric_and_mart(project):
    folder, _ = project
    file, script = folder / "metrics.osi.json", REPOSITORY / "tests" / "running" / "as_osi.py"
    in_its_environment(folder, "python", script, folder / "target" / "semantic_manifest.json", file)
    (model,) = json.loads(file.read_text())["semantic_model"]
    expressions = {metric["name"]: metric["expression"]["dialects"][0]["expression"] for metric in model["metrics"]}
    assert expressions.keys() == {name for of in OF_MARTS.values() for name in of}
    assert "SUM" in expressions["expected_loss"].upper()
    assert "/" in expressions["retention"]
    assert {dataset["name"] for dataset in model["datasets"]} == {of.mart for of in MODELS}
