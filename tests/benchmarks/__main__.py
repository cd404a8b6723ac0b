"""`make bench`: writes docs/benchmarks.md, each figure measured next to something else in the same run.

With names of benchmarks, only those are measured, and only their sections of the page are written again. A section has
the date, commit and machine of its measurement.
"""

import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from flows.settings import REPOSITORY
from tests.benchmarks import (
    busy_cores,
    calibrations,
    campaign_intervals,
    campaigns,
    cdk_landing,
    cold_start,
    dashboard,
    features,
    ingest,
    quality_of_september,
    regimes,
    sample,
    scale,
    scoring,
    serving,
    snowflake_cost,
    training,
    whole_run,
)
from tests.benchmarks.measured import Figure

PAGE = REPOSITORY / "docs" / "benchmarks.md"
BENCHMARKS = (
    whole_run, scale, busy_cores, sample, ingest, cdk_landing, features, scoring, cold_start, serving, dashboard,
    training, quality_of_september, regimes, calibrations, campaign_intervals, campaigns, snowflake_cost,
)  # fmt: skip


def main() -> None:
    wanted = sys.argv[1:]
    for benchmark in BENCHMARKS:
        name = benchmark.__name__.rsplit(".", 1)[-1]
        if wanted and name not in wanted:
            continue
        with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
            figures = []
            for figure in benchmark.measure(Path(folder)):
                sys.stdout.write(f"{_row(figure)}\n")
                sys.stdout.flush()
                figures.append(figure)
        assert benchmark.__doc__
        section = _section(name, " ".join(benchmark.__doc__.split()), figures)
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(with_section(page, name, section), encoding="utf-8")


def with_section(page: str, name: str, section: str) -> str:
    """The page with the section of a benchmark replaced, or added at its end."""
    there = re.compile(rf"^## {re.escape(name)}\n.*?(?=^## |\Z)", re.S | re.M)
    if there.search(page):
        return there.sub(lambda _: f"{section}\n", page).rstrip() + "\n"
    return f"{page.rstrip()}\n\n{section}"


def _section(name: str, about: str, figures: Iterable[Figure]) -> str:
    rows = "\n".join(_row(figure) for figure in figures)
    return (
        f"## {name}\n\n{about}\n{datetime.now(UTC).date()}, {_commit()}, {_machine()}.\n\n"
        f"| what | figure | beside | target | |\n|---|---|---|---|---|\n{rows}\n"
    )


def _commit() -> str:
    say = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(say, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.strip()


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"


def _row(figure: Figure) -> str:
    verdict = {True: "ok", False: "**missed**", None: ""}[figure.met]
    return f"| {figure.what} | {figure.figure} | {figure.beside} | {figure.target} | {verdict} |"


if __name__ == "__main__":
    main()
