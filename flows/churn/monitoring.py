"""Whether customers still resemble those of the training, and whether predictions came true."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2

from flows.churn.btyd import Floats
from flows.churn.evaluation import MAX_ECE, Flags, measure
from functions.churn_api.contract import FEATURE_NAMES

BINS = 10
# a PSI of 0.25 counts as a significant shift; the limit of small samples is what chance exceeds once in 1000
PSI_LIMIT = 0.25
CHANCE = 0.999
SCORE = "churn_probability"


@dataclass(frozen=True)
class Measurement:
    """One figure. `feature` is empty unless the figure is about one. A value beyond `limit` is a warning."""

    measure: str
    feature: str
    value: float
    limit: float
    is_warning: bool
    customers: int


def reference(
    features: Floats, probability: Floats, features_before: Floats, probability_before: Floats
) -> dict[str, Any]:
    """The reference for drift, JSON-ready: for each feature and the score, bin edges, shares, usual drift.

    Usual drift is measured against a horizon earlier: some figures change as a shop grows older, such as the time since
    the first purchase."""
    before = _by_name(features_before, probability_before)
    bins = {}
    for name, values in _by_name(features, probability).items():
        known = values[~np.isnan(values)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.empty(0)
        shares, shares_before = _shares(values, edges), _shares(before[name], edges)
        usual = _psi(shares, shares_before, len(values), len(before[name]))
        bins[name] = {"edges": edges.tolist(), "shares": np.round(shares, 6).tolist(), "usual_psi": round(usual, 6)}
    return {"customers": len(features), "bins": bins}


def drift(reference: Mapping[str, Any], features: Floats, probability: Floats) -> list[Measurement]:
    """The population stability index of each feature and of the score; a missing value is a bin of its own."""
    found = []
    for name, values in _by_name(features, probability).items():
        bins = reference["bins"][name]
        expected, actual = np.array(bins["shares"]), _shares(values, np.array(bins["edges"]))
        psi = _psi(expected, actual, reference["customers"], len(values))
        # under no drift, PSI / (1/n + 1/m) follows a chi-squared distribution
        by_chance = chi2.ppf(CHANCE, len(expected) - 1) * (1 / len(values) + 1 / reference["customers"])
        limit = max(PSI_LIMIT, float(by_chance), 2 * bins["usual_psi"])
        measured = "score_drift" if name == SCORE else "feature_drift"
        found.append(Measurement(measured, "" if name == SCORE else name, psi, limit, psi > limit, len(values)))
    return found


def realised(
    churned: Flags, probability: Floats, spend: Floats, expected_spend: Floats, auc_at_training: float | None
) -> list[Measurement]:
    """Realised quality of past predictions. Both outcomes must occur.

    auc_at_training: the model's AUC in its backtest, for comparison; None for a model from elsewhere.
    """
    quality = measure(churned, probability)
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


def _by_name(features: Floats, probability: Floats) -> dict[str, Floats]:
    return dict(zip(FEATURE_NAMES, features.T, strict=True)) | {SCORE: probability}


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
