"""The chosen model and boosted trees that may mix all features, for customers who can still be kept.

At each past date the model is chosen and trained as in a run, on what was known then. The free trees have the same size
and the same features, and no reasons: the difference is what exact reasons cost.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone

from flows.churn.backtest import run_backtest
from flows.churn.btyd import Floats
from flows.churn.candidates import BASELINES, TREES
from flows.churn.churn_model import RECENT_SNAPSHOTS
from flows.churn.evaluation import measure as quality_of
from flows.churn.selection import select, train_selected
from flows.churn.training_set import TrainingSet
from flows.simulator.regimes import REGIMES
from tests.benchmarks.measured import Figure
from tests.benchmarks.regimes import CUSTOMERS, DAYS
from tests.examples.simulated_snapshots import simulated_snapshots

DATES = (0, 4, 8)
MAX_LOSS = 0.002  # of the AUC


def measure(folder: Path) -> Iterator[Figure]:
    for name, profile in REGIMES.items():
        place = folder / name.replace(" ", "_")
        place.mkdir()
        data = simulated_snapshots(replace(profile, customers=CUSTOMERS, days=DAYS), place, dates=30)
        chosen, figures = set(), []
        for position in DATES:
            candidate, *aucs = _aucs(data, position)
            chosen.add(candidate)
            figures.append(aucs)
        ours, free, baseline = np.mean(figures, axis=0)
        yield Figure(
            f"{name}, {data.horizon_days} days ahead, {len(DATES)} dates: AUC ({' and '.join(sorted(chosen))})",
            f"{ours:.4f}",
            f"free trees {free:.4f}, best baseline {baseline:.4f}",
            f"≥ free − {MAX_LOSS}",
            bool(ours >= free - MAX_LOSS),
        )


def _aucs(data: TrainingSet, position: int) -> tuple[str, float, float, float]:
    """The candidate that is chosen at a date, and the AUCs of the model, of free trees and of the best baseline."""
    day = data.snapshot_dates[-1 - position]
    past, customers = data.known_by(day), data.at([day])
    customers = customers.where(customers.keepable)
    recent = past.newest(RECENT_SNAPSHOTS)
    backtest = run_backtest(past)
    selection = select(backtest)
    model = train_selected(past, backtest, selection, day)
    known = ~np.isnan(recent.features).all(axis=0)  # scikit-learn fails on a column of missing values
    ours_of_causes: Any = backtest.newest.models[TREES].risk
    free = clone(ours_of_causes.trees.fitted).set_params(interaction_cst=None)
    free.fit(recent.features[:, known], recent.churned)
    baselines = [fit(recent)(customers.features) for fit in BASELINES.values()]

    def auc(probability: Floats) -> float:
        return quality_of(customers.churned, probability).auc

    ours = model.churn_probability(customers.features)
    return (
        selection.candidate,
        auc(ours),
        auc(free.predict_proba(customers.features[:, known])[:, 1]),
        max(auc(probability) for probability in baselines),
    )
