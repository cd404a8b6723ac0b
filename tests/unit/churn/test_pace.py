"""How the pace of customers who stay changes from year to year."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from flows.churn.pace import USUAL_CHANGE, fit_process, yearly_change
from functions.churn_api.contract import feature_position
from tests.examples.snapshots import made_up_snapshots

YEAR_BEFORE, NEWEST = date(2024, 1, 1), date(2024, 12, 31)


def two_years(bought, *, tenure_days=1_000.0, churned=False, dates=(YEAR_BEFORE, NEWEST)):
    """100 customers who bought so many times in each of two years."""
    data = made_up_snapshots(list(dates), 100)
    features = data.features.copy()
    features[:, feature_position("purchases_last_365_days")] = np.repeat(bought, 100)
    features[:, feature_position("tenure_days")] = np.where(data.dates == data.dates.max(), tenure_days, 635.0)
    return replace(data, features=features, churned=np.full(len(data), churned))


def test_who_stays_and_buys_a_fifth_less_has_slowed_down_by_nearly_a_fifth():
    found = yearly_change(two_years([100.0, 80.0]))
    assert found == pytest.approx(np.log(0.8), rel=0.02)


def test_few_purchases_tell_little():
    noise = 1 / 1_000 + 1 / 800
    found = yearly_change(two_years([10.0, 8.0]))
    assert found == pytest.approx(np.log(0.8) * USUAL_CHANGE**2 / (USUAL_CHANGE**2 + noise))


@pytest.mark.parametrize(
    "untold",
    [
        {"tenure_days": 500.0},  # they were no customers for two years
        {"churned": True},  # they may have left on the way
        {"dates": (date(2024, 6, 1), NEWEST)},  # no snapshot is a year before
    ],
)
def test_no_trend_is_seen_where_nobody_is_known_to_have_stayed_for_two_years(untold):
    assert yearly_change(two_years([10.0, 8.0], **untold)) == 0.0


def test_the_process_carries_the_trend_per_day():
    slowing = two_years([100.0, 60.0])
    steady = two_years([100.0, 100.0])
    assert fit_process(slowing).trend < -0.001
    assert fit_process(steady).trend == 0.0
