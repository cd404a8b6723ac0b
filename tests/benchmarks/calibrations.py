"""Ways to keep probabilities right under drift and season, side by side; model_artifacts/README.md has the conclusions.

For each shop the mean calibration error and Brier score over past dates, without the newest one.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.churn.backtest import HeldOut, hold_out
from flows.churn.btyd import BuyTillYouDie, Floats, history
from flows.churn.candidates import CANDIDATES
from flows.churn.churn_model import ChurnModel
from flows.churn.evaluation import measure as quality_of
from flows.churn.lines import fit_logistic
from flows.churn.risk import LinearRisk, logs_of
from flows.churn.training_set import TrainingSet
from flows.simulator.regimes import REGIMES
from tests.benchmarks.measured import Figure, run_python
from tests.benchmarks.quality import HORIZON_DAYS, ONLINE_RETAIL
from tests.benchmarks.regimes import CUSTOMERS, DAYS
from tests.examples.simulated_snapshots import simulated_snapshots

DATES = 8
OFFSET = "logistic RFMT, buy-till-you-die as offset"


def measure(folder: Path) -> Iterator[Figure]:
    for shop, data in _shops(folder):
        predicted: dict[str, list[tuple[float, float]]] = {}
        for day in data.snapshot_dates[-1 - DATES : -1]:
            past, customers = data.known_by(day), data.at([day])
            if not len(past):
                continue
            for name, probability in _variants(hold_out(day, past, customers), past):
                quality = quality_of(customers.churned, probability)
                predicted.setdefault(name, []).append((quality.ece, quality.brier))
        for name, figures in predicted.items():
            ece, brier = np.mean(figures, axis=0)
            yield Figure(f"{shop}: {name}", f"ECE {ece:.4f}", f"Brier {brier:.4f}, {len(figures)} dates")


def _shops(folder: Path) -> Iterator[tuple[str, TrainingSet]]:
    for name, profile in REGIMES.items():
        place = folder / name.replace(" ", "_")
        place.mkdir()
        yield name, simulated_snapshots(replace(profile, customers=CUSTOMERS, days=DAYS), place, dates=36)
    if ONLINE_RETAIL.exists():
        orders = {"ORDERS": str(ONLINE_RETAIL), "SOURCE": "online_retail", "HORIZON_DAYS": str(HORIZON_DAYS)}
        run_python("-m", "flows", "run", DATA_DIR=str(folder / "online_retail"), **orders)
        warehouse = DuckDBWarehouse(folder / "online_retail" / "warehouse.duckdb", folder)
        snapshots = warehouse.read("from intermediate.int_training_snapshots")
        yield "online_retail", TrainingSet.from_table(snapshots, HORIZON_DAYS)


def _variants(held_out: HeldOut, past: TrainingSet) -> Iterator[tuple[str, Floats]]:
    customers = held_out.customers.features
    for name, predicted in held_out.probability.items():
        if name not in CANDIDATES:
            yield name, predicted
    process = next(iter(held_out.models.values())).process
    models = held_out.models | {OFFSET: ChurnModel.train(_offset, past, process)}
    for name, model in models.items():
        yield name, model.churn_probability(customers)
        for snapshots in (1, 3):
            recalibrate = _recalibration(model, past.newest(snapshots))
            yield f"{name} · recalibrated on the newest {snapshots}", recalibrate(customers)
        if past.year_before(held_out.day) is not None:
            yield (
                f"{name} · base rate of a year before",
                model.in_season(past, held_out.day).churn_probability(customers),
            )


def _recalibration(model: ChurnModel, recent: TrainingSet) -> Callable[[Floats], Floats]:
    intercept, slopes = fit_logistic(model.risk.log_odds(recent.features)[:, None], recent.churned)
    return lambda features: expit(intercept + slopes[0] * model.risk.log_odds(features))


def _offset(data: TrainingSet, process: BuyTillYouDie) -> LinearRisk:
    """The process counts fully; a regression on R, F, M and tenure corrects it."""
    logs, expected = logs_of(data.features), process.log_odds_of_no_purchase(*history(data.features), data.horizon_days)
    columns = np.column_stack([np.ones(len(logs)), logs])

    def loss(weights: Floats) -> tuple[float, Floats]:
        p = expit(columns @ weights + expected)
        gradient = columns.T @ (p - data.churned) / len(p)
        log_likelihood = np.log(np.clip(np.where(data.churned, p, 1 - p), 1e-12, 1)).mean()
        return -log_likelihood, gradient

    intercept, *slopes = minimize(loss, np.zeros(5), jac=True, method="L-BFGS-B").x
    return replace(LinearRisk.stacked(data, process), intercept=intercept, slopes=tuple(slopes), process_weight=1.0)
