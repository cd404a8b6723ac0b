"""What customers are worth, and where they stand."""

import numpy as np
import pytest
from scipy.stats import beta

from flows.churn.btyd import BuyTillYouDie
from flows.churn.customer_value import Interval

PROCESS = BuyTillYouDie(r=1.06, alpha=87.0, a=0.45, b=0.64)


@pytest.mark.parametrize(("repeats", "age", "days"), [(0.0, 0.0, 365.0), (3.0, 500.0, 90.0), (50.0, 700.0, 730.0)])
def test_purchases_ahead_are_the_mean_over_the_chance_of_leaving(repeats, age, days):
    chances = beta.ppf((np.arange(100_000) + 0.5) / 100_000, PROCESS.a, PROCESS.b + repeats + 1)
    by_then = -np.expm1(-(PROCESS.r + repeats) * np.log1p(chances * days / (PROCESS.alpha + age))) / chances
    ((expected,),) = PROCESS.purchases_ahead(np.array([repeats]), np.array([age]), [(0, days)])
    assert expected == pytest.approx(by_then.mean(), rel=1e-3)


def test_an_interval_holds_what_was_expected_and_most_of_what_was_spent():
    rng = np.random.default_rng(1)
    expected = rng.gamma(0.5, 200.0, 4_000)
    spent = expected * rng.gamma(2.0, 0.5, 4_000)
    interval = Interval.fit(expected[:2_000], spent[:2_000])
    low, high = interval.ends(expected[2_000:])
    assert ((low >= 0) & (low <= expected[2_000:]) & (expected[2_000:] <= high)).all()
    assert ((low <= spent[2_000:]) & (spent[2_000:] <= high)).mean() == pytest.approx(0.8, abs=0.04)


def test_an_interval_starts_at_nothing_where_many_spend_nothing_and_is_no_wider_for_it():
    rng = np.random.default_rng(2)
    expected = rng.gamma(0.5, 200.0, 20_000)
    spent = np.where(rng.random(20_000) < 0.3, 0.0, expected / 0.7 * rng.gamma(2.0, 0.5, 20_000))
    low, high = Interval.fit(expected[:10_000], spent[:10_000]).ends(expected[10_000:])
    assert (low[expected[10_000:] > 1] < 1e-6).all()
    assert (spent[10_000:] <= high).mean() == pytest.approx(0.8, abs=0.03)


def test_a_few_customers_have_no_interval():
    assert Interval.fit(np.arange(50.0), np.arange(50.0)) is None
