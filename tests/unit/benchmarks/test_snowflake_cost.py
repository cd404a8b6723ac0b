"""The model behind docs/snowflake-cost.md."""

from dataclasses import replace

import pytest

from tests.benchmarks import cost_model as cost
from tests.benchmarks.cost_of_services import services
from tests.benchmarks.cost_page import page as written
from tests.benchmarks.snowflake_cost import PAGE

MEASURED = cost.Measured(
    rows={}, bytes={"staging.lines": 10_000_000, "marts.churn_predictions": 5_000_000, "marts.x": 1_000},
    parents={"marts.x": ["staging.lines"], "intermediate.int_training_snapshots": ["staging.lines"]},
    daily_core_seconds=8.0, training_core_seconds=16.0, daily_nodes=40, request_bytes=900, response_bytes=500,
    order_bytes=50_000_000,
)  # fmt: skip


def test_a_larger_shop_stores_reads_and_costs_more_and_gets_a_larger_warehouse_once_time_runs_out():
    small, large, huge = (cost.bill(MEASURED, customers) for customers in (100_000, 10_000_000, 10_000_000_000))
    assert large.scanned_bytes == pytest.approx(100 * small.scanned_bytes)
    assert large.stored_bytes == pytest.approx(100 * small.stored_bytes)
    assert small.dollars < large.dollars < huge.dollars
    assert (small.size, large.size) == ("XS", "XS")
    assert huge.size not in ("XS", "S", "M")
    assert huge.daily_seconds <= cost.MAX_SECONDS


def test_a_daily_run_does_not_pay_for_training_snapshots():
    assert cost.bill(MEASURED, 100_000).scanned_bytes == 10_000_000


def test_snapshots_of_a_sample_are_as_large_for_every_shop():
    with_snapshots = replace(MEASURED, bytes=MEASURED.bytes | {"intermediate.int_training_snapshots": 7_000_000})
    for customers in (100_000, 10_000_000):
        more = cost.bill(with_snapshots, customers).stored_bytes - cost.bill(MEASURED, customers).stored_bytes
        assert more == 7_000_000


def test_everything_costs_the_least_and_each_service_besides():
    bill = cost.bill(MEASURED, 1_000_000)
    assert bill.least == pytest.approx(bill.dollars + bill.api_dollars + cost.CREDIT * bill.waiting_credits)
    extra = bill.services
    others = extra.airbyte_events + extra.airbyte_orders + extra.tableau + extra.prefect + extra.fargate
    assert bill.everything == pytest.approx(bill.least + others + cost.CREDIT * extra.sink_credits)


def test_the_gateway_takes_a_hundred_million_rows_in_four_thousand_seconds_and_past_months_in_twenty():
    assert cost.bill(MEASURED, 100_000_000).waiting_seconds == pytest.approx(4_000 + 20, abs=1)
    assert cost.bill(MEASURED, 1_000).calls == 25 * 1_000 / cost.ROWS_A_CALL  # all of a small shop, 25 times


def test_a_larger_shop_runs_on_a_larger_machine_and_longer():
    small, large, slow = (services(*shop) for shop in ((1, 0, 0, 60), (2_000_000, 0, 0, 60), (2_000_000, 0, 0, 3_600)))
    assert small.fargate < large.fargate
    assert slow.fargate == pytest.approx(3 * large.fargate)


def test_the_page_says_of_each_size_how_it_is_known():
    page = written(replace(MEASURED, rows=dict.fromkeys(MEASURED.bytes, 1)))
    known = "| measured | × 10; whole runs measured on DuckDB | extrapolated × 100 | extrapolated × 1,000 |"
    assert f"| how it is known {known}" in page


def test_the_page_has_the_assumptions_of_the_script():
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    for words in (
        f"{cost.CREDIT:.2f} USD a credit", f"{cost.NODE_SECONDS} s of its own", f"waits {cost.FLOW_SECONDS} s",
        f"sends {cost.ROWS_A_CALL} rows a call", f"An XS has {cost.XSMALL_CORES} cores",
        f"answers {cost.API_ROWS_A_CORE_SECOND:,} rows a second",
    ):  # fmt: skip
        assert words in page
