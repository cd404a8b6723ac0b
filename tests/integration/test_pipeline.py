"""Whole runs on small shops, in this process, with real dbt, DuckDB, Prefect and ONNX."""

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from flows.adapters.model_store import ModelStore
from flows.settings import REPOSITORY
from functions.churn_api.contract import FEATURE_NAMES
from functions.churn_api.scorer import Scorer
from tests.integration.marts import MARTS

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
    data_dir, _ = simulated
    champion = ModelStore(data_dir / "models").champion()
    scored = read(data_dir, "from marts.customer_features join marts.churn_predictions using (customer_id)")
    features = np.column_stack([scored.column(n).cast(pa.float64()).to_numpy() for n in FEATURE_NAMES])
    expected = Scorer.load(champion.folder / "model.onnx").churn_probability(features.astype(np.float32))
    assert np.abs(scored.column("churn_probability").to_numpy() - expected).max() < 1e-6
    assert set(scored.column("model_version").to_pylist()) == {champion.version}


def test_the_report_names_the_best_possible_auc_and_stays_below_it(simulated):
    _, report = simulated
    assert report.model.best_possible_auc > report.model.quality.auc - 3 * report.model.quality.auc_standard_error
    assert report.model.quality.auc > 0.7


def test_the_parts_add_up(simulated, read):
    data_dir, report = simulated
    judged, kept, rejected, unreadable = (
        read(data_dir, f"select count(*) as n from {relation}").column("n")[0].as_py()
        for relation in (
            "staging.stg_csv__order_lines_judged",
            "staging.stg_csv__order_lines",
            "raw.rejected_rows",
            "raw.unreadable_lines",
        )
    )
    assert report.landing.rows == judged
    assert judged + unreadable == kept + rejected
    total = sum(report.segments.column("customers").to_pylist())
    assert total == read(data_dir, "from marts.marketing_customers").num_rows


def test_every_model_and_column_in_the_warehouse_is_documented(simulated, read):
    data_dir, _ = simulated
    manifest = json.loads((data_dir / ".dbt" / "target" / "manifest.json").read_text())
    nodes = [n for n in manifest["nodes"].values() if n["resource_type"] in ("model", "seed")]
    assert len(nodes) > 10
    for node in nodes:
        built = read(
            data_dir,
            "select column_name from information_schema.columns"
            f" where table_schema = '{node['schema']}' and table_name = '{node['alias']}'",
        )
        assert node["description"], f"{node['name']} has no description"
        documented = {name for name, column in node["columns"].items() if column["description"]}
        assert documented == set(built.column("column_name").to_pylist()), node["name"]


def test_the_run_leaves_its_summary_and_segments_as_artifacts(simulated):
    from prefect.client.orchestration import get_client

    _, report = simulated
    with get_client(sync_client=True) as client:
        artifacts = {artifact.key: artifact.data for artifact in client.read_artifacts()}
    assert f"{report.landing.rows:,} order lines" in artifacts["run-summary"]
    assert "Champions" in artifacts["segments"]


def test_the_columns_of_the_mart_stand_in_the_order_of_the_contract(simulated, read):
    data_dir, _ = simulated
    names = tuple(read(data_dir, "from marts.customer_features limit 0").column_names)
    assert names == ("customer_id", "as_of_date", *FEATURE_NAMES)


def test_the_unit_tests_of_dbt_pass(simulated):
    data_dir, _ = simulated
    dbt = subprocess.run(
        [
            *(sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--no-use-colors"),
            *("test", "--select", "test_type:unit"),
            *("--project-dir", "dbt_project", "--profiles-dir", "dbt_project"),
            *("--target-path", str(data_dir / "dbt-unit"), "--log-path", str(data_dir / "dbt-unit")),
            *("--vars", json.dumps({"warehouse_file": str(data_dir / "warehouse.duckdb")})),
        ],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert dbt.returncode == 0, dbt.stdout
    assert "TOTAL=6" in dbt.stdout


def test_a_run_leaves_nothing_of_prefect_or_dbt_outside_the_data_folder(simulated):
    status = subprocess.run(
        ["git", "status", "--porcelain", "--ignored", "dbt_project"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert not [line for line in status.splitlines() if "target" in line or "logs" in line], status
