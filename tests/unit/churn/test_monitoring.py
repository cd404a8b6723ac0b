import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.adapters.marts.monitoring import describe_warnings
from flows.churn.monitoring import SCORE, drift, realised, reference
from functions.churn_api.contract import FEATURE_NAMES

RNG = np.random.default_rng(0)


def customers(n, seed=0, missing=0.3):
    rng = np.random.default_rng(seed)
    features = rng.gamma(2.0, 30.0, (n, len(FEATURE_NAMES)))
    features[:, 1] = 1 + rng.poisson(0.5, n)  # half of the customers share one value
    features[rng.random(n) < missing, FEATURE_NAMES.index("mean_gap_days")] = np.nan
    return features


def beyond(measured):
    return {m.feature or m.measure for m in measured if m.is_warning}


def test_the_same_customers_do_not_drift():
    features, p = customers(3000), RNG.random(3000)
    measured = drift(reference(features, p, features, p), features, p)
    assert len(measured) == len(FEATURE_NAMES) + 1
    assert max(m.value for m in measured) < 1e-6


@given(st.integers(30, 400), st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_chance_alone_does_not_raise_an_alarm_however_small_the_shop(n, seed):
    before, now = customers(2000, seed), customers(n, seed + 1)
    rng = np.random.default_rng(seed)
    p = rng.random(2000)
    measured = drift(reference(before, p, before, p), now, rng.random(n))
    assert len(beyond(measured)) <= 2  # one in a thousand of 33, with room


def test_a_shift_a_new_habit_and_missing_values_are_found_by_name():
    before, now = customers(3000), customers(3000, seed=1)
    now[:, FEATURE_NAMES.index("recency_days")] += 60
    now[:, FEATURE_NAMES.index("mean_gap_days")] = np.nan
    p = RNG.random(3000)
    measured = drift(reference(before, p, before, p), now, p**3)
    assert beyond(measured) == {"recency_days", "mean_gap_days", "score_drift"}


def test_a_figure_that_moves_as_the_shop_grows_older_is_no_alarm_until_it_moves_faster():
    tenure = FEATURE_NAMES.index("tenure_days")
    before, newest, now, later = (customers(3000) for _ in range(4))
    for times, features in ((1, before), (2, newest), (4, now), (20, later)):
        features[:, tenure] *= times
    p = RNG.random(3000)
    kept = reference(newest, p, before, p)
    assert beyond(drift(kept, now, p)) == set()
    assert beyond(drift(kept, later, p)) == {"tenure_days"}


def test_a_shop_of_one_kind_of_customer_can_be_measured():
    before = np.ones((50, len(FEATURE_NAMES)))
    p = np.full(50, 0.5)
    measured = drift(reference(before, p, before, p), before + 1, p)
    assert len(beyond(measured)) == len(FEATURE_NAMES)


def test_the_reference_is_kept_as_shares_that_add_up():
    features, p = customers(500), RNG.random(500)
    bins = reference(features, p, features, p)["bins"]
    assert set(bins) == {*FEATURE_NAMES, SCORE}
    for name, described in bins.items():
        assert sum(described["shares"]) == pytest.approx(1, abs=1e-5), name
        assert len(described["shares"]) == len(described["edges"]) + 2


def figures(churned, p, spend=None, expected=None, auc=0.75):
    n = len(p)
    spend = np.where(churned, 0, 50.0) if spend is None else spend
    measured = realised(churned, p, spend, np.full(n, spend.mean()) if expected is None else expected, auc)
    return {m.measure: m for m in measured}


def test_scores_that_came_true_raise_no_alarm():
    p = RNG.beta(1, 1, 4000)
    assert not any(m.is_warning for m in figures(RNG.random(4000) < p, p).values())


def test_scores_that_did_not_come_true_are_warned_of():
    p = RNG.beta(1, 1, 4000)
    churned = RNG.random(4000) < p
    assert figures(churned, p / 2)["ece"].is_warning
    assert figures(churned, RNG.random(4000))["auc"].is_warning
    assert figures(churned, 1 - p)["brier"].is_warning
    assert figures(churned, p, expected=np.full(4000, 100.0))["expected_to_actual_spend"].is_warning


def test_spend_that_was_not_expected_then_is_not_judged_now():
    p = RNG.beta(1, 1, 400)
    assert "expected_to_actual_spend" not in figures(RNG.random(400) < p, p, expected=np.full(400, np.nan))


def test_many_figures_that_drift_are_one_warning_that_names_the_worst():
    def drifted(features):
        rows = [
            {"measure": "feature_drift", "feature": name, "value": 0.5 + n, "limit_value": 0.25, "is_warning": True}
            for n, name in enumerate(features)
        ]
        return pa.Table.from_pylist([*rows, {"measure": "score_drift", "feature": "", "value": 1.0, "limit_value": 0.5,
                                             "is_warning": True}])  # fmt: skip

    assert len(describe_warnings(drifted(FEATURE_NAMES[:5]))) == 6
    many, score = describe_warnings(drifted(FEATURE_NAMES[:7]))
    worst = f"most in {FEATURE_NAMES[6]}: PSI 6.50, limit 0.25"
    assert many == f"customers differ in 7 figures from those at training, {worst}"
    assert score.startswith("scores differ")
