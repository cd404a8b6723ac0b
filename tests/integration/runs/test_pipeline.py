"""Whole runs on small shops, in this process, with real dbt, DuckDB, Prefect and ONNX."""

import json
import subprocess
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from flows.adapters.models.registry import ModelRegistry
from flows.console.run_summary import as_markdown
from flows.settings import REPOSITORY
from flows.steps.outputs import publish
from functions.churn_api.contract import FEATURE_NAMES
from functions.churn_api.customer_features import CustomerFeatures
from functions.churn_api.scorer import Scorer, day_of_year
from tests.running.both_engines import parsed
from tests.running.marts import MARTS

pytestmark = pytest.mark.whole_run


@pytest.fixture(scope="module")
def simulated(tmp_path_factory, run_pipeline):
    data_dir = tmp_path_factory.mktemp("simulated")
    return data_dir, run_pipeline(data_dir, customers=900, seed=5)


def test_every_customer_with_a_purchase_is_segmented_and_scored(simulated, read):
    data_dir, report = simulated
    counts = {name: read(data_dir, f"from marts.{name}").num_rows for name in MARTS}
    assert set(counts.values()) == {report.customers}
    assert report.model is not None
    assert not report.model.shipped


def test_the_warehouse_scores_as_the_api_does(simulated, read):
    data_dir, report = simulated
    champion = ModelRegistry(str(data_dir / "models"), data_dir).champion()
    scored = read(data_dir, "from marts.customer_features join marts.churn_predictions using (customer_id)")
    features = np.column_stack([scored.column(n).cast(pa.float64()).to_numpy() for n in FEATURE_NAMES])
    expected = Scorer.load(champion.content).score(features, np.full(len(features), day_of_year(report.as_of.date)))
    for name in ("churn_probability", "expected_spend"):
        assert scored.column(name).to_numpy() == pytest.approx(getattr(expected, name), rel=1e-12)
    listed = read(data_dir, "from marts.marketing_customers").to_pylist()
    reasons = {row["customer_id"]: [row[f"reason_{n}"] for n in (1, 2, 3)] for row in listed}
    expected_reasons = zip(*expected.reasons, strict=True)
    for customer, phrases in zip(scored.column("customer_id").to_pylist(), expected_reasons, strict=True):
        assert reasons[customer] == list(phrases)
    due = [row["next_order_on"] for row in scored.select(["next_order_on"]).to_pylist()]
    days = np.ceil(expected.next_order_days[:, 1])
    assert [None if np.isnan(d) else report.as_of.date + timedelta(days=int(d)) for d in days] == due
    assert set(scored.column("model_version").to_pylist()) == {champion.version}


def test_the_report_names_the_best_possible_auc_and_stays_below_it(simulated):
    _, report = simulated
    quality = report.model.quality
    assert report.model.best_possible_auc > quality["auc"] - 3 * quality["auc_standard_error"]
    assert quality["auc"] > 0.7


def test_the_parts_add_up(simulated, read):
    data_dir, report = simulated
    judged, kept, rejected, unreadable = (
        read(data_dir, f"select count(*) as n from {relation}").column("n")[0].as_py()
        for relation in (
            "staging.stg_shop__order_lines_validated",
            "staging.stg_shop__order_lines",
            "raw.rejected_rows",
            "raw.unreadable_lines",
        )
    )
    assert report.order_lines == judged
    assert judged + unreadable == kept + rejected
    total = sum(report.segments.column("customers").to_pylist())
    assert total == read(data_dir, "from marts.marketing_customers").num_rows


def test_every_model_and_column_in_the_warehouse_is_documented(simulated, read):
    data_dir, report = simulated
    nodes = [n for n in parsed(report.settings).nodes.values() if n.resource_type in ("model", "seed")]
    assert len(nodes) > 10
    for node in nodes:
        built = read(
            data_dir,
            "select column_name from information_schema.columns"
            f" where table_schema = '{node.schema}' and table_name = '{node.alias}'",
        )
        assert node.description, f"{node.name} has no description"
        documented = {name for name, column in node.columns.items() if column.description}
        assert documented == set(built.column("column_name").to_pylist()), node.name


def test_with_a_prefect_server_the_run_leaves_its_summary_and_segments_as_artifacts(simulated, prefect_api):
    from prefect.client.orchestration import get_client

    _, report = simulated
    publish(report)
    with get_client(sync_client=True) as client:
        left = [(artifact.key, artifact.data) for artifact in client.read_artifacts()]
    for key, words in (
        ("run-summary", f"{report.order_lines:,} order lines"), ("segments", "Champions"),
        ("model-monitoring", "feature_drift"),
    ):  # fmt: skip
        assert any(words in data for name, data in left if name == key), key


def test_the_model_is_stored_with_its_card_and_its_report(simulated):
    data_dir, report = simulated
    folder = data_dir / "models" / report.model.version
    assert {path.name for path in folder.iterdir()} == {"model.onnx", "model_card.json", "report.html"}
    card = json.loads((folder / "model_card.json").read_text())
    assert {"intended_use", "limits", "trained_on", "comparison", "by_segment", "by_purchases"} <= card.keys()
    assert [h["date"] for h in card["held_out"]] == [str(h.day) for h in report.model.trained.backtest.held_out]


def test_the_horizon_comes_from_the_shops_own_gaps_and_is_reported(simulated):
    _, report = simulated
    assert report.as_of.horizon_days in (60, 90)
    assert f"looking {report.as_of.horizon_days} days ahead: three quarters of the gaps" in as_markdown(report)


def test_the_columns_of_the_mart_are_in_the_order_of_the_contract(simulated, read):
    data_dir, _ = simulated
    names = tuple(read(data_dir, "from marts.customer_features limit 0").column_names)
    assert names == ("customer_id", "as_of_date", *FEATURE_NAMES)


def test_every_row_of_the_mart_fits_the_contract(simulated, read):
    """Or the API would refuse what the warehouse scores."""
    data_dir, _ = simulated
    for row in read(data_dir, f"select {', '.join(FEATURE_NAMES)} from marts.customer_features").to_pylist():
        CustomerFeatures.model_validate(row)


def test_a_run_leaves_nothing_of_prefect_or_dbt_outside_the_data_folder(simulated):
    status = subprocess.run(
        ["git", "status", "--porcelain", "--ignored", "dbt_project"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert not [line for line in status.splitlines() if "target" in line or "logs" in line], status


def test_a_run_without_training_scores_with_the_champion_as_it_is(simulated, run_pipeline, read):
    """What production does every day. It comes last here: it leaves other timestamps."""
    data_dir, report = simulated
    query = "select customer_id, churn_probability, reason_1 from marts.churn_predictions order by 1"
    before = read(data_dir, query)
    daily = run_pipeline(data_dir, retrain=False, customers=900, seed=5)
    assert daily.model.version == report.model.version
    assert read(data_dir, query).equals(before)
    assert "not again in this run" in as_markdown(daily)
    assert daily.model.quality == report.model.quality
