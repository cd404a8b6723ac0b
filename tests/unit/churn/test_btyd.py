from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flows.churn.btyd import BuyTillYouDie, history
from flows.churn.btyd_fit import Likelihood
from flows.churn.gaps import Gaps
from functions.churn_api.contract import FEATURE_NAMES

TRUTH = BuyTillYouDie(r=0.8, alpha=60.0, a=0.6, b=3.0, s=1.5, beta=600.0)


def simulate(customers, days_observed, days_more, rng, shape=1.0):
    """Customers of the process: their histories, whether they have left, and whether they bought in the days after."""
    features = np.zeros((customers, len(FEATURE_NAMES)))
    left, bought = np.zeros((2, customers), dtype=bool)
    leaves_after = rng.exponential(1 / rng.gamma(TRUTH.s, 1 / TRUTH.beta, customers))
    rate = rng.gamma(TRUTH.r, 1 / TRUTH.alpha, customers)
    leaving = rng.beta(TRUTH.a, TRUTH.b, customers)
    for i in range(customers):
        age = rng.uniform(30, days_observed)
        now, last, gaps = 0.0, 0.0, []
        left[i] = leaves_after[i] <= age
        while True:
            if rng.random() < leaving[i]:
                left[i] = True
                break
            now += rng.gamma(shape, 1 / (shape * rate[i]))
            if now > min(age, leaves_after[i]):
                bought[i] = age < now <= min(age + days_more, leaves_after[i])
                break
            gaps.append(now - last)
            last = now
        variation = np.std(gaps) / np.mean(gaps) if len(gaps) > 1 else np.nan
        values = {
            "frequency": 1 + len(gaps),
            "recency_days": age - last,
            "tenure_days": age,
            "gap_variation": variation,
        }
        for name, value in values.items():
            features[i, FEATURE_NAMES.index(name)] = value
    return features, left, bought


@pytest.fixture(scope="module")
def customers():
    return simulate(20_000, 500, 90, np.random.default_rng(3))


def history_of(features):
    return history(features)


def test_a_fit_finds_the_process_that_the_customers_follow(customers):
    features, left, _ = customers
    found = BuyTillYouDie.fit(features)
    assert found.r == pytest.approx(TRUTH.r, rel=0.1)
    assert found.alpha == pytest.approx(TRUTH.alpha, rel=0.15)
    assert found.gone_probability(*history_of(features)).mean() == pytest.approx(left.mean(), abs=0.02)
    assert found.s / found.beta == pytest.approx(TRUTH.s / TRUTH.beta, rel=0.25)


def test_those_who_have_left_are_as_many_as_the_process_says_after_any_silence(customers):
    features, left, _ = customers
    gone = TRUTH.gone_probability(*history_of(features))
    for part in np.array_split(np.argsort(gone), 5):
        assert left[part].mean() == pytest.approx(gone[part].mean(), abs=0.02)


@pytest.fixture(scope="module")
def regular_customers():
    return simulate(10_000, 700, 90, np.random.default_rng(8), shape=2.2)


def test_where_gaps_are_regular_a_fit_finds_how_regular_and_who_has_left(regular_customers):
    features, left, bought = regular_customers
    found = BuyTillYouDie.fit(features)
    assert found.shape == pytest.approx(2.2, rel=0.05)
    assert found.r == pytest.approx(TRUTH.r, rel=0.15)
    as_if_not = replace(found, shape=1.0)
    known = history_of(features)
    gone, mistaken = found.gone_probability(*known), as_if_not.gone_probability(*known)
    assert ((gone - left) ** 2).mean() < ((mistaken - left) ** 2).mean()
    for part in np.array_split(np.argsort(gone), 5):
        assert left[part].mean() == pytest.approx(gone[part].mean(), abs=0.06)
    p = 1 / (1 + np.exp(-found.log_odds_of_no_purchase(*known, 90)))
    for part in np.array_split(np.argsort(p), 5):
        assert (~bought[part]).mean() == pytest.approx(p[part].mean(), abs=0.03)


@pytest.mark.parametrize("shape", [0.8, 1.0, 1.4, 2.6])
def test_slopes_of_the_likelihood_are_its_differences(customers, shape):
    likelihood, at, step = (
        Likelihood(*(of[:50] for of in history_of(customers[0])), Gaps(shape)),
        np.log([0.6, 60, 0.5, 3, 0.5, 300]),
        1e-6,
    )
    found, slopes = likelihood(np.exp(at))
    for parameter, moved in enumerate(at + step * np.eye(6)):
        differences = (likelihood(np.exp(moved))[0] - found) / step
        assert np.allclose(differences, slopes[:, parameter], atol=1e-4)


def test_where_everybody_slows_down_silence_is_slowness_and_the_next_purchases_are_fewer():
    known = np.array([4.0]), np.array([500.0]), np.array([700.0])
    slower = replace(TRUTH, trend=np.log(0.7) / 365)
    assert slower.purchases_if_staying(*known, 365) < TRUTH.purchases_if_staying(*known, 365)
    fast_then = replace(TRUTH, trend=1e-9)
    assert fast_then.gone_probability(*known) == pytest.approx(TRUTH.gone_probability(*known), rel=1e-4)


def test_the_probability_is_the_share_that_does_not_come_back(customers):
    features, _, bought = customers
    p = 1 / (1 + np.exp(-TRUTH.log_odds_of_no_purchase(*history_of(features), 90)))
    for part in np.array_split(np.argsort(p), 5):
        assert (~bought[part]).mean() == pytest.approx(p[part].mean(), abs=0.02)


def churn_is_not_certain(known):
    """Beyond this the logarithms are cut off, so as to be finite."""
    return -20 < TRUTH._log_no_purchase(*known, 90, 90)[0] < -1e-5


@given(
    st.integers(0, 20), st.floats(30, 800), st.floats(0, 800), st.floats(0.02, 0.98), st.sampled_from([0.1, 0.5, 0.9])
)
@settings(max_examples=200, deadline=None)
def test_the_next_order_comes_by_its_day_with_the_requested_chance(repeats, span, silence, churn, chance):
    assume(silence < 10 * span)
    known = np.array([float(repeats)]), np.array([span if repeats else 0.0]), np.array([span * (repeats > 0) + silence])
    ((days,),) = TRUTH.days_until(np.array([[chance]]), *known, np.array([churn]), 90)
    if np.isnan(days):  # not within two horizons
        days, reached = 180.0, False
    else:
        reached = True
    assume(churn_is_not_certain(known))
    at_horizon, at_day = (np.exp(TRUTH._log_no_purchase(*known, d, 90))[0] for d in (90, days))
    no_order_by_day = at_day ** (np.log(churn) / np.log(at_horizon))
    assert no_order_by_day == pytest.approx(1 - chance, abs=1e-3) if reached else no_order_by_day >= 1 - chance - 1e-3


def test_in_a_young_shop_whose_customers_never_leave_some_may_have_left_all_the_same():
    rng = np.random.default_rng(5)
    customers, age = 2_000, rng.uniform(0, 250, 2_000)
    purchases = rng.exponential(1 / rng.gamma(0.7, 1 / 70, customers)[:, None], (customers, 60)).cumsum(axis=1)
    came = purchases <= age[:, None]
    repeats, last = came.sum(axis=1), np.where(came, purchases, 0).max(axis=1)
    features = np.full((customers, len(FEATURE_NAMES)), np.nan)
    for name, values in (("frequency", repeats + 1), ("recency_days", age - last), ("tenure_days", age)):
        features[:, FEATURE_NAMES.index(name)] = values
    alive = 1 - BuyTillYouDie.fit(features).gone_probability(*history_of(features))
    assert 0.7 < alive[age - last > 150].mean() < 0.98


def test_no_next_order_is_expected_later_than_in_two_horizons():
    churn = np.linspace(0.01, 0.99, 10_000)
    known = np.full(10_000, 3.0), np.full(10_000, 120.0), np.full(10_000, 150.0)
    days = TRUTH.days_until(np.array([[0.5]]), *known, churn, 90)
    assert 179 < np.nanmax(days) <= 180
    assert np.isnan(days[churn > 0.9]).all()


def test_a_longer_silence_and_a_longer_horizon_change_the_probability_the_right_way():
    silence = np.arange(0.0, 600.0, 10)
    known = np.full(60, 5.0), np.full(60, 300.0), 300 + silence
    odds = TRUTH.log_odds_of_no_purchase(*known, 90)
    assert (np.diff(odds) > 0).all()
    assert (TRUTH.log_odds_of_no_purchase(*known, 180) < odds).all()
