"""A measured figure, and the means to measure time and memory of whole processes."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from flows.settings import REPOSITORY


@dataclass(frozen=True)
class Figure:
    what: str
    figure: str
    compared_with: str = ""
    target: str = ""
    met: bool | None = None


@dataclass(frozen=True)
class Process:
    seconds: float
    peak_gigabytes: float
    core_seconds: float
    output: str


def run_python(*arguments: str, **environment: str) -> Process:
    """Runs a Python process to its end."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(output)
    unit = 1 if sys.platform == "darwin" else 1024
    return Process(
        time.perf_counter() - start, usage.ru_maxrss * unit / 1024**3, usage.ru_utime + usage.ru_stime, output
    )


def run_sql(database: Path, query: str) -> Process:
    """Runs one query in a process of its own; the time is that of the query alone."""
    code = (
        "import duckdb, sys, time\n"
        "with duckdb.connect(sys.argv[1], config={'threads': 2}) as con:\n"
        "    start = time.perf_counter(); con.execute(sys.argv[2]); print(time.perf_counter() - start)\n"
    )
    process = run_python("-c", code, str(database), query)
    return replace(process, seconds=float(process.output.split()[-1]))
