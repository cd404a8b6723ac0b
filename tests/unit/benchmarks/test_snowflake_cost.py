"""The model behind docs/snowflake-cost.md."""

import pytest

from tests.benchmarks import snowflake_cost as cost

MEASURED = cost.Measured(
    rows={}, bytes={"staging.lines": 10_000_000, "marts.churn_predictions": 5_000_000, "marts.x": 1_000},
    parents={"marts.x": ["staging.lines"], "intermediate.int_training_snapshots": ["staging.lines"]},
    daily_core_seconds=8.0, training_core_seconds=16.0, daily_nodes=40, request_bytes=900, response_bytes=500,
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


def test_the_page_has_the_assumptions_of_the_script():
    page = " ".join(cost.PAGE.read_text(encoding="utf-8").split())
    for words in (
        f"{cost.CREDIT:.2f} USD a credit", f"{cost.NODE_SECONDS} s of its own", f"waits {cost.FLOW_SECONDS} s",
        f"sends {cost.ROWS_A_CALL} rows a call", f"An XS has {cost.XSMALL_CORES} cores",
        f"answers {cost.API_ROWS_A_CORE_SECOND:,} rows a second",
    ):  # fmt: skip
        assert words in page
