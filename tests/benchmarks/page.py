"""docs/benchmarks.md: a head, and a section per benchmark with date, commit and machine of its measurement."""

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from flows.settings import REPOSITORY
from tests.benchmarks.measured import Figure

PAGE = REPOSITORY / "docs" / "benchmarks.md"
_HEAD = """# Figures

Written by `make bench`; `python -m tests.benchmarks NAME …` measures some again. Each figure is measured next to
something else in the same run, so ratios count, not seconds. Each section has the date, commit and machine of its
measurement.

- The other servers of `serving` get the same customers with named features (MLServer by columns, the others as a list,
  ours as both) and respond with bare figures; ours checks ranges, gives reasons in words and ids, and stores its
  predictions. LitServe and BentoML serve the same ONNX file, FastAPI and MLServer a gradient boosting of scikit-learn.
  Each is the best of three rounds.
- “Best possible” is the AUC of somebody who knows every simulated customer's true habits, but not the future.
"""


def sections(page: str) -> dict[str, str]:
    """The sections of the page by the name of their benchmark."""
    _, *parts = page.split("\n## ")
    return {name: text.strip() for name, _, text in (part.partition("\n") for part in parts)}


def compose(given: Mapping[str, str], order: Sequence[str]) -> str:
    """The whole page. Sections of benchmarks that are no longer there are left out."""
    return "\n".join([_HEAD, *(f"## {name}\n\n{given[name]}\n" for name in order if name in given)])


def section(about: str, figures: Iterable[Figure]) -> str:
    rows = "\n".join(row(figure) for figure in figures)
    return (
        f"{' '.join(about.split())}\nMeasured on {datetime.now(UTC).date()} at commit {_commit()}, {_machine()}.\n\n"
        f"| what | figure | compared with | target | |\n|---|---|---|---|---|\n{rows}"
    )


def row(figure: Figure) -> str:
    verdict = {True: "ok", False: "**missed**", None: ""}[figure.met]
    return f"| {figure.what} | {figure.figure} | {figure.compared_with} | {figure.target} | {verdict} |"


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.strip()


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"
