import numpy as np
import pytest

from flows.churn.forecast import COVERAGE, forecast_of_totals


def test_a_date_is_reported_at_the_level_of_the_others():
    found = forecast_of_totals(np.array([100.0, 100, 100]), np.array([200.0, 100, 60]), horizons_apart=2)
    assert found.level == pytest.approx(360 / 300)
    assert found.of_others == pytest.approx((0.8, 1.3, 1.5))


def test_the_interval_holds_as_many_totals_as_it_says():
    rng, held = np.random.default_rng(0), 0
    for _ in range(2_000):
        *past, now = np.exp(rng.normal(0.05, 0.1, 5))
        found = forecast_of_totals(np.ones(4), np.array(past), horizons_apart=3)
        held += found.low * found.level <= now <= found.high * found.level
    assert held / 2_000 == pytest.approx(COVERAGE, abs=0.05)


def test_horizons_that_overlap_promise_less_than_as_many_apart():
    expected, actual = np.ones(4), np.array([1.02, 1.0, 0.97, 1.01])
    apart, overlapping = (forecast_of_totals(expected, actual, horizons) for horizons in (3, 0.8))
    assert overlapping.high > apart.high
    assert overlapping.low < apart.low < 1 < apart.high


def test_a_single_date_and_dates_without_spend_promise_little():
    for expected, actual in (([100.0], [90.0]), ([100.0, 100.0], [0.0, 50.0]), ([0.0, 0.0], [0.0, 0.0])):
        found = forecast_of_totals(np.array(expected), np.array(actual), horizons_apart=1)
        assert (found.low, found.high) == (0.5, 2.0)
