import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flows.churn.btyd import BuyTillYouDie
from functions.churn_api.contract import FEATURE_NAMES

TRUTH = BuyTillYouDie(r=0.8, alpha=60.0, a=1.2, b=3.0)


def simulate(customers, days_observed, days_more, rng):
    """Customers of the MBG/NBD process: their histories, and whether they bought in the days after."""
    features = np.zeros((customers, len(FEATURE_NAMES)))
    bought = np.zeros(customers, dtype=bool)
    rate = rng.gamma(TRUTH.r, 1 / TRUTH.alpha, customers)
    leaving = rng.beta(TRUTH.a, TRUTH.b, customers)
    for i in range(customers):
        age = rng.uniform(30, days_observed)
        now, purchases, last = 0.0, 1, 0.0
        while rng.random() >= leaving[i]:
            now += rng.exponential(1 / rate[i])
            if now > age:
                bought[i] = now <= age + days_more
                break
            purchases, last = purchases + 1, now
        values = {"frequency": purchases, "recency_days": age - last, "tenure_days": age}
        for name, value in values.items():
            features[i, FEATURE_NAMES.index(name)] = value
    return features, bought


@pytest.fixture(scope="module")
def customers():
    return simulate(20_000, 500, 90, np.random.default_rng(3))


def history_of(features):
    from flows.churn.btyd import history

    return history(features)


def test_a_fit_finds_the_process_that_the_customers_follow(customers):
    features, _ = customers
    found = BuyTillYouDie.fit(features)
    assert found.r == pytest.approx(TRUTH.r, rel=0.1)
    assert found.alpha == pytest.approx(TRUTH.alpha, rel=0.15)
    assert found.a / (found.a + found.b) == pytest.approx(TRUTH.a / (TRUTH.a + TRUTH.b), rel=0.1)


def test_the_probability_is_the_share_that_does_not_come_back(customers):
    features, bought = customers
    p = 1 / (1 + np.exp(-TRUTH.log_odds_of_no_purchase(*history_of(features), 90)))
    for part in np.array_split(np.argsort(p), 5):
        assert (~bought[part]).mean() == pytest.approx(p[part].mean(), abs=0.02)


def test_bg_nbd_takes_no_one_time_buyer_for_gone():
    bg = BuyTillYouDie(0.8, 60.0, 1.2, 3.0, may_leave_at_once=False)
    silent = np.array([0.0]), np.array([0.0]), np.array([1000.0])
    p = 1 / (1 + np.exp(-bg.log_odds_of_no_purchase(*silent, 90)))
    assert p[0] == pytest.approx(((60 + 1000) / (60 + 1000 + 90)) ** 0.8)


def churn_is_not_certain(known):
    """Beyond this the logarithms are cut off, so as to be finite."""
    return -20 < TRUTH._log_no_purchase(*known, 90)[0] < -1e-5


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
    at_horizon, at_day = (np.exp(TRUTH._log_no_purchase(*known, d))[0] for d in (90, days))
    no_order_by_day = at_day ** (np.log(churn) / np.log(at_horizon))
    assert no_order_by_day == pytest.approx(1 - chance, abs=1e-3) if reached else no_order_by_day >= 1 - chance - 1e-3


def test_in_a_young_shop_whose_customers_never_leave_some_may_have_left_all_the_same():
    rng = np.random.default_rng(5)
    customers, age = 2_000, rng.uniform(0, 250, 2_000)
    purchases = rng.exponential(1 / rng.gamma(0.7, 1 / 70, customers)[:, None], (customers, 60)).cumsum(axis=1)
    came = purchases <= age[:, None]
    repeats, last = came.sum(axis=1), np.where(came, purchases, 0).max(axis=1)
    features = np.zeros((customers, len(FEATURE_NAMES)))
    for name, values in (("frequency", repeats + 1), ("recency_days", age - last), ("tenure_days", age)):
        features[:, FEATURE_NAMES.index(name)] = values
    alive = 1 - BuyTillYouDie.fit(features).gone_probability(*history_of(features))
    assert 0.7 < alive[age - last > 150].mean() < 0.98


def test_no_next_order_is_expected_later_than_in_two_horizons():
    churn = np.linspace(0.01, 0.99, 1_000)
    known = np.full(1_000, 3.0), np.full(1_000, 120.0), np.full(1_000, 150.0)
    days = TRUTH.days_until(np.array([[0.5]]), *known, churn, 90)
    assert 179 < np.nanmax(days) <= 180
    assert np.isnan(days[churn > 0.9]).all()


def test_a_longer_silence_and_a_longer_horizon_change_the_probability_the_right_way():
    silence = np.arange(0.0, 600.0, 10)
    known = np.full(60, 5.0), np.full(60, 300.0), 300 + silence
    odds = TRUTH.log_odds_of_no_purchase(*known, 90)
    assert (np.diff(odds) > 0).all()
    assert (TRUTH.log_odds_of_no_purchase(*known, 180) < odds).all()
