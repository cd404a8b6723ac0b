"""dbt's metrics are the figures of page and summary: the same names, meanings and values."""

import json

import duckdb
import pytest
import yaml
from dbt_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from dbt_semantic_interfaces.validations.semantic_manifest_validator import SemanticManifestValidator

from flows.adapters.dashboard.cube import read_cube
from flows.adapters.dbt.descriptions import read_descriptions
from flows.adapters.dbt.metrics import PAGE_TEXTS
from flows.settings import REPOSITORY
from tests.running.dashboard import warehouse
from tests.running.dbt import dbt, dbt_environment

pytestmark = pytest.mark.whole_run

SQL = {"sum": "sum({})", "average": "avg({})", "count": "count({})"}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """dbt's semantic manifest of the project, as other tools read it."""
    folder = tmp_path_factory.mktemp("metrics")
    ended = dbt("parse", "--target", "duckdb", state=folder, environment=dbt_environment(folder / "none.duckdb"))
    assert ended.success, ended.output
    return PydanticSemanticManifest.parse_obj(json.loads((folder / "semantic_manifest.json").read_text()))


def compiled(manifest, name, by=()):
    """The SQL of a metric, by its definition alone."""
    (metric,) = [metric for metric in manifest.metrics if metric.name == name]
    if metric.type.value == "ratio":
        of = metric.type_params
        (relation, upper), (other, lower) = (_measure(manifest, part.name) for part in (of.numerator, of.denominator))
        assert relation == other
        figure = f"cast({upper} as double) / nullif({lower}, 0)"
    else:
        relation, figure = _measure(manifest, metric.type_params.measure.name)
    columns = ", ".join([*by, f"{figure} as {name}"])
    return f"select {columns} from {relation}" + (f" group by {', '.join(by)}" if by else "")


def _measure(manifest, name):
    for model in manifest.semantic_models:
        for measure in model.measures:
            if measure.name == name:
                relation = f"{model.node_relation.schema_name}.{model.node_relation.alias}"
                return relation, SQL[measure.agg.value].format(measure.expr or measure.name)
    raise AssertionError(name)


def test_other_tools_accept_the_definitions(manifest):
    found = SemanticManifestValidator().validate_semantic_manifest(manifest)
    assert [issue.message for issue in found.all_issues] == []
    assert len(manifest.metrics) > 12


def test_every_metric_runs_on_the_warehouse_by_everything_that_it_can_be_grouped_by(manifest, run):
    dimensions = {
        measure.name: [dimension.name for dimension in model.dimensions]
        for model in manifest.semantic_models
        for measure in model.measures
    }
    for metric in manifest.metrics:
        of = metric.type_params.measure or metric.type_params.numerator
        for by in [(), *((name,) for name in dimensions[of.name])]:
            warehouse(run).read(compiled(manifest, metric.name, by))


def test_metrics_are_the_figures_of_the_summary_and_the_page(manifest, run):
    in_summary = {row["segment"]: row for row in run.segments.to_pylist()}
    cube = read_cube(warehouse(run)).cells
    for name in ("customers", "spend_last_365_days", "expected_spend", "expected_loss", "clv"):
        rows = warehouse(run).read(compiled(manifest, name, ("segment",))).to_pylist()
        for row in rows:
            assert row[name] == pytest.approx(in_summary[row["segment"]][name] or 0), (name, row["segment"])
        total = sum(row[name] for row in rows)
        if name in cube:
            in_cube = sum(cube[name]) / (1 if name == "customers" else 100)  # the page has cents
            assert in_cube == pytest.approx(total, rel=1e-3), name
    leaving = warehouse(run).read(compiled(manifest, "mean_churn_probability", ("segment",))).to_pylist()
    for row in leaving:
        assert row["mean_churn_probability"] == pytest.approx(in_summary[row["segment"]]["mean_churn_probability"])
    assert {"customers", "expected_loss"} <= set(cube)


def test_campaigns_are_counted_once_and_only_where_their_arms_are_as_drawn(manifest):
    with duckdb.connect() as con:
        con.execute(
            """create schema marts; create table marts.campaign_results as
            select * from (values ('a', 'all', false, 300.0, 100.0), ('a', 'Loyal', false, 200.0, 90.0),
                ('b', 'all', false, 100.0, 100.0), ('c', 'all', true, 9000.0, 1.0)
            ) as given (campaign, segment, is_sample_ratio_off, incremental_revenue, cost)"""
        )
        for name, value in (("incremental_revenue", 400.0), ("campaign_cost", 200.0), ("return_on_spend", 2.0)):
            assert con.execute(compiled(manifest, name)).fetchone() == (value,)


def test_a_metric_is_called_and_described_as_on_the_page_and_in_the_documentation(manifest):
    labels = yaml.safe_load(PAGE_TEXTS.read_text(encoding="utf-8"))["labels"]
    columns = read_descriptions(REPOSITORY / "dbt_project").of("marketing_customers").columns
    metrics = {metric.name: metric for metric in manifest.metrics}
    for name in ("spend_last_365_days", "expected_spend", "expected_loss"):
        assert metrics[name].label == labels[name]["en"]
        assert metrics[name].config.meta["label_fr"] == labels[name]["fr"]
        assert metrics[name].description == columns[name]
    assert len({metric.label for metric in manifest.metrics}) == len(metrics)
