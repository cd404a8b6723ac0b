"""What several small campaigns say together."""

import numpy as np
import pytest

from flows.campaigns.pooling import Measured, pooled, shrunk


def test_one_campaign_says_what_it_says():
    assert pooled([Measured(2.0, 0.5)]) == Measured(2.0, pytest.approx(0.5))
    assert shrunk([Measured(2.0, 0.5)]) == [Measured(2.0, 0.5)]


def test_campaigns_that_agree_say_more_together():
    both = pooled([Measured(1.0, 0.5), Measured(1.2, 0.5)])
    assert both.mean == pytest.approx(1.1)
    assert both.error == pytest.approx(0.5 / np.sqrt(2))


def test_what_is_known_better_counts_more():
    assert pooled([Measured(1.0, 0.1), Measured(2.0, 1.0)]).mean == pytest.approx(1.0 + 1 / 101)


def test_campaigns_that_differ_beyond_chance_say_little_of_the_next():
    differ = pooled([Measured(-2.0, 0.1), Measured(2.0, 0.1)])
    assert differ.mean == pytest.approx(0)
    assert differ.error > 1.5
    assert abs(pooled([Measured(-2.0, 0.1), Measured(2.0, 0.5)]).mean) < 0.2  # count alike, however well each is known


def test_a_campaign_that_says_little_is_mostly_what_the_earlier_ones_were():
    first, second = shrunk([Measured(1.0, 0.1), Measured(9.0, 2.0)])
    assert first.mean == 1.0
    assert 1.0 < second.mean < 1.5 or second.error < 2.0
    assert second.error < 2.0


def test_over_many_shops_the_shrunk_effect_is_nearer_to_the_truth_than_the_last_campaign_alone():
    rng = np.random.default_rng(3)
    wrong = {"alone": 0.0, "shrunk": 0.0}
    for _ in range(2_000):
        truths = rng.normal(0, 1) + rng.normal(0, 0.2, 3)
        found = [Measured(float(rng.normal(truth, 0.7)), 0.7) for truth in truths]
        wrong["alone"] += (found[-1].mean - truths[-1]) ** 2
        wrong["shrunk"] += (shrunk(found)[-1].mean - truths[-1]) ** 2
    assert wrong["shrunk"] < 0.6 * wrong["alone"]


def test_the_interval_of_the_next_campaign_holds_it():
    rng = np.random.default_rng(4)
    held = []
    for _ in range(2_000):
        truth = rng.normal(0, 1)
        of_all = pooled([Measured(float(rng.normal(truth, 0.5)), 0.5) for _ in range(3)])
        held.append(abs(of_all.mean - truth) < 1.645 * of_all.error)
    assert 0.88 < np.mean(held) < 0.95
