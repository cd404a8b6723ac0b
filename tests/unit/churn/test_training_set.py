"""The snapshots that the model is trained on: those whose label is known, of customers that no campaign had
contacted."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.churn.training_set import feature_matrix, sample_below
from flows.flow.training import read_snapshots
from functions.churn_api.contract import FEATURE_NAMES, NotInContract
from tests.examples.snapshots import made_up_snapshots

NEW_YEAR, MARCH = date(2025, 1, 1), date(2025, 3, 1)


@pytest.mark.parametrize(
    ("day", "known"),
    [(date(2025, 4, 29), [NEW_YEAR]), (date(2025, 4, 30), [NEW_YEAR, MARCH]), (date(2025, 5, 1), [NEW_YEAR, MARCH])],
)
def test_a_label_is_known_at_the_end_of_the_last_day_of_its_horizon(day, known):
    assert made_up_snapshots([NEW_YEAR, MARCH], 5, horizon_days=60).known_by(day).snapshot_dates == known


def test_spend_in_the_clv_window_is_known_once_that_has_passed():
    data = made_up_snapshots([NEW_YEAR, MARCH, date(2026, 3, 1)], 5, horizon_days=60)
    a_year_after_march = MARCH + timedelta(days=365)
    for day, known in ((a_year_after_march, [NEW_YEAR, MARCH]), (a_year_after_march - timedelta(days=1), [NEW_YEAR])):
        past = data.known_by(day)
        assert past.where(~np.isnan(past.spend_in_clv_window)).snapshot_dates == known


def snapshots_of(folder, customers, totals, contacted=()):
    """A warehouse that has snapshots of March. `contacted`: the customers that a campaign contacted.
    `totals`: of all customers then, how many, how many churned, and their spend."""
    warehouse = DuckDBWarehouse(folder / "warehouse.duckdb", folder)
    snapshots = pa.table(
        {
            "customer_id": customers,
            "as_of_date": [MARCH] * len(customers),
            "segment": ["Lost"] * len(customers),
            "churned": [True] * len(customers),
            "spend_in_horizon": np.zeros(len(customers)),
            "days_to_next_purchase": pa.nulls(len(customers), pa.int32()),
            "spend_in_clv_window": pa.nulls(len(customers), pa.float64()),
            **{name: np.ones(len(customers)) for name in FEATURE_NAMES},
        }
    )
    with warehouse.connect() as con:
        con.register("snapshots", snapshots)
        con.execute("create schema intermediate")
        con.execute("create table intermediate.int_training_snapshots as from snapshots")
        con.execute(
            "create table intermediate.int_training_contacted as"
            " select unnest($1::text[]) as customer_id, $2::date as as_of_date",
            [[*contacted], MARCH],
        )
        con.execute(
            "create table intermediate.int_training_totals as select $1::date as as_of_date, $2::bigint as customers,"
            " $3::bigint as churned, $4::double as spend",
            [MARCH, *totals],
        )
    return warehouse


def test_of_a_sample_base_rate_and_spend_are_those_of_all_customers(tmp_path):
    sampled = read_snapshots.fn(snapshots_of(tmp_path, ["a", "b"], (100, 70, 900.0)), 60)
    assert (len(sampled), sampled.churned.mean()) == (2, 1.0)
    assert (sampled.totals.churn_rate, sampled.totals.mean_spend) == (0.7, 9.0)
    assert sampled.at([MARCH]).totals == sampled.totals


def test_where_nobody_is_left_out_the_rows_themselves_are_all_customers(tmp_path):
    whole = read_snapshots.fn(snapshots_of(tmp_path, ["a", "b"], (2, 2, 0)), 60)
    assert whole.population == {}
    assert whole.totals.churn_rate == 1.0


@given(st.integers(1_000, 10**6), st.integers(1, 10**8))
@example(20_000, 20_000)
@example(20_000, 20_001)
def test_so_many_hashes_are_below_the_border_of_a_sample_as_are_wanted(wanted, customers):
    border = sample_below(wanted, customers)
    if customers <= wanted:
        assert border > "f" * 32
    else:
        share = int(border, 16) / 16**8
        assert abs(share - wanted / customers) < 1e-9
        assert len(border) == 8  # compared as text


def test_what_a_customer_does_after_a_message_teaches_nothing(tmp_path):
    warehouse = snapshots_of(tmp_path, ["contacted", "left alone"], (1, 1, 0), contacted=["contacted"])
    assert read_snapshots.fn(warehouse, 60).customer_ids.tolist() == ["left alone"]


def test_a_feature_that_the_warehouse_lacks_is_named_with_what_to_do():
    known = pa.table({name: np.ones(1) for name in FEATURE_NAMES if name != "max_gap_days"})
    with pytest.raises(NotInContract, match=r"no column max_gap_days.*customer_features\.sql.*make generate"):
        feature_matrix(known)
