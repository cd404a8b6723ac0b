"""`make run` on the default shop, environment already there: its parts, a second run, and other commands."""

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from flows.settings import REPOSITORY
from tests.benchmarks.measured import Figure, run_python
from tests.running.processes import flows, free_port, post

# tasks of `make run TIMINGS=1`, as a reader would put them together
PARTS = {
    "start of Python and its libraries": "everything else",
    "simulating and reading files": "hold shop|simulate orders|land",
    "dbt: order lines": "build 1 of 3.*",
    "dbt: segments, features, training snapshots": "build 2 of 3.*",
    "training: backtest on 4 dates, the final model, ONNX, card and report": (
        "read snapshots|champion of the same|test on the past|choose|train|export to onnx|store|promote if good"
    ),
    "dbt: scores and marts": "build 3 of 3.*",
    "page, list, workbook and its extract": "draw dashboard|write workbook",
}
CUSTOMER = {"customer_id": "C1", "as_of": "2026-06-30", "orders": [{"ordered_at": "2026-03-27", "amount": 30}]}


def measure(folder: Path) -> Iterator[Figure]:
    data_dir = folder / "data"
    run = run_python("-m", "flows", "run", DATA_DIR=str(data_dir), TIMINGS="1")
    yield Figure("`make run`, first run of the default shop", f"{run.seconds:.1f} s", "", "≤ 20 s", run.seconds <= 20)
    spent = re.findall(r"^ (.+?) +([0-9.]+) +[0-9.]+ *$", run.output.partition("Where the time went")[2], re.M)
    for part, tasks in PARTS.items():
        seconds = sum(float(taken) for task, taken in spent if re.fullmatch(tasks, task))
        yield Figure(f"… {part}", f"{seconds:.1f} s")
    again = run_python("-m", "flows", "run", DATA_DIR=str(data_dir))
    yield Figure("… again, on unchanged orders", f"{again.seconds:.1f} s", "", "≤ 12 s", again.seconds <= 12)
    seconds = _start_of_the_server(data_dir)
    yield Figure("`make serve`, until it has answered", f"{seconds:.1f} s", "", "≤ 4 s", seconds <= 4)
    file = str(REPOSITORY / "docs" / "campaigns" / "learn.yml")
    preview = run_python("-m", "flows", "campaign", "preview", file, DATA_DIR=str(data_dir))
    yield Figure(
        "`make campaign`, a preview, to its end", f"{preview.seconds:.1f} s", "", "≤ 4 s", preview.seconds <= 4
    )
    auc, best = re.search(r" \* +([0-9.]+)", run.output), re.search(r"best possible AUC.*: ([0-9.]+)", run.output)
    assert auc, run.output
    assert best, run.output
    yield Figure("AUC on the simulated shop, mean of 4 dates of unseen time", auc[1], f"best possible {best[1]}")


def _start_of_the_server(data_dir: Path) -> float:
    port, start = free_port(), time.perf_counter()
    with flows("serve", data_dir, PORT=str(port)) as process:
        post(f"http://127.0.0.1:{port}/predict", CUSTOMER, process)
        seconds = time.perf_counter() - start
        process.send_signal(signal.SIGTERM)
        process.wait()
    return seconds
