"""`make bench`: every figure of the README, each measured beside something else in the same run."""

import sys
import tempfile
from pathlib import Path

from tests.benchmarks import (
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
    scoring,
    serving,
    snowflake_cost,
    training,
    whole_run,
)
from tests.benchmarks.measured import Figure


def main() -> None:
    names = sys.argv[1:]
    print("| what | figure | beside | target | |\n|---|---|---|---|---|")
    for benchmark in (
        ingest,
        cdk_landing,
        features,
        scoring,
        cold_start,
        serving,
        whole_run,
        dashboard,
        training,
        quality_of_september,
        regimes,
        calibrations,
        campaign_intervals,
        campaigns,
        snowflake_cost,
    ):
        name = benchmark.__name__.rsplit(".", 1)[-1]
        if names and name not in names:
            continue
        with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
            for figure in benchmark.measure(Path(folder)):
                print(_row(figure), flush=True)


def _row(figure: Figure) -> str:
    verdict = {True: "ok", False: "**missed**", None: ""}[figure.met]
    return f"| {figure.what} | {figure.figure} | {figure.beside} | {figure.target} | {verdict} |"


if __name__ == "__main__":
    main()
