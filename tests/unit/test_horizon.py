import pytest

from flows.churn.horizon import HORIZONS_DAYS, default_horizon


@pytest.mark.parametrize(
    ("quantile", "days"), [(3, 28), (13, 28), (50, 45), (58, 60), (87, 90), (92, 90), (134, 120), (400, 180)]
)
def test_the_horizon_is_the_nearest_to_the_shops_own_gaps(quantile, days):
    assert default_horizon(5_000, quantile)[0] == days


def test_the_horizon_is_bounded_and_says_why():
    assert {default_horizon(500, q)[0] for q in range(1_000)} == set(HORIZONS_DAYS)
    assert "58 days or less" in default_horizon(500, 58.0)[1]


def test_too_few_gaps_choose_nothing():
    assert default_horizon(12, 5.0) == (90, "12 gaps between purchases are too few to choose by")
    assert default_horizon(0, None)[0] == 90
