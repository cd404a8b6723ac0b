"""What all campaigns changed together, by the customers that none of them contacts."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from flows.campaigns.assignment import in_global_holdout
from flows.campaigns.together import Period, effect_of_all, last_quarter_end

SHARE = 0.2


def outcomes(lift=0.0, n=6_000, seed=1, share=SHARE):
    """Customers of whom 30 % buy for 50, and `lift` more of those who could be contacted."""
    rng = np.random.default_rng(seed)
    ids = [f"C{number}" for number in range(n)]
    rate = 0.3 + lift * ~in_global_holdout(ids, share)
    bought = rng.random(n) < rate
    return pa.table(
        {
            "customer_id": ids, "orders": rng.geometric(0.4, n), "recency_days": rng.integers(0, 300, n),
            "spend_before": rng.exponential(80, n), "bought": bought,
            "revenue": np.where(bought, 50.0 * rng.lognormal(0, 0.3, n), 0.0),
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 3, 31), date(2026, 3, 31)),
        (date(2026, 3, 30), date(2025, 12, 31)),
        (date(2026, 1, 1), date(2025, 12, 31)),
        (date(2026, 12, 31), date(2026, 12, 31)),
    ],
)
def test_a_quarter_has_ended_on_its_last_day(day, expected):
    assert last_quarter_end(day) == expected


def test_a_period_is_from_the_first_launch_a_year_at_most_and_not_shorter_than_four_weeks():
    assert Period.of(date(2026, 1, 10), date(2026, 5, 1)) == Period(date(2026, 1, 10), date(2026, 3, 31))
    assert Period.of(date(2020, 1, 10), date(2026, 5, 1)) == Period(date(2025, 3, 31), date(2026, 3, 31))
    assert Period.of(date(2026, 3, 4), date(2026, 5, 1)) is None
    assert Period.of(date(2026, 4, 4), date(2026, 5, 1)) is None


def test_an_effect_is_found_in_buyers_and_in_money():
    found = effect_of_all(outcomes(lift=0.1), (SHARE, SHARE))
    assert found.lift.low < 0.1 < found.lift.high
    assert found.lift.low > 0
    assert found.revenue.low < 0.1 * 50 * np.exp(0.045) < found.revenue.high
    assert found.customers + found.held_out == 6_000
    assert found.sample_ratio_p > 0.001


def test_without_an_effect_the_interval_holds_zero_in_nineteen_of_twenty_shops():
    held = [
        effect.lift.low <= 0 <= effect.lift.high
        for effect in (effect_of_all(outcomes(n=1_000, seed=seed), (SHARE, SHARE)) for seed in range(200))
    ]
    assert 0.91 <= np.mean(held) <= 0.99


def test_who_was_in_the_holdout_for_a_part_of_the_time_is_left_out():
    found = effect_of_all(outcomes(), (0.1, 0.3))
    assert found.held_out == pytest.approx(600, abs=80)
    assert found.customers == pytest.approx(4_200, abs=120)
    assert found.sample_ratio_p > 0.001


def test_with_few_buyers_nothing_is_said_of_money_and_without_members_nothing_at_all():
    assert np.isnan(effect_of_all(outcomes(n=200), (SHARE, SHARE)).revenue.mean)
    assert effect_of_all(outcomes(n=20), (1e-9, 1e-9)) is None
