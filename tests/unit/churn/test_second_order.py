from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.marts.second_order import read_second_order
from flows.churn.second_order import second_order_quality

RNG = np.random.default_rng(0)


def held_out(customers=4000, share_of_one_time_buyers=0.7):
    """One-time buyers order again by chances that recency knows half of; everyone else always does."""
    recency, other = RNG.random((2, customers))
    once = RNG.random(customers) < share_of_one_time_buyers
    again = np.where(once, 0.1 + 0.4 * recency + 0.4 * other, 1.0)
    columns = {"frequency": np.where(once, 1, 5), "recency_days": np.expm1(3 * recency)}
    churned = RNG.random(customers) >= again
    keepable = np.arange(customers) < customers // 2
    of = SimpleNamespace(churned=churned, column=columns.__getitem__)
    return SimpleNamespace(day=date(2025, 1, 1), customers=of, keepable=keepable, probability={"model": 1 - again})


def test_one_time_buyers_who_could_be_kept_are_judged_alone_and_against_recency():
    h = held_out()
    (row,) = second_order_quality([h], "model")["held_out"]
    assert row["customers"] == (h.keepable & (h.customers.column("frequency") == 1)).sum()
    assert row["ordered_again"] == pytest.approx(row["predicted"], abs=0.03)
    assert row["quality"]["auc"] > row["recency_at_its_best"]["auc"] + 0.03
    assert row["quality"]["brier"] < row["recency_at_its_best"]["brier"]
    assert sum(decile["customers"] for decile in row["reliability"]) == row["customers"]


@pytest.mark.parametrize(("share", "is_shown"), [(0.6, True), (0.4, False)])
def test_it_is_shown_where_most_customers_have_bought_once(share, is_shown):
    assert second_order_quality([held_out(share_of_one_time_buyers=share)], "model")["is_shown"] is is_shown


def test_a_date_on_which_hardly_anyone_ordered_again_tells_nothing():
    assert second_order_quality([held_out(customers=40)], "model") == {"is_shown": False, "held_out": []}


def test_who_should_order_again_are_those_who_ordered_once_and_can_still_be_kept(tmp_path):
    warehouse = DuckDBWarehouse(tmp_path / "warehouse.duckdb", tmp_path)
    with warehouse.connect() as con:
        con.execute("""create schema marts; create table marts.marketing_customers as from (values
            (1, 10, 0.9), (1, 180, 0.5), (1, 181, 0.0), (2, 10, 0.0), (1, 10, null)
        ) as customers (frequency, recency_days, churn_probability)""")
    days = [
        {"predicted": predicted, "ordered_again": came, "quality": {"auc": auc}}
        for predicted, came, auc in ((0.3, 0.2, 0.6), (0.5, 0.4, 0.7))
    ]
    card = {"second_order": {"is_shown": True, "held_out": days}}
    found = read_second_order(warehouse, card, horizon_days=90)
    assert (found.customers, found.days_to_keep, found.dates) == (2, 180, 2)
    assert (found.predicted, found.predicted_then) == pytest.approx((0.3, 0.4))
    assert (found.ordered_again, found.auc) == pytest.approx((0.3, 0.65))
    card["second_order"]["is_shown"] = False
    assert read_second_order(warehouse, card, horizon_days=90) is None
    assert read_second_order(warehouse, {}, horizon_days=90) is None  # the card of an older model
