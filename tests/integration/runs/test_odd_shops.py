"""Shops with too little history, several shops in one folder, and orders that cannot be reported on."""

import subprocess
import sys
from datetime import date

import pytest

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.errors import BadInput, DbtFailed, WarehouseBusy
from flows.simulator.shop import ShopProfile, simulate
from tests.running.browser import packed_data
from tests.running.marts import mart, write_orders

pytestmark = pytest.mark.whole_run


def test_with_too_little_data_segments_are_delivered_and_the_shipped_model_scores(tmp_path, run_pipeline, read):
    orders = write_orders(tmp_path / "orders.csv", simulate(ShopProfile(customers=60, seed=1)).order_lines)
    report = run_pipeline(tmp_path / "data", orders=orders)
    assert report.model.shipped
    assert "needs 200" in report.model.why_shipped
    versions = set(read(tmp_path / "data", "from marts.churn_predictions").column("model_version").to_pylist())
    assert len(versions) == 1
    assert versions.pop().startswith("shipped-")
    assert read(tmp_path / "data", "from marts.customer_rfm").num_rows == report.customers > 40

    other_horizon = run_pipeline(tmp_path / "data", orders=orders, horizon_days=45)
    assert other_horizon.model is None
    assert "another horizon" in other_horizon.why_no_model
    nobody = read(tmp_path / "data", "from marts.marketing_customers where churn_probability is not null")
    assert nobody.num_rows == 0
    page = packed_data(tmp_path / "data" / "dashboard.html")["meta"]
    assert not page["is_scored"]
    assert "another horizon" in page["why_unscored"]


def test_another_shop_never_mixes_with_the_one_before(tmp_path, run_pipeline, read):
    orders = write_orders(tmp_path / "orders.csv", simulate(ShopProfile(customers=60, seed=1)).order_lines)
    data_dir = tmp_path / "data"
    run_pipeline(data_dir, customers=50)
    run_pipeline(data_dir, orders=orders)
    assert (data_dir / "warehouse.simulated_shop_50_42.duckdb").exists()
    assert mart(read, data_dir, "churn_predictions").num_rows == mart(read, data_dir, "customer_rfm").num_rows
    run_pipeline(data_dir, customers=50)
    assert (data_dir / "warehouse.orders_csv.duckdb").exists()


LINES = "customer_id,ordered_at,amount,currency\n"


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        (
            LINES + "A,2024-01-01,1,EUR\nB,2024-01-02,1,USD\nB,2024-01-03,2,USD\n",
            {},
            "(?s)never added up: USD 3.00 in 2 orders, EUR 1.00 in 1 order. .*  USD,EUR,2024-01-01,<rate>",
        ),
        (LINES + "A,2024-01-01,1,EUR\n", {"currency": "USD"}, "no rate to USD for: EUR from 2024-01-01"),
        (LINES + "A,2024-01-01,1,EUR\n", {"as_of": date(2023, 1, 1)}, "the first order is of 2024-01-01"),
        (LINES + "A,2024-01-01,1,EUR\n", {"as_of": date(2024, 1, 9)}, "the last order is of 2024-01-01"),
        (LINES + ",2024-01-01,1,EUR\nA,2024-01-01,0,EUR\n", {}, "Not one order line can be used.*no customer"),
    ],
)
def test_orders_that_cannot_be_reported_on_are_refused_with_the_reason(
    tmp_path, run_pipeline, content, settings, message
):
    (tmp_path / "orders.csv").write_text(content)
    with pytest.raises(BadInput, match=message):
        run_pipeline(tmp_path / "data", orders=str(tmp_path / "orders.csv"), **settings)


def test_a_failing_dbt_test_fails_the_flow_and_is_named(tmp_path, run_pipeline):
    run_pipeline(tmp_path, customers=50)
    with DuckDBWarehouse(tmp_path / "warehouse.duckdb", tmp_path).connect() as con:
        con.execute("insert into marts.churn_predictions (prediction_id, customer_id) values ('x', 'nobody')")
    with pytest.raises(DbtFailed, match=r"not_null_churn_predictions_churn_probability.* fail"):
        run_pipeline(tmp_path, customers=50)


def test_a_warehouse_that_is_open_elsewhere_is_refused_by_name(tmp_path):
    hold = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path / "w.duckdb")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        with pytest.raises(WarehouseBusy, match=r"w\.duckdb is open in another program"):
            DuckDBWarehouse(tmp_path / "w.duckdb", tmp_path).read("select 1")
    finally:
        holder.communicate(b"\n")
