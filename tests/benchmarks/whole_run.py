"""`make run` on the default shop, environment already there, and where its time goes."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.measured import Figure, run_python

# the line that begins each part, as the run prints it
PARTS = {
    "start of Python, dbt, Prefect and its server": "simulating",
    "simulating and ingest": "building 1 of 3",
    "dbt: order lines": "building 2 of 3",
    "dbt: segments, features, training snapshots": "built intermediate.int_training_snapshots",
    "training: backtest on 4 dates, the final model, ONNX, card and report": "building 3 of 3",
    "dbt: scores and marts": "drawing",
}


def measure(folder: Path) -> Iterator[Figure]:
    run = run_python("-m", "flows", "run", DATA_DIR=str(folder / "data"))
    yield Figure("`make run`, first run of the default shop", f"{run.seconds:.0f} s", "", "< 60 s", run.seconds < 60)
    before = 0.0
    for part, ends_with in PARTS.items():
        found = re.search(rf"^ *([0-9.]+) s  {re.escape(ends_with)}", run.output, re.M)
        assert found, ends_with
        yield Figure(f"… {part}", f"{float(found[1]) - before:.1f} s")
        before = float(found[1])
    yield Figure("… dashboard, summary, end of Prefect and its server", f"{run.seconds - before:.1f} s")
    auc = re.search(r" \* +([0-9.]+)", run.output)
    best = re.search(r"best possible AUC.*: ([0-9.]+)", run.output)
    assert auc, run.output
    assert best, run.output
    yield Figure("AUC on the simulated shop, unseen time", auc[1], f"best possible {best[1]}")
    again = run_python("-m", "flows", "run", DATA_DIR=str(folder / "data"))
    yield Figure("… the same run again", f"{again.seconds:.0f} s")
