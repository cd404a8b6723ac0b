import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.churn.evaluation import (
    by_group,
    expected_calibration_error,
    given_the_base_rate,
    measure,
    normalised_gini,
    reliability,
)


def test_true_probabilities_are_calibrated():
    rng = np.random.default_rng(0)
    p = rng.random(200_000)
    assert expected_calibration_error(rng.random(200_000) < p, p) < 0.005


def test_a_constant_that_is_wrong_is_off_by_its_distance():
    churned = np.arange(1000) % 4 == 0
    assert expected_calibration_error(churned, np.full(1000, 0.75)) == pytest.approx(0.5)


def test_a_perfect_ranking_has_an_auc_of_one_and_no_error():
    churned = np.arange(100) >= 50
    quality = measure(churned, np.linspace(0, 1, 100))
    assert quality.auc == 1
    assert quality.auc_standard_error == 0
    assert quality.lift_top_decile == 2


def test_the_standard_error_of_the_auc_is_that_of_repeated_samples():
    rng = np.random.default_rng(1)

    def sample():
        churned = rng.random(600) < 0.4
        return measure(churned, 1 / (1 + np.exp(-(rng.normal(size=600) + churned))))

    samples = [sample() for _ in range(200)]
    assert np.mean([s.auc_standard_error for s in samples]) == pytest.approx(np.std([s.auc for s in samples]), rel=0.2)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=4, max_size=80))
@settings(max_examples=100, deadline=None)
def test_no_figure_leaves_its_range(rows):
    churned = np.array([c for c, _ in rows])
    if churned.all() or not churned.any():
        return
    quality = measure(churned, np.array([p for _, p in rows]))
    assert 0 <= quality.auc <= 1
    assert 0 <= quality.brier <= 1
    assert 0 <= quality.ece <= 1
    assert quality.log_loss >= 0
    assert 0 <= quality.pr_auc <= 1


def test_a_precision_that_rounds_beyond_one_is_one():
    churned = np.array([False] + [True] * 9)
    assert measure(churned, np.array([0.0, 1.0, 0.5, 0.75, *[0.25] * 6])).pr_auc == 1


def test_the_calibration_error_of_chance_is_that_of_true_probabilities():
    rng = np.random.default_rng(2)

    def sample():
        p = rng.beta(2, 3, 900)
        return measure(rng.random(900) < p, p)

    samples = [sample() for _ in range(60)]
    assert np.mean([s.ece for s in samples]) == pytest.approx(np.mean([s.ece_of_chance for s in samples]), rel=0.1)


def test_lifts_of_the_deciles_add_up_to_the_whole():
    rng = np.random.default_rng(3)
    p = rng.random(1000)
    quality = measure(rng.random(1000) < p, p)
    assert np.mean(quality.lift_by_decile) == pytest.approx(1)
    assert quality.lift_by_decile[0] > 1.5 > 0.5 > quality.lift_by_decile[-1]


def test_given_the_base_rate_the_mean_is_right_and_the_order_is_kept():
    rng = np.random.default_rng(4)
    p = rng.random(500)
    churned = rng.random(500) < p**3
    shifted = given_the_base_rate(churned, p)
    assert shifted.mean() == pytest.approx(churned.mean())
    assert (np.argsort(shifted, kind="stable") == np.argsort(p, kind="stable")).all()


def test_groups_are_measured_apart_and_make_up_the_whole():
    churned = np.array([True, True, False, False])
    rows = by_group(churned, np.array([0.9, 0.9, 0.2, 0.1]), np.array(["a", "a", "b", "b"], dtype=object))
    assert [(row.group, row.customers, row.churn_rate, row.lift, row.auc) for row in rows] == [
        ("a", 2, 1.0, 2.0, None),
        ("b", 2, 0.0, 0.0, None),
    ]


def test_the_gini_of_the_amounts_themselves_is_one_and_of_their_opposite_minus_one():
    amount = np.random.default_rng(5).gamma(1, 50, 400)
    assert normalised_gini(amount, amount) == pytest.approx(1)
    assert normalised_gini(amount, -amount) == pytest.approx(-1)


def test_reliability_gives_each_decile_with_its_error():
    p = np.linspace(0, 1, 1000)
    rows = reliability(p > 0.5, p)
    assert len(rows) == 10
    assert rows[0]["churn_rate"] == 0
    assert rows[-1]["churn_rate"] == 1
    assert all(row["standard_error"] > 0 for row in rows)
