"""The whole procedure on shops that differ in pace and season, judged by what came after dates that it never saw."""

from dataclasses import replace

import numpy as np
import pytest

from flows.simulator.regimes import GIFT, GROCERIES, SLOW_FASHION
from tests.benchmarks.walk_forward import IF_BACK, mean_ece, mean_ece_of_best_baseline, walk_forward
from tests.examples.simulated_snapshots import simulated_snapshots

pytestmark = [pytest.mark.whole_run, pytest.mark.release]


@pytest.fixture(
    scope="module", params=[GIFT, GROCERIES, SLOW_FASHION], ids=["gift season", "groceries", "slow fashion"]
)
def steps(request, tmp_path_factory):
    profile = replace(request.param, customers=5_000, days=4 * 365)
    data = simulated_snapshots(profile, tmp_path_factory.mktemp("regime"), dates=30)
    # the newest date, and one whose horizon reaches into another season
    return list(walk_forward(data, (0, 5)))


def test_probabilities_are_right_on_average_through_the_seasons(steps):
    """One baseline is the process inside the model: it may be calibrated as well, within what chance is."""
    assert mean_ece(steps) <= 0.03
    assert mean_ece(steps) <= mean_ece_of_best_baseline(steps) + 0.003


def test_expected_spend_adds_up_to_what_came(steps):
    assert np.mean([step.expected_to_actual_spend for step in steps]) == pytest.approx(1, abs=0.1)


def test_expected_spend_sorts_customers_better_than_the_rate_so_far(steps):
    for step in steps:
        assert step.gini > step.gini_of_the_rate_so_far


def test_customers_are_ranked_at_least_as_well_as_by_any_baseline(steps):
    for step in steps:
        assert step.quality.auc >= max(quality.auc for quality in step.baselines.values()) - 0.005


def test_the_next_order_comes_by_its_day_as_often_as_predicted(steps):
    """The process behind it has gaps less regular than a grocer's, so that its intervals are rather too wide."""
    for step in steps:
        shares = {name: of.came.mean() for name, of in step.next_orders.items() if len(of.came) >= 300}
        expected = {"10%": 0.1, "50%": 0.5, "90%": 0.9, IF_BACK: 0.5}
        assert shares == pytest.approx({name: expected[name] for name in shares}, abs=0.1), step.day
        assert step.next_orders["90%"].came.mean() - step.next_orders["10%"].came.mean() >= 0.75
