"""A model that was trained for October and is used in January, by what happened after January 1.

The season belongs to the as-of date: the kept model is scored with October's, as a file that held one season would be,
and with January's, as it is served. "Trained again" is a model of January 1.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from flows.churn.backtest import run_backtest
from flows.churn.churn_model import ChurnModel
from flows.churn.evaluation import measure as quality_of
from flows.churn.selection import select, train_selected
from flows.churn.training_set import TrainingSet
from flows.simulator.regimes import GIFT, REGIMES
from functions.churn_api.scorer import day_of_year
from tests.benchmarks.measured import Figure
from tests.benchmarks.regimes import CUSTOMERS, DAYS
from tests.examples.simulated_snapshots import simulated_snapshots

SHOPS = {"default shop": GIFT} | {
    name: replace(profile, customers=CUSTOMERS, days=DAYS) for name, profile in REGIMES.items()
}


def measure(folder: Path) -> Iterator[Figure]:
    for name, profile in SHOPS.items():
        place = folder / name.replace(" ", "_")
        place.mkdir()
        data = simulated_snapshots(profile, place, dates=36)
        january = _newest_first_of(data, 1)
        october = _newest_first_of(data, 10)
        then = data.at([january])
        kept, again = (_trained(data, day) for day in (october, january))
        served = kept.as_of(np.array([day_of_year(january)]))
        (frozen, _), (ece, spend), (best, _) = (_figures(model, then) for model in (kept, served, again))
        yield Figure(
            f"{name}: calibration error in January of a model of October",
            f"{ece:.3f}",
            f"with October's season {frozen:.3f}, trained again {best:.3f}; spend expected ÷ actual {spend:.2f}",
            "≤ .02",
            ece <= 0.02,
        )


def _newest_first_of(data: TrainingSet, month: int) -> date:
    return max(day for day in data.snapshot_dates if day.month == month and day <= date(2026, 1, 31))


def _trained(data: TrainingSet, day: date) -> ChurnModel:
    past = data.known_by(day)
    backtest = run_backtest(past)
    return train_selected(past, backtest, select(backtest), day)


def _figures(model: ChurnModel, then: TrainingSet) -> tuple[float, float]:
    quality = quality_of(then.churned, model.churn_probability(then.features))
    return quality.ece, float(model.expected_spend(then.features).sum() / then.spend.sum())
