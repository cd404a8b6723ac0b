import numpy as np
import pytest

from flows.churn.waiting_time import WaitingTime, haste_of_season
from functions.churn_api.contract import FEATURE_NAMES, feature_position

HORIZON = 28
CHANCES = np.array([0.1, 0.5, 0.9])
NO_SEASON = np.zeros(1)


def features_of(silence_in_gaps, gap_days):
    features = np.zeros((len(silence_in_gaps), len(FEATURE_NAMES)))
    features[:, feature_position("recency_to_shrunk_gap")] = silence_in_gaps
    features[:, feature_position("shrunk_gap_days")] = gap_days
    return features


@pytest.fixture(scope="module")
def shop():
    """Customers who have just bought wait, and those who are due come: the share by the day of their purchase."""
    rng = np.random.default_rng(1)
    silence = rng.uniform(0, 2, 8_000)
    a = np.exp(0.6 - 0.8 * np.minimum(silence, 1))
    return features_of(silence, 14.0), rng.random(8_000) ** (1 / a), silence


def test_without_purchases_the_waiting_time_is_that_of_the_process():
    features = features_of(np.linspace(0, 3, 50), 14.0)
    none = WaitingTime.fit(features[:0], np.array([]), np.array([]), HORIZON)
    assert none == WaitingTime()
    purchase = np.linspace(0.05, 0.95, 50)
    chances = none.chances_of_process(CHANCES, features, purchase, 0.0, HORIZON)
    np.testing.assert_allclose(chances, np.tile(CHANCES, (50, 1)), atol=1e-5)


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.5), (0.5, 1.0), (1.0, 2.0)])
def test_customers_of_every_silence_come_with_the_requested_chance(shop, low, high):
    features, share, silence = shop
    fitted = WaitingTime.fit(features, share, NO_SEASON, HORIZON)
    here = (silence > low) & (silence < high)
    all_of_them_buy = np.ones(here.sum())
    by_then = fitted.chances_of_process(CHANCES, features[here], all_of_them_buy, 0.0, HORIZON)
    np.testing.assert_allclose((share[here, None] <= by_then).mean(axis=0), CHANCES, atol=0.05)


def test_who_has_just_bought_is_expected_later_than_the_process_says_and_who_is_due_earlier(shop):
    features, share, _ = shop
    fitted = WaitingTime.fit(features, share, NO_SEASON, HORIZON)
    just, due = fitted.chances_of_process(CHANCES, features_of([0.1, 1.5], 14.0), np.ones(2), 0.0, HORIZON)
    assert just[0] > CHANCES[0] > due[0]


def test_a_greater_chance_is_never_reached_earlier_and_the_horizon_keeps_its_own(shop):
    features, share, _ = shop
    fitted = WaitingTime.fit(features, share, NO_SEASON, HORIZON)
    purchase = np.linspace(1e-6, 1, len(features))
    chances = fitted.chances_of_process(np.linspace(0.01, 0.99, 99), features, purchase, 0.0, HORIZON)
    assert (np.diff(chances, axis=1) >= 0).all()
    beyond = np.linspace(0.01, 0.99, 99) >= purchase[:, None]
    assert (chances[beyond] >= np.broadcast_to(purchase[:, None], beyond.shape)[beyond]).all()
    assert (chances[~beyond] <= np.broadcast_to(purchase[:, None], beyond.shape)[~beyond]).all()


def test_features_at_the_edges_leave_every_chance_between_zero_and_one(shop):
    features, share, _ = shop
    fitted = WaitingTime.fit(features, share, NO_SEASON, HORIZON)
    edges = features_of([0.0, 1e9, 1e-9], [0.0, 1e9, 1e-9])
    chances = fitted.chances_of_process(CHANCES, edges, np.array([1e-9, 1 - 1e-9, 0.5]), 0.0, HORIZON)
    assert ((chances > 0) & (chances < 1)).all()


def test_who_has_a_horizon_that_begins_in_the_busy_weeks_is_expected_earlier_and_by_as_much_as_others_were(shop):
    features, share, _ = shop
    fitted = WaitingTime.fit(features, share, NO_SEASON, HORIZON)
    early = 1 - (1 - share) ** (1 / 1.5)  # of a season in which the hazard is half as large again
    season = WaitingTime.fit(features, early, np.full(len(share), np.log(1.5)), HORIZON)
    everybody = np.ones(len(features))
    plain, in_season = (
        of.chances_of_process(CHANCES, features, everybody, haste, HORIZON)
        for of, haste in ((fitted, 0.0), (season, np.log(1.5)))
    )
    np.testing.assert_allclose((early[:, None] <= in_season).mean(axis=0), CHANCES, atol=0.03)
    assert (in_season < plain).mean() > 0.9


def test_the_haste_of_a_season_is_that_by_which_its_customers_came_earlier_than_a_years():
    rng = np.random.default_rng(3)
    year, season = rng.random(20_000), 1 - (1 - rng.random(5_000)) ** (1 / 1.3)
    assert haste_of_season(season, year) == pytest.approx(np.log(1.3), abs=0.05)
    assert haste_of_season(1 - season, year) == pytest.approx(-np.log(1.3), abs=0.05)


def test_few_customers_say_little_of_a_season_and_none_say_nothing():
    year = np.linspace(0, 1, 1_001)
    assert 0 < haste_of_season(np.full(3, 0.2), year) < 0.15
    assert haste_of_season(np.array([]), year) == haste_of_season(year, np.array([])) == 0
