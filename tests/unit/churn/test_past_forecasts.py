"""What past forecasts of totals were off by, and how the next one is corrected by it."""

from datetime import date, timedelta

import numpy as np
import pytest

from flows.churn.past_forecasts import NO_CORRECTION, Corrections, PastForecast, correction

DAYS = 90


def forecasts(ratios, every_days=DAYS):
    """Of so many times what came, the newest first."""
    newest = date(2026, 1, 1)
    stated = [newest - timedelta(days=every_days * n) for n in range(len(ratios))]
    return [
        PastForecast(day, day + timedelta(days=DAYS), 1_000.0 * ratio, 1_000.0)
        for day, ratio in zip(stated, ratios, strict=True)
    ]


def test_without_past_forecasts_nothing_changes():
    assert correction([]) == NO_CORRECTION
    assert NO_CORRECTION.of_range(90.0, 120.0) == (90, 120)
    assert Corrections().expected_loss(100.0, 30.0) == 30


def test_a_shop_whose_forecasts_were_too_high_is_corrected_towards_what_came():
    four, ten = (correction(forecasts([1.12] * count)) for count in (4, 10))
    assert four.too_high == pytest.approx(0.12)
    assert (four.forecasts, ten.forecasts) == (4, 10)
    assert 1 / 1.12 < ten.factor < 0.92 < four.factor < 0.95


def test_forecasts_that_were_too_low_raise_the_next():
    found = correction(forecasts([0.9] * 6))
    assert found.too_high == pytest.approx(-0.1)
    assert 1.05 < found.factor < 1 / 0.9


def test_one_forecast_alone_hardly_corrects():
    assert 0.97 < correction(forecasts([1.12])).factor < 1


def test_forecasts_that_differ_correct_less_than_those_that_agree():
    differ, agree = correction(forecasts([1.5, 0.84, 1.3, 0.96])), correction(forecasts([1.12] * 4))
    assert abs(np.log(differ.factor)) < abs(np.log(agree.factor)) / 2


def test_forecasts_whose_days_overlap_correct_less_than_as_many_apart():
    overlapping, apart = (correction(forecasts([1.12] * 4, every)) for every in (28, DAYS))
    assert apart.factor < overlapping.factor < 1


def test_what_was_right_on_average_is_not_corrected():
    assert correction(forecasts([1.04, 0.97, 1.0, 0.99])) == NO_CORRECTION


def test_a_forecast_of_nothing_or_of_which_nothing_came_says_nothing():
    day = date(2026, 1, 1)
    assert correction([PastForecast(day, day, 0.0, 5.0), PastForecast(day, day, 5.0, 0.0)]) == NO_CORRECTION


def test_only_the_forecasts_of_the_last_year_count():
    assert correction(forecasts([1.12] * 13 + [0.5] * 20)) == correction(forecasts([1.12] * 13))


def test_the_interval_moves_with_the_total_and_widens_by_what_is_not_known_of_the_correction():
    found = correction(forecasts([1.2] * 4))
    low, high = found.of_range(800.0, 1_250.0)
    assert np.sqrt(low * high) == pytest.approx(1_000 * found.factor)
    assert high / low > 1_250 / 800
    assert found.of_range(0.0, 5.0) == (0, 5 * found.factor)


def test_over_many_shops_biased_forecasts_come_nearer_and_right_ones_stay_about_as_near():
    rng = np.random.default_rng(7)
    for bias, most in ((0.12, 0.5), (0.0, 1.1)):
        before, after = [], []
        for _ in range(400):
            logs = bias + rng.normal(0, 0.07, 9)
            found = correction(forecasts(np.exp(logs[1:])))
            before.append(logs[0] ** 2)
            after.append((logs[0] + np.log(found.factor)) ** 2)
        assert np.mean(after) < most * np.mean(before)
