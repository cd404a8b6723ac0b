"""Whole runs of shops of growing size, first to last: seconds, memory and temporary files."""

import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb

from tests.benchmarks.measured import Figure, run_python

LIMIT_SECONDS = {100_000: 75, 1_000_000: 360}
SIZES = (5_000, 100_000, 1_000_000)


def measure(folder: Path) -> Iterator[Figure]:
    for customers in SIZES:
        data_dir = folder / f"{customers}"
        with _Watch(data_dir) as watch:
            run = run_python("-m", "flows", "run", DATA_DIR=str(data_dir), CUSTOMERS=str(customers))
        with duckdb.connect(data_dir / "warehouse.duckdb", read_only=True) as con:
            [[lines]] = con.execute("select count(*) from staging.stg_shop__order_lines_validated").fetchall()
        limit = LIMIT_SECONDS.get(customers)
        yield Figure(
            f"`make run` of {customers:,} customers, {lines:,} order lines",
            f"{run.seconds:.0f} s, of two cores {run.core_seconds:.0f} s",
            f"{1e6 * run.seconds / lines:.1f} s for each million lines",
            f"≤ {limit} s" if limit else "",
            run.seconds <= limit if limit else None,
        )
        yield Figure(
            "… peak memory; temporary files",
            f"{run.peak_gigabytes:.1f} GB; {watch.largest_gigabytes:.1f} GB",
            "",
            "≤ 8 GB; ≤ 5 GB",
            run.peak_gigabytes <= 8 and watch.largest_gigabytes <= 5,
        )


class _Watch:
    """The most that temporary files of a data folder hold together, looked at ten times a second."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir, self.largest_gigabytes, self._ended = data_dir, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "_Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.1):
            size = 0
            for folder in (self.data_dir / "warehouse.duckdb.tmp", self.data_dir / "tmp"):
                for file in folder.rglob("*"):
                    try:
                        size += file.stat().st_size
                    except OSError:  # it is gone by now
                        continue
            self.largest_gigabytes = max(self.largest_gigabytes, size / 1e9)
