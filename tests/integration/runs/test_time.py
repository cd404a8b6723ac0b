"""Point in time: nothing later leaks in, and a run on a grown file loses nothing and duplicates nothing."""

from datetime import date

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from flows.simulator.shop import ShopProfile, simulate
from tests.running.marts import MARTS, mart, write_orders

pytestmark = pytest.mark.whole_run


def test_nothing_after_the_as_of_date_leaks_in(tmp_path, run_pipeline, read):
    """The whole file as of a day, and the file cut at that day, give the same features, segments and scores."""
    lines = simulate(ShopProfile(customers=700, seed=8)).order_lines
    day = date(2025, 10, 15)
    until_day = pc.less(lines.column("ordered_at").cast(pa.date32()), date(2025, 10, 16))
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    run_pipeline(whole, orders=write_orders(tmp_path / "whole.csv", lines), as_of=day)
    run_pipeline(cut, orders=write_orders(tmp_path / "cut.csv", lines.filter(until_day)), as_of=day)
    for name in MARTS:
        assert mart(read, whole, name).equals(mart(read, cut, name)), name
    assert mart(read, whole, "customer_features").num_rows > 300


def test_a_second_run_on_a_grown_file_equals_a_first_run_on_it(tmp_path, run_pipeline, read):
    lines = simulate(ShopProfile(customers=700, seed=9)).order_lines
    before = pc.less(lines.column("ordered_at"), pa.scalar("2026-05-20").cast(pa.timestamp("s")))
    file = tmp_path / "orders.csv"
    twice, once = tmp_path / "twice", tmp_path / "once"
    first = run_pipeline(twice, orders=write_orders(file, lines.filter(before)))
    second = run_pipeline(twice, orders=write_orders(file, lines), review_segments=True)
    run_pipeline(once, orders=str(file))
    assert second.as_of.date > first.as_of.date
    for name in MARTS:
        grown = mart(read, twice, name, second.as_of.date)
        assert grown.equals(mart(read, once, name)), name
    # what was predicted before stays on record, once
    history = read(twice, "select as_of_date, count(*) as n, count(distinct customer_id) as customers"
                          " from marts.churn_predictions group by 1 order by 1").to_pylist()  # fmt: skip
    assert [row["as_of_date"] for row in history] == [first.as_of.date, second.as_of.date]
    assert all(row["n"] == row["customers"] for row in history)

    # and a third run, of a file from which a customer has gone, leaves no prediction of that customer behind, and none
    # that is older than is kept
    gone = "C000003"
    kept = pc.not_equal(lines.column("customer_id"), gone)
    with duckdb.connect(twice / "warehouse.duckdb") as con:
        con.execute(
            "insert into marts.churn_predictions by name select * replace (prediction_id || 'old' as prediction_id,"
            " as_of_date - 450 as as_of_date) from marts.churn_predictions where as_of_date = $1", [first.as_of.date],
        )  # fmt: skip
    kept_lines = write_orders(file, lines.filter(pc.fill_null(kept, True)))
    third = run_pipeline(twice, orders=kept_lines, predictions_kept_days=400)
    dates = read(twice, "select distinct as_of_date from marts.churn_predictions order by 1").column(0).to_pylist()
    assert dates == [first.as_of.date, second.as_of.date]
    ids = mart(read, twice, "churn_predictions", third.as_of.date).column("customer_id").to_pylist()
    assert gone not in ids
    assert len(ids) == len(set(ids)) == third.customers
