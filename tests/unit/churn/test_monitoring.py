import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.adapters.marts.monitoring import describe_warnings
from flows.churn.monitoring import GROWS_WITH_AGE, MAX_PSI_LIMIT, SCORE, drift, grows_with_age, realised, reference
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
    measured = drift(reference(90, features, p, features, p), features, p)
    assert len(measured) == len(FEATURE_NAMES) + 1
    assert max(m.value for m in measured) < 1e-6


@given(st.integers(30, 400), st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_chance_alone_does_not_raise_an_alarm_however_small_the_shop(n, seed):
    before, now = customers(2000, seed), customers(n, seed + 1)
    rng = np.random.default_rng(seed)
    p = rng.random(2000)
    measured = drift(reference(90, before, p, before, p), now, rng.random(n))
    assert len(beyond(measured)) <= 2  # one in a thousand of 33, with room


def test_a_shift_a_new_habit_and_missing_values_are_found_by_name():
    before, now = customers(3000), customers(3000, seed=1)
    now[:, FEATURE_NAMES.index("recency_days")] += 60
    now[:, FEATURE_NAMES.index("has_opted_out")] = np.nan
    p = RNG.random(3000)
    measured = drift(reference(90, before, p, before, p), now, p**3)
    assert beyond(measured) == {"recency_days", "has_opted_out", "score_drift"}


def test_what_grows_with_the_age_of_the_shop_is_measured_and_never_an_alarm():
    before, now = customers(3000), customers(3000)
    now[:, FEATURE_NAMES.index("tenure_days")] *= 20
    p = RNG.random(3000)
    measured = drift(reference(90, before, p, before, p), now, p)
    (tenure,) = [m for m in measured if m.feature == "tenure_days"]
    assert tenure.value > 1
    assert tenure.limit is None
    assert beyond(measured) == set()
    assert set(GROWS_WITH_AGE) < set(FEATURE_NAMES)


def test_customers_who_left_long_ago_do_not_count_however_many_they_become():
    before, gone, p = customers(3000), customers(6000), RNG.random(3000)
    recency = FEATURE_NAMES.index("recency_days")
    before[:, recency] = RNG.integers(0, 180, 3000)
    gone[:, recency] = 500
    kept = reference(90, before, p, before, p)
    measured = drift(kept, np.concatenate([before, gone]), np.concatenate([p, np.ones(6000)]))
    assert max(m.value for m in measured) < 1e-6


@pytest.mark.parametrize(
    ("feature", "history_days", "grows"),
    [("purchases_last_365_days", 300, True), ("purchases_last_365_days", 365, False), ("trend_180_days", 359, True),
     ("trend_180_days", 360, False), ("tenure_days", 9_999, True), ("average_order_value", 1, False)],
)  # fmt: skip
def test_a_window_that_is_longer_than_the_history_grows_with_it(feature, history_days, grows):
    assert grows_with_age(feature, history_days) == grows


def test_no_usual_drift_however_large_switches_an_alarm_off():
    before, earlier, now = customers(3000), customers(3000), customers(3000)
    opened = FEATURE_NAMES.index("emails_opened_last_90_days")
    earlier[:, opened] += 10_000
    now[:, opened] *= 4
    p = RNG.random(3000)
    (limit,) = [m.limit for m in drift(reference(90, before, p, earlier, p), now, p) if m.is_warning]
    assert limit == MAX_PSI_LIMIT


def test_a_shop_of_one_kind_of_customer_can_be_measured():
    before = np.ones((50, len(FEATURE_NAMES)))
    p = np.full(50, 0.5)
    measured = drift(reference(90, before, p, before, p), before + 1, p)
    assert len(beyond(measured)) == len([m for m in measured if m.limit]) - 1  # all but the score


def test_the_reference_is_kept_as_shares_that_add_up():
    features, p = customers(500), RNG.random(500)
    bins = reference(90, features, p, features, p)["bins"]
    assert set(bins) == {*FEATURE_NAMES, SCORE}
    for name, described in bins.items():
        assert sum(described["shares"]) == pytest.approx(1, abs=1e-5), name
        assert len(described["shares"]) == len(described["edges"]) + 2


def figures(churned, p, spend=None, expected=None, auc=0.75, keepable=None):
    n = len(p)
    spend = np.where(churned, 0, 50.0) if spend is None else spend
    keepable = np.ones(n, bool) if keepable is None else keepable
    measured = realised(churned, p, keepable, spend, np.full(n, spend.mean()) if expected is None else expected, auc)
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


def test_scores_of_those_who_left_long_ago_are_not_judged():
    p = RNG.beta(1, 1, 4000)
    keepable, churned = np.arange(4000) < 2000, RNG.random(4000) < p
    gone = figures(np.where(keepable, churned, True), np.where(keepable, p, 0.99), keepable=keepable)
    assert gone["auc"].customers == 2000
    assert gone["auc"].value == figures(churned[:2000], p[:2000])["auc"].value


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
