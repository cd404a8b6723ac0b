"""Diagnostics of a model: feature importance, partial dependence, curves, and the churners that it misses."""

import numpy as np
import pyarrow as pa
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

from flows.churn.btyd import Floats
from flows.churn.candidates import Predict
from flows.churn.evaluation import Flags
from flows.churn.training_set import TrainingSet
from functions.churn_api.contract import CAUSES, FEATURE_NAMES, RISK_BANDS, feature_position

CURVE_POINTS = 200
PERMUTATIONS = 3
CUSTOMERS_SHUFFLED = 4_000  # more do not make the bars more accurate, only slower
MIN_SHUFFLED_PER_OUTCOME = 200
GRID = 25


def permutation_importance(predict: Predict, customers: TrainingSet) -> pa.Table:
    """AUC lost when one feature, or all features of a cause together, are shuffled among customers.

    Columns: name, kind ("feature" or "cause"), auc_lost (mean of several shuffles); features without effect are left
    out. Shuffles are the same in every run."""
    rng = np.random.default_rng(0)
    customers = _sample(customers)
    known = predict(customers.features)
    full = roc_auc_score(customers.churned, known)
    alone = {name: ("feature", [name]) for name in FEATURE_NAMES}
    together = {f"all of: {cause}": ("cause", list(features)) for cause, features in CAUSES.items()}
    rows = []
    for name, (kind, features) in (alone | together).items():
        positions = [feature_position(feature) for feature in features]
        lost = []
        for _ in range(PERMUTATIONS):
            shuffled = customers.features.copy()
            shuffled[:, positions] = customers.features[rng.permutation(len(customers))][:, positions]
            predicted = predict(shuffled)
            if np.array_equal(predicted, known):  # the model does not use it
                break
            lost.append(full - roc_auc_score(customers.churned, predicted))
        if np.any(lost):
            rows.append({"name": name, "kind": kind, "auc_lost": float(np.mean(lost))})
    return pa.Table.from_pylist(rows)


def partial_dependence(predict: Predict, customers: TrainingSet, features: list[str]) -> pa.Table:
    """Mean probability if all customers had this value of a feature. Columns: feature, value, churn_probability."""
    rows = []
    customers = _sample(customers)
    for name in features:
        values = customers.column(name)
        for value in np.unique(np.nanquantile(values, np.linspace(0.02, 0.98, GRID))):
            changed = customers.features.copy()
            changed[:, feature_position(name)] = value
            rows.append({"feature": name, "value": float(value), "churn_probability": float(predict(changed).mean())})
    return pa.Table.from_pylist(rows)


def curves(churned: Flags, probability: Floats) -> tuple[pa.Table, pa.Table]:
    """ROC (false_positive_rate, true_positive_rate) and precision over recall (recall, precision), thinned out."""
    false_positives, true_positives, _ = roc_curve(churned, probability)
    precision, recall, _ = precision_recall_curve(churned, probability)
    roc = pa.table({"false_positive_rate": _thinned(false_positives), "true_positive_rate": _thinned(true_positives)})
    return roc, pa.table({"recall": _thinned(recall[:-1]), "precision": _thinned(precision[:-1])})


def who_is_missed(customers: TrainingSet, probability: Floats) -> pa.Table:
    """Churners that the model did not rate as high risk, by segment, most missed first.

    Columns: segment, customers, left, missed (left, though not in the highest band), missed_share,
    mean_probability_of_missed.
    """
    high = next(threshold for threshold, band in RISK_BANDS if band == "high")
    rows = []
    for segment in sorted(set(customers.segments.tolist())):
        here = customers.segments == segment
        left = here & customers.churned
        missed = left & (probability < high)
        rows.append(
            {
                "segment": segment,
                "customers": int(here.sum()),
                "left": int(left.sum()),
                "missed": int(missed.sum()),
                "missed_share": float(missed.sum() / max(left.sum(), 1)),
                "mean_probability_of_missed": float(probability[missed].mean()) if missed.any() else None,
            }
        )
    return pa.Table.from_pylist(sorted(rows, key=lambda row: -int(row["missed"] or 0)))


def _sample(customers: TrainingSet) -> TrainingSet:
    """At most CUSTOMERS_SHUFFLED, and of the rarer outcome as many as there are, up to MIN_SHUFFLED_PER_OUTCOME."""
    if len(customers) <= CUSTOMERS_SHUFFLED:
        return customers
    order = np.random.default_rng(0).permutation(len(customers))
    left, stayed = order[customers.churned[order]], order[~customers.churned[order]]
    rarer, other = sorted((left, stayed), key=len)
    rarer = rarer[: max(CUSTOMERS_SHUFFLED * len(rarer) // len(customers), min(len(rarer), MIN_SHUFFLED_PER_OUTCOME))]
    chosen = np.zeros(len(customers), dtype=bool)
    chosen[np.concatenate([rarer, other[: CUSTOMERS_SHUFFLED - len(rarer)]])] = True
    return customers.where(chosen)


def _thinned(values: Floats) -> Floats:
    kept: Floats = values[np.unique(np.linspace(0, len(values) - 1, CURVE_POINTS).astype(int))]
    return kept
