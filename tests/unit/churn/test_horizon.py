"""The horizon of a run where none is set."""

from datetime import date

import duckdb
import pytest

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.marts.staged_orders import KeptHorizon, decide_as_of
from flows.churn.horizon import HORIZONS_DAYS, default_horizon, still_fits


@pytest.mark.parametrize(
    ("quantile", "days"), [(3, 28), (13, 28), (50, 45), (58, 60), (87, 90), (92, 90), (134, 120), (400, 180)]
)
def test_the_horizon_is_the_nearest_to_the_shops_own_gaps(quantile, days):
    assert default_horizon(5_000, quantile, quantile / 3)[0] == days


def test_the_horizon_is_bounded_and_says_why():
    assert {default_horizon(500, q, 0)[0] for q in range(1_000)} == set(HORIZONS_DAYS)
    assert "58 days or less" in default_horizon(500, 58.0, 20.0)[1]


def test_too_few_gaps_choose_nothing():
    assert default_horizon(12, 5.0, 5.0) == (90, "12 gaps between purchases are too few to choose by")
    assert default_horizon(0, None, None)[0] == 90


@pytest.mark.parametrize(("usual", "days"), [(7, 28), (28, 45), (30.4, 45), (91, 120), (183, 365), (365, 365)])
def test_customers_who_come_at_their_usual_pace_come_within_the_horizon(usual, days):
    assert default_horizon(5_000, usual + 1, usual)[0] == days


def test_a_horizon_that_the_pace_decides_says_so():
    assert default_horizon(5_000, 31, 30) == (45, "purchases are usually 30 days apart")


@pytest.fixture
def subscriptions(tmp_path):
    """Customers who order on the same day of every month, for two years."""

    def shop(customers, every_months=1):
        with duckdb.connect(tmp_path / "w.duckdb") as con:
            con.execute(f"""create schema staging; create schema raw; create table staging.stg_shop__order_lines as
                select 'C' || customer as customer_id, false as is_return, 'EUR' as currency,
                    (date '2024-01-01' + to_months(month::int) + to_days((customer % 28)::int))::date as ordered_on
                from range({customers}) as customers (customer), range(0, 24, {every_months}) as months (month)""")
        return DuckDBWarehouse(tmp_path / "w.duckdb", tmp_path)

    return shop


def test_subscribers_who_pay_every_month_are_not_about_to_leave(subscriptions):
    as_of = decide_as_of(subscriptions(300), None, None, None)
    assert (as_of.horizon_days, as_of.why_horizon) == (45, "purchases are usually 31 days apart")


def test_a_shop_of_few_customers_looks_as_far_as_the_model_that_can_score_it(subscriptions):
    as_of = decide_as_of(subscriptions(25), None, None, None)
    assert (as_of.horizon_days, as_of.why_horizon) == (
        90, "25 customers are too few to train a model, and the shipped one looks as far",
    )  # fmt: skip


def test_few_customers_who_come_once_in_a_quarter_keep_a_horizon_of_their_own(subscriptions):
    assert decide_as_of(subscriptions(25, every_months=3), None, None, None).horizon_days == 120


def test_a_given_horizon_stays(subscriptions):
    assert decide_as_of(subscriptions(25), None, None, 28).horizon_days == 28


@pytest.mark.parametrize(
    ("kept", "quantile", "stays"),
    [(60, 73.6, True), (60, 84, True), (60, 86, False), (90, 73.4, True), (90, 64.5, True), (90, 63, False)],
)
def test_a_horizon_in_use_stays_until_the_gaps_are_far_beyond_the_border(kept, quantile, stays):
    measured, _ = default_horizon(5_000, quantile, quantile / 3)
    assert (measured == kept or still_fits(kept, measured, quantile, quantile / 3)) == stays


def kept(days, *, may_change=True, trained_as_of=date(2025, 6, 30)):
    return KeptHorizon(days, "my-model", trained_as_of, may_change)


def test_a_run_that_trains_keeps_the_horizon_and_says_why(subscriptions):
    as_of = decide_as_of(subscriptions(300), None, None, None, kept(40))
    assert (as_of.horizon_days, as_of.why_horizon) == (
        40, "kept, as my-model does; purchases are usually 31 days apart, which is too near to change it",
    )  # fmt: skip


@pytest.mark.parametrize("days", [28, 90])  # the usual gap does not fit into the one; the other is far too long
def test_only_a_run_that_trains_changes_a_horizon_that_no_longer_fits(subscriptions, days):
    shop = subscriptions(300)
    as_of = decide_as_of(shop, None, None, None, kept(days))
    assert (as_of.horizon_days, as_of.why_horizon) == (
        45, f"purchases are usually 31 days apart; until now it was {days} days",
    )  # fmt: skip
    as_of = decide_as_of(shop, None, None, None, kept(days, may_change=False))
    assert (as_of.horizon_days, as_of.why_horizon) == (days, "as its model my-model does; only training changes that")


def test_a_given_horizon_and_a_date_before_the_models_are_not_bound_to_it(subscriptions):
    shop, later = subscriptions(300), kept(90, may_change=False, trained_as_of=date(2027, 1, 1))
    assert decide_as_of(shop, None, None, 28, kept(90)).horizon_days == 28
    assert decide_as_of(shop, None, None, None, later).horizon_days == 45
