"""Whether customers still resemble those of the training, and whether predictions came true."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2

from flows.churn.btyd import Floats
from flows.churn.evaluation import MAX_ECE, Flags, measure
from flows.churn.training_set import HORIZONS_TO_KEEP
from functions.churn_api.contract import FEATURE_NAMES, feature_position

BINS = 10
# a PSI of 0.25 counts as a significant shift; the limit of small samples is what chance exceeds once in 1000
PSI_LIMIT = 0.25
# what is usual from one horizon to the next raises the limit, but no further: beyond this it is always a warning
MAX_PSI_LIMIT = 0.5
CHANCE = 0.999
SCORE = "churn_probability"
# What counts from the first purchase, or can be no longer than the history: it grows with the age of the shop by
# definition. Measured, never a warning.
GROWS_WITH_AGE = (
    "frequency", "monetary", "tenure_days", "days_per_purchase", "mean_gap_days", "median_gap_days", "max_gap_days",
    "shrunk_gap_days", "days_since_2nd_last_purchase", "days_since_3rd_last_purchase", "days_since_5th_last_purchase",
    "recency_to_mean_gap", "recency_to_median_gap", "recency_to_max_gap", "gap_variation", "silence_in_gap_spreads",
    "purchases_same_weeks_a_year",
)  # fmt: skip


@dataclass(frozen=True)
class Measurement:
    """One figure. `feature` is empty unless the figure is about one. A value beyond `limit` is a warning; None: it is
    never one."""

    measure: str
    feature: str
    value: float
    limit: float | None
    is_warning: bool
    customers: int


def reference(
    horizon_days: int, features: Floats, probability: Floats, features_before: Floats, probability_before: Floats
) -> dict[str, Any]:
    """The reference for drift, JSON-ready: for each feature and the score, bin edges, shares, usual drift.

    Usual drift is measured against a horizon earlier, which a season changes. A window longer than the history, such as
    the last 365 days of a young shop, still grows with its age."""
    # those who left long ago become more as a shop ages, whether or not its customers change
    recent_days = HORIZONS_TO_KEEP * horizon_days
    history_days = float(np.nanmax(features[:, feature_position("tenure_days")]))
    now = _recent(features, probability, recent_days)
    before = _recent(features_before, probability_before, recent_days)
    bins = {}
    for name, values in now.items():
        known = values[~np.isnan(values)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.empty(0)
        shares, shares_before = _shares(values, edges), _shares(before[name], edges)
        usual = _psi(shares, shares_before, len(values), len(before[name]))
        bins[name] = {
            "edges": edges.tolist(),
            "shares": np.round(shares, 6).tolist(),
            "usual_psi": round(usual, 6),
            "grows_with_age": grows_with_age(name, history_days),
        }
    return {"customers": len(now[SCORE]), "last_order_within_days": recent_days, "bins": bins}


def grows_with_age(feature: str, history_days: float) -> bool:
    """Whether a figure of customers who stay as they are grows while a shop with this history grows older."""
    window = re.search(r"(last|trend)_(\d+)_days$", feature)
    if window:
        return history_days < int(window[2]) * (2 if window[1] == "trend" else 1)
    return feature in GROWS_WITH_AGE


def drift(reference: Mapping[str, Any], features: Floats, probability: Floats) -> list[Measurement]:
    """The population stability index of each feature and of the score, for customers who ordered lately; a missing
    value is a bin of its own."""
    found = []
    for name, values in _recent(features, probability, reference["last_order_within_days"]).items():
        bins = reference["bins"][name]
        expected, actual = np.array(bins["shares"]), _shares(values, np.array(bins["edges"]))
        psi = _psi(expected, actual, reference["customers"], len(values))
        # under no drift, PSI / (1/n + 1/m) follows a chi-squared distribution
        by_chance = chi2.ppf(CHANCE, len(expected) - 1) * (1 / len(values) + 1 / reference["customers"])
        usual = min(2 * bins["usual_psi"], MAX_PSI_LIMIT)
        limit = None if bins["grows_with_age"] else max(PSI_LIMIT, float(by_chance), usual)
        measured = "score_drift" if name == SCORE else "feature_drift"
        is_warning = limit is not None and psi > limit
        found.append(Measurement(measured, "" if name == SCORE else name, psi, limit, is_warning, len(values)))
    return found


def realised(
    churned: Flags,
    probability: Floats,
    keepable: Flags,
    spend: Floats,
    expected_spend: Floats,
    auc_at_training: float | None,
) -> list[Measurement]:
    """Realised quality of past predictions: of probabilities for customers who could still be kept, of spend for all.
    Both outcomes must occur among the former.

    auc_at_training: the model's AUC in its backtest, on such customers too, for comparison; None for a model from
    elsewhere.
    """
    quality = measure(churned[keepable], probability[keepable])
    n = quality.customers
    lowest_auc = 0.6 if auc_at_training is None else auc_at_training - max(0.03, 3 * quality.auc_standard_error)
    base_rate = quality.churn_rate * (1 - quality.churn_rate)
    highest_ece = MAX_ECE + quality.ece_of_chance
    figures = [
        Measurement("auc", "", quality.auc, lowest_auc, quality.auc < lowest_auc, n),
        Measurement("brier", "", quality.brier, base_rate, quality.brier > base_rate, n),
        Measurement("ece", "", quality.ece, highest_ece, quality.ece > highest_ece, n),
    ]
    if spend.sum() > 0 and not np.isnan(expected_spend).any():
        ratio = float(expected_spend.sum() / spend.sum())
        figures.append(Measurement("expected_to_actual_spend", "", ratio, 1.25, not 0.8 <= ratio <= 1.25, n))
    return figures


def _recent(features: Floats, probability: Floats, days: int) -> dict[str, Floats]:
    """Features and score by name, of customers whose last order is within so many days; of all if there are none."""
    recent = features[:, feature_position("recency_days")] <= days
    chosen = recent if recent.any() else ~recent
    return dict(zip(FEATURE_NAMES, features[chosen].T, strict=True)) | {SCORE: probability[chosen]}


def _psi(expected: Floats, actual: Floats, expected_customers: int, customers: int) -> float:
    # half a customer in an empty bin, so that its logarithm exists
    expected = np.maximum(expected, 0.5 / expected_customers)
    actual = np.maximum(actual, 0.5 / customers)
    return float(((actual - expected) * np.log(actual / expected)).sum())


def _shares(values: Floats, edges: Floats) -> Floats:
    """Shares of the bins that the edges make, and of missing values; they add up to 1."""
    missing = np.isnan(values)
    counts = np.bincount(np.searchsorted(edges, values[~missing], side="left"), minlength=len(edges) + 1)
    return np.append(counts, missing.sum()) / len(values)
