"""Training on 50,000 customers × 12 snapshots, alone and with the backtest, in a process whose memory is measured."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from flows.simulator.regimes import GIFT
from flows.simulator.shop import simulate
from tests.benchmarks.measured import Figure, run_python
from tests.examples.simulated_snapshots import snapshot_table

CUSTOMERS = 60_000  # 50,000 of them have bought by the time of the snapshots

_TRAIN = """
import sys, time
from datetime import date
import pyarrow.parquet as pq
from flows.adapters.models.report import render_model_report
from flows.churn.backtest import run_backtest
from flows.churn.candidates import CANDIDATES, TREES
from flows.churn.model_card import model_card
from flows.churn.onnx_export import export
from flows.churn.recipe import training_fingerprint
from flows.churn.selection import Selection, select, train_selected
from flows.churn.training_set import TrainingSet
data = TrainingSet.from_table(pq.read_table(sys.argv[1]), int(sys.argv[2]))
as_of = date.fromisoformat(sys.argv[3])
start = time.perf_counter()
backtest = run_backtest(data)
selection = select(backtest)
tested = time.perf_counter()
slowest = Selection(TREES, selection.gains, selection.spend)
model = train_selected(data, backtest, slowest, as_of)
trained = time.perf_counter()
exported = export(model, data.features, as_of)
card = model_card(exported, model, backtest, slowest, data, as_of, "bench", training_fingerprint(data))
render_model_report(card, backtest, slowest)
print(len(data.newest(12)), tested - start, trained - tested, time.perf_counter() - trained)
"""


def measure(folder: Path) -> Iterator[Figure]:
    profile = replace(GIFT, customers=CUSTOMERS)
    table, horizon_days = snapshot_table(simulate(profile).order_lines, profile, folder, dates=24)
    pq.write_table(table, folder / "snapshots.parquet")
    run = run_python("-c", _TRAIN, str(folder / "snapshots.parquet"), str(horizon_days), str(profile.last_day))
    rows, backtest, training, artifacts = (float(value) for value in run.output.split()[-4:])
    yield Figure(
        f"training the trees on {rows:,.0f} rows of 12 snapshots", f"{training:.0f} s", "", "< 180 s", training < 180
    )
    whole = backtest + training + artifacts
    yield Figure(
        "… with backtest on 4 dates, ONNX, card and report",
        f"{whole:.0f} s",
        f"backtest {backtest:.0f} s, ONNX, card and report {artifacts:.0f} s",
        "< 480 s",
        whole < 480,
    )
    yield Figure("… peak memory", f"{run.peak_gigabytes:.1f} GB", "", "< 4 GB", run.peak_gigabytes < 4)
