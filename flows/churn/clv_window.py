"""What came of lifecycle and CLV after the newest past date whose clv_days have passed."""

from typing import Any

import numpy as np

from flows.churn.backtest import has_both_outcomes
from flows.churn.candidates import CANDIDATES
from flows.churn.churn_model import RECENT_SNAPSHOTS, ChurnModel
from flows.churn.pace import fit_process
from flows.churn.training_set import TrainingSet
from functions.churn_api.contract import LIFECYCLES


def clv_window_quality(data: TrainingSet, candidate: str) -> dict[str, Any] | None:
    """JSON-ready: by lifecycle, the customers, the share who bought in clv_days, and spend expected and actual.

    From a model trained on what was known at that date, the level of spend included. None: no past date is clv_days
    ago, or too little was known by then."""
    days = [day for day in data.snapshot_dates if not np.isnan(data.at([day]).spend_in_clv_window).any()]
    if not days:
        return None
    day, past, then = days[-1], data.known_by(days[-1]), data.at(days[-1:])
    if not len(past) or not has_both_outcomes(past.newest(RECENT_SNAPSHOTS)):
        return None
    process = fit_process(past)
    model = ChurnModel.train(CANDIDATES[candidate], past, process).with_value(past)
    stages, interval = model.lifecycle(then.features), model.value.interval
    clv, low, high, _, _ = model.customer_value(then.features).T
    spent, bought = then.spend_in_clv_window, then.days_to_next_purchase <= data.clv_days
    inside = None if interval is None else round(float(((low <= spent) & (spent <= high)).mean()), 4)

    def row(of: Any) -> dict[str, Any]:
        customers, expected, actual = int(of.sum()), float(clv[of].sum()), float(spent[of].sum())
        return {
            "customers": customers,
            "bought": round(float(bought[of].mean()), 4) if customers else None,
            "expected": round(expected, 2),
            "actual": round(actual, 2),
            "expected_to_actual": round(expected / actual, 4) if actual > 0 else None,
        }

    return {
        "date": str(day),
        "clv_days": data.clv_days,
        "level_was_known": bool(not np.isnan(past.spend_in_clv_window).all()),
        "of_all": row(np.ones(len(then), dtype=bool)),
        "by_lifecycle": [{"lifecycle": name} | row(stages == at) for at, name in enumerate(LIFECYCLES)],
        "share_within_interval": inside,
    }
