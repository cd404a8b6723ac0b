"""The chance of a second order within the horizon, of customers who have bought once: how good it is for them alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import expit

from flows.churn.backtest import MIN_PER_OUTCOME, HeldOut
from flows.churn.btyd import Floats
from flows.churn.evaluation import Flags, measure, reliability
from flows.churn.lines import fit_logistic

# of the customers who could still be kept: from here on the report has a section for them
SHARE_TO_SHOW = 0.5
_FIGURES = ("auc", "auc_standard_error", "brier", "ece", "ece_of_chance")


def second_order_quality(held_out: Sequence[HeldOut], candidate: str) -> dict[str, Any]:
    """JSON-ready: quality on each held-out date on which enough one-time buyers who could still be kept did and did not
    order again, next to the best that recency alone could do: it is fitted to these very customers."""
    rows = []
    for h in held_out:
        once = h.keepable & (h.customers.column("frequency") == 1)
        ordered_again = ~h.customers.churned[once]
        if min(ordered_again.sum(), (~ordered_again).sum()) < MIN_PER_OUTCOME:
            continue
        probability = 1 - h.probability[candidate][once]
        days = np.log1p(h.customers.column("recency_days")[once])[:, None]
        intercept, slopes = fit_logistic(days, ordered_again)
        rows.append(
            {
                "date": str(h.day),
                "customers": int(once.sum()),
                "share_of_customers": round(float(once.sum() / h.keepable.sum()), 4),
                "ordered_again": round(float(ordered_again.mean()), 4),
                "predicted": round(float(probability.mean()), 4),
                "quality": _quality(ordered_again, probability),
                "recency_at_its_best": _quality(ordered_again, expit(intercept + days @ slopes)),
                "reliability": [
                    {"mean_probability": row["mean_probability"], "ordered_again": row["churn_rate"]}
                    | {name: row[name] for name in ("standard_error", "customers")}
                    for row in reliability(ordered_again, probability)
                ],
            }
        )
    share = float(np.mean([row["share_of_customers"] for row in rows])) if rows else 0.0
    return {"is_shown": share >= SHARE_TO_SHOW, "held_out": rows}


def _quality(ordered_again: Flags, probability: Floats) -> dict[str, float]:
    quality = measure(ordered_again, probability)
    return {name: round(getattr(quality, name), 5) for name in _FIGURES}
