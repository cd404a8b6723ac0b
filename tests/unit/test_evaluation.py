import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.churn.evaluation import expected_calibration_error, measure


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
