"""Whether customers who are called gone have left, and those who are called active have not, on simulated shops."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from flows.simulator.regimes import REGIMES
from functions.churn_api.contract import LIFECYCLES
from tests.benchmarks.measured import Figure
from tests.benchmarks.unseen_year import SEEDS, unseen_years


def measure(_: Path) -> Iterator[Figure]:
    for name, profile in REGIMES.items():
        years = unseen_years(profile)
        stages = [np.array(LIFECYCLES)[year.model.lifecycle(year.customers.features).astype(int)] for year in years]
        had_left = [year.had_left for year in years]
        of_all, left = np.concatenate(stages), np.concatenate(had_left)
        horizons = " and ".join(str(days) for days in sorted({year.model.horizon_days for year in years}))
        for stage, goal, target in (("gone", 0.9, "≥ 90 %"), ("active", 0.05, "≤ 5 %")):
            share = left[of_all == stage].mean()
            each = [f"{gone[stages == stage].mean():.1%}" for gone, stages in zip(had_left, stages, strict=True)]
            yield Figure(
                f"{name}, horizon {horizons} days: had left, of those called {stage}",
                f"{share:.1%}",
                f"of all {left.mean():.1%}; seeds {', '.join(map(str, SEEDS))}: {', '.join(each)}",
                target,
                bool(share >= goal if stage == "gone" else share <= goal),
            )
        sizes = [f"{stage} {(of_all == stage).mean():.1%}" for stage in LIFECYCLES]
        shares = [f"{stage} {left[of_all == stage].mean():.1%}" for stage in LIFECYCLES if (of_all == stage).any()]
        yield Figure("… share of customers", ", ".join(sizes), f"had left: {', '.join(shares)}")
