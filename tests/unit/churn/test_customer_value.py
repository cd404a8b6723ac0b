"""What customers are worth, and where they stand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import betaincinv

from flows.churn.btyd import BuyTillYouDie
from flows.churn.customer_value import Interval

PROCESS = BuyTillYouDie(r=1.06, alpha=87.0, a=0.45, b=2.5, s=0.7, beta=400.0, trend=-0.0004)


@pytest.mark.parametrize(("repeats", "age", "horizon"), [(0.0, 0.0, 90.0), (3.0, 500.0, 30.0), (50.0, 700.0, 365.0)])
def test_purchases_ahead_are_the_mean_over_customers_who_may_leave_at_any_moment(repeats, age, horizon):
    rng, n = np.random.default_rng(4), 400_000
    since_first = PROCESS._days_since(age)

    def mean(days, further):
        left_out = PROCESS._days_ahead(days)
        pace = rng.gamma(PROCESS.r + repeats + further, 1 / (PROCESS.alpha + since_first), n)
        leaving = pace * rng.beta(PROCESS.a, PROCESS.b + repeats + further + 1, n)
        leaving += rng.gamma(PROCESS.s, 1 / (PROCESS.beta + since_first), n)
        return (pace * -np.expm1(-leaving * left_out) / leaving).mean()

    last = age if repeats else 0.0
    found = PROCESS.purchases_ahead(*(np.array([of]) for of in (repeats, last, age)), horizon, 365.0)
    expected = [mean(horizon, 0), mean(365.0, 0), mean(365.0, 1)]
    assert np.ravel(found) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(("a", "b"), [(0.05, 2.0), (0.2, 4.0), (0.5, 8.0), (0.6, 2.5), (4.0, 1.0), (20.0, 60.0)])
@pytest.mark.parametrize("shape", [1.0, 1.7])
def test_purchases_until_one_is_the_last_are_their_mean_over_the_chances_of_leaving(a, b, shape):
    process = replace(PROCESS, a=a, b=b, shape=shape)
    repeats, known = np.array([[0.0, 20], [0, 900], [1, 30], [8, 90], [8, 900], [100, 400], [100, 1_500]]).T
    found = process._purchases_until_one_is_the_last(repeats, known, 30.0, 365.0)
    many = (np.arange(100_000) + 0.5) / 100_000
    for row, (of_repeats, of_known) in enumerate(zip(repeats, known, strict=True)):
        leaving = np.maximum(betaincinv(a, b + of_repeats + 1, many), 1e-14)
        for column, days in enumerate((30.0, 365.0)):
            none = (process.r + shape * of_repeats) * np.log1p(leaving * days / of_known)
            assert found[row, column] == pytest.approx((-np.expm1(-none) / leaving).mean(), rel=0.005)


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
