"""Training next to two busy processes, compared with the same training on quiet cores."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from flows.simulator.regimes import GIFT
from flows.simulator.shop import simulate
from tests.benchmarks.measured import Figure, run_python
from tests.examples.simulated_snapshots import snapshot_table

CUSTOMERS, NEIGHBOURS, MOST = 5_000, 2, 3.0

_TRAIN = """
import sys, time
import pyarrow.parquet as pq
from flows.churn.backtest import run_backtest
from flows.churn.training_set import TrainingSet
data = TrainingSet.from_table(pq.read_table(sys.argv[1]), int(sys.argv[2]))
start = time.perf_counter()
run_backtest(data)
print(time.perf_counter() - start)
"""


def measure(folder: Path) -> Iterator[Figure]:
    profile = replace(GIFT, customers=CUSTOMERS)
    table, horizon_days = snapshot_table(simulate(profile).order_lines, profile, folder, dates=24)
    pq.write_table(table, folder / "snapshots.parquet")

    def seconds() -> float:
        return float(run_python("-c", _TRAIN, str(folder / "snapshots.parquet"), str(horizon_days)).output.split()[-1])

    quiet = min(seconds() for _ in range(2))
    neighbours = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(NEIGHBOURS)]
    try:
        busy = seconds()
    finally:
        for neighbour in neighbours:
            neighbour.kill()
            neighbour.wait()
    ratio = busy / quiet
    yield Figure(
        f"backtest of {len(table):,} rows next to two busy processes", f"{busy:.1f} s",
        f"on quiet cores {quiet:.1f} s: {ratio:.1f} ×", f"≤ {MOST:.0f} ×", ratio <= MOST,
    )  # fmt: skip
