"""Models that are trained on a sample of the customers, compared with those trained on all: how good they are for all
customers on a date that neither has seen."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from flows.churn.backtest import hold_out
from flows.churn.evaluation import Quality
from flows.churn.evaluation import measure as measure_quality
from flows.churn.selection import mean_by_customer
from flows.churn.training_set import TrainingSet, sample_below
from flows.flow.training import read_snapshots
from flows.settings import Settings
from flows.simulator.regimes import GIFT
from flows.wiring import wire
from tests.benchmarks.measured import Figure, run_python
from tests.benchmarks.quality import ONLINE_RETAIL
from tests.examples.simulated_snapshots import simulated_snapshots

CANDIDATE = "logistic RFMT with buy-till-you-die inside"


def measure(folder: Path) -> Iterator[Figure]:
    shop = simulated_snapshots(replace(GIFT, customers=60_000), folder / "simulated", dates=16)
    yield from _compared("a simulated gift shop", shop, wanted=20_000)
    if ONLINE_RETAIL.exists():
        yield from _compared("online_retail", _real(folder), wanted=1_500)


def _real(folder: Path) -> TrainingSet:
    given = {"ORDERS": str(ONLINE_RETAIL), "SOURCE": "online_retail", "HORIZON_DAYS": "90", "AS_OF": "2011-12-09"}
    run_python("-m", "flows", "run", DATA_DIR=str(folder / "real"), **given)
    return read_snapshots.fn(wire(Settings(data_dir=folder / "real")).warehouse, 90)


def _compared(name: str, everybody: TrainingSet, wanted: int) -> Iterator[Figure]:
    """On the newest date: everyone is evaluated, no matter who was trained on."""
    customers = len(set(everybody.customer_ids.tolist()))
    border = sample_below(wanted, customers)
    sampled = np.array([hashlib.md5(c.encode()).hexdigest() < border for c in everybody.customer_ids])
    totals = {day: everybody.at([day]).totals for day in everybody.snapshot_dates}
    sample = replace(everybody.where(sampled), population=totals)
    day = everybody.snapshot_dates[-1]
    then = everybody.at([day])
    judged: list[Quality] = []
    squares = []
    for trained_on in (everybody, sample):
        probability = hold_out(day, trained_on.known_by(day), then).seasoned().probability[CANDIDATE]
        judged.append(measure_quality(then.churned, probability))
        squares.append((probability - then.churned) ** 2)
    whole, part = judged
    off, error = mean_by_customer(then.customer_ids, squares[1] - squares[0])
    chosen = len(set(sample.customer_ids.tolist()))
    yield Figure(
        f"{name}: AUC where models are trained on {chosen:,} of {customers:,} customers",
        f"{part.auc:.4f}",
        f"on all {whole.auc:.4f} ± {whole.auc_standard_error:.4f}",
        "within one standard error",
        abs(part.auc - whole.auc) <= whole.auc_standard_error,
    )
    yield Figure(
        "… Brier", f"{part.brier:.4f}",
        f"{whole.brier:.4f} ± {whole.brier_standard_error:.4f}; of the same customers {off:+.5f} ± {error:.5f}",
        "within one standard error", abs(part.brier - whole.brier) <= whole.brier_standard_error,
    )  # fmt: skip
    yield Figure(
        "… calibration error", f"{part.ece:.4f}", f"{whole.ece:.4f}; of chance {whole.ece_of_chance:.4f}",
        "no more than chance apart", abs(part.ece - whole.ece) <= whole.ece_of_chance,
    )  # fmt: skip
