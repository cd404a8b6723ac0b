"""The papers of a model: what it was trained on, how good it was on time it had not seen, against what."""

from datetime import date
from typing import Any

from flows.churn.candidates import RECENCY
from flows.churn.onnx_export import PARITY_TOLERANCE, ExportedModel
from flows.churn.selection import Comparison
from flows.churn.training_set import TrainingSet
from functions.churn_api.contract import CONTRACT_FINGERPRINT, FEATURE_NAMES


def model_card(
    exported: ExportedModel, comparison: Comparison, data: TrainingSet, as_of: date, horizon_days: int, shop: str
) -> dict[str, Any]:
    """A JSON-ready card. Qualities are those of the held-out dates, newest first; the served model is then
    trained once more on all snapshots, which the qualities do not show."""
    dates = data.snapshot_dates
    return {
        "model_version": exported.model_version,
        "algorithm": comparison.winner,
        "predicts": f"P(no purchase in the {horizon_days} days after the as-of date) of anybody who bought before",
        "horizon_days": horizon_days,
        "trained_as_of": str(as_of),
        "trained_on": {
            "shop": shop,
            "snapshots": [str(day) for day in dates],
            "rows": len(data),
            "customers": len(set(data.customer_ids.tolist())),
            "churn_rate": round(float(data.churned.mean()), 5),
        },
        "held_out": [
            {
                "date": str(held_out.day),
                "trained_on_snapshots": [str(day) for day in held_out.trained_on],
                "candidates": {name: held_out.quality(name).as_dict() for name in held_out.probability},
            }
            for held_out in comparison.held_out
        ],
        "choice": {
            "rule": "the logistic regression, unless the trees rank and rate better by more than noise",
            "baseline": RECENCY,
            "auc_gain_of_trees": round(comparison.auc_gain, 5),
            "brier_gain_of_trees": round(comparison.brier_gain, 6),
            "brier_gain_standard_error": round(comparison.brier_gain_standard_error, 6),
        },
        "onnx": {"largest_difference_to_scikit_learn": exported.parity, "tolerance": PARITY_TOLERANCE},
        "contract": CONTRACT_FINGERPRINT,
        "features": list(FEATURE_NAMES),
    }
