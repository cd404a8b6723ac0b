"""How regular gaps are, and what silence means where they are."""

import numpy as np
import pytest
from scipy.special import betainc

from flows.churn.gaps import SHAPES, Gaps, shape_of_gaps
from functions.churn_api.contract import FEATURE_NAMES


def features_of(gaps):
    """Customers with these gaps, [customers, gaps]."""
    features = np.full((len(gaps), len(FEATURE_NAMES)), np.nan)
    features[:, FEATURE_NAMES.index("frequency")] = gaps.shape[1] + 1
    features[:, FEATURE_NAMES.index("gap_variation")] = gaps.std(axis=1) / gaps.mean(axis=1)
    return features


@pytest.mark.parametrize(("shape", "gaps"), [(0.9, 5), (1.0, 2), (1.4, 3), (2.4, 8)])
def test_the_shape_is_found_whatever_the_paces_and_however_few_the_gaps(shape, gaps):
    rng = np.random.default_rng(3)
    paces = rng.gamma(0.8, 1 / 60, (20_000, 1))
    found = shape_of_gaps(features_of(rng.gamma(shape, 1 / paces, (20_000, gaps))))
    assert found == pytest.approx(shape, rel=0.03)


def test_a_few_gaps_say_little_and_none_nothing():
    regular = np.full((4, 3), 30.0)
    assert 1 < shape_of_gaps(features_of(regular)) < 1.3
    assert shape_of_gaps(features_of(np.full((5_000, 3), 30.0))) == SHAPES[1]
    assert shape_of_gaps(features_of(regular)[:0]) == 1
    assert shape_of_gaps(features_of(np.array([[1.0, 1.0, 1.0, 300.0]] * 5_000))) == SHAPES[0]


@pytest.mark.parametrize("shape", [1.0, 1.2, 1.5, 2.0, 2.5, 3.0])
def test_silence_is_as_likely_as_the_paces_say(shape):
    for bought in (0.6, 2.5, 15.0, 300.0):
        days = np.linspace(0, 400, 60)
        exact = betainc(bought, shape, 90 / (90 + shape * days))
        assert np.exp(Gaps(shape).silent(np.array([bought]), np.array([90.0]), days)) == pytest.approx(exact, abs=0.04)


@pytest.mark.parametrize(("shape", "within"), [(0.75, 0.045), (0.85, 0.015), (1.0, 1e-12), (1.15, 0.01), (1.2, 0.01),
    (1.5, 0.015), (2.0, 1e-9), (2.3, 0.015), (3.0, 1e-9)])  # fmt: skip
def test_the_logarithm_of_a_silence_is_as_right_as_is_said(shape, within):
    bought, usual_gaps = np.meshgrid(np.exp(np.linspace(-2, 6, 41)), np.exp(np.linspace(-7, 6, 97)))
    days = 90.0 * usual_gaps / (shape * bought)
    exact = betainc(bought, shape, 90 / (90 + shape * days))
    likely = exact > 1e-3
    silent = Gaps(shape).silent(bought, np.full_like(bought, 90.0), days)
    assert np.abs(silent - np.log(np.maximum(exact, 1e-300)))[likely].max() < within


@pytest.mark.parametrize("shape", [0.75, 1.0, 1.3, 2.0, 2.7])
def test_a_longer_silence_is_less_likely_and_lowers_the_pace(shape):
    gaps, of = Gaps(shape), (np.array([2.0]), np.array([60.0]), np.linspace(0, 5_000, 300))
    assert gaps.silent(*of)[0] == 0
    assert (np.diff(gaps.silent(*of)) < 0).all()
    known = gaps.known_by_now(*of)
    assert known[0] == pytest.approx(60)
    assert (np.diff(known) > 0).all()


def test_for_a_poisson_process_each_day_of_silence_is_one_more_day_known():
    assert Gaps(1.0).known_by_now(np.array([4.0]), np.array([60.0]), np.array([0.0, 35.0])) == pytest.approx([60, 95])
