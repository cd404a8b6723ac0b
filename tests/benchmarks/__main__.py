"""`make bench`: writes docs/benchmarks.md, each figure measured next to something else in the same run.

With names of benchmarks, only those are measured, and only their sections of the page are written again. A section has
the date, commit and machine of its measurement.
"""

import sys
import tempfile
from pathlib import Path

from tests.benchmarks import (
    busy_cores,
    calibrations,
    campaign_chance,
    campaign_intervals,
    campaign_learners,
    campaign_plans,
    campaign_power,
    campaign_promises,
    campaign_tails,
    campaigns,
    cdk_landing,
    cold_start,
    dashboard,
    features,
    heavy_bodies,
    hillstrom,
    ingest,
    keepable,
    lifecycle,
    next_baskets,
    next_products,
    quality_of_september,
    regimes,
    sample,
    scale,
    scoring,
    season,
    segments,
    serving,
    snowflake_cost,
    soak,
    training,
    value,
    whole_run,
)
from tests.benchmarks import page as pages

BENCHMARKS = (
    whole_run, scale, busy_cores, sample, ingest, cdk_landing, features, scoring, cold_start, serving, heavy_bodies,
    soak, dashboard, training, quality_of_september, regimes, keepable,
    lifecycle, value, next_products, next_baskets,
    season, segments, calibrations,
    campaign_intervals, campaign_tails, campaign_power, campaign_chance, campaign_promises,
    campaign_plans, campaign_learners, hillstrom, campaigns, snowflake_cost,
)  # fmt: skip
NAMES = [benchmark.__name__.rsplit(".", 1)[-1] for benchmark in BENCHMARKS]


def main() -> None:
    wanted = sys.argv[1:]
    for name, benchmark in zip(NAMES, BENCHMARKS, strict=True):
        if wanted and name not in wanted:
            continue
        with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
            figures = []
            for figure in benchmark.measure(Path(folder)):
                sys.stdout.write(f"{pages.row(figure)}\n")
                sys.stdout.flush()
                figures.append(figure)
        assert benchmark.__doc__
        sections = pages.sections(pages.PAGE.read_text(encoding="utf-8"))
        sections[name] = pages.section(benchmark.__doc__, figures)
        pages.PAGE.write_text(pages.compose(sections, NAMES), encoding="utf-8")


if __name__ == "__main__":
    main()
