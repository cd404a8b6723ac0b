"""The served procedure on shops that differ in pace, season and drift, by what happened after each past date."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from flows.churn.candidates import BASELINES
from flows.churn.churn_model import NEXT_ORDER_CHANCES
from flows.churn.forecast import COVERAGE
from flows.simulator.regimes import REGIMES
from tests.benchmarks.measured import Figure
from tests.benchmarks.walk_forward import mean_ece, mean_ece_of_best_baseline, walk_forward
from tests.examples.simulated_snapshots import simulated_snapshots

CUSTOMERS, DAYS = 8_000, 4 * 365
DATES = (0, 3, 6, 9)
CUSTOMERS_TO_JUDGE = 1_000  # of fewer, two points may be chance


def measure(folder: Path) -> Iterator[Figure]:
    for name, profile in REGIMES.items():
        place = folder / name.replace(" ", "_")
        place.mkdir()
        data = simulated_snapshots(replace(profile, customers=CUSTOMERS, days=DAYS), place, dates=36)
        steps = list(walk_forward(data, DATES))
        ours, best = mean_ece(steps), mean_ece_of_best_baseline(steps)
        kept = " and ".join(sorted({step.kept for step in steps}))
        yield Figure(
            f"{name}, {data.horizon_days} days ahead, {len(steps)} dates: calibration error",
            f"{ours:.3f}",
            f"best baseline {best:.3f}",
            "≤ .03",
            ours <= 0.03,
        )
        best_auc = max(np.mean([step.baselines[b].auc for step in steps]) for b in BASELINES)
        yield Figure(
            f"… AUC ({kept})", f"{np.mean([step.quality.auc for step in steps]):.3f}", f"best baseline {best_auc:.3f}"
        )
        ratios = [step.expected_to_actual_spend for step in steps]
        yield Figure(
            "… expected ÷ actual spend",
            f"{np.mean(ratios):.2f}",
            f"single dates {min(ratios):.2f} to {max(ratios):.2f}",
            "within 10 %",
            abs(np.mean(ratios) - 1) <= 0.1,
        )
        yield Figure(
            f"… totals within their interval of {COVERAGE:.0%}",
            f"{sum(step.total_is_in_interval for step in steps)} of {len(steps)}",
        )
        for chance in NEXT_ORDER_CHANCES:
            came = [step.next_order_came[chance] for step in steps]
            customers = sum(n for _, n in came)
            share = sum(share * n for share, n in came if n) / max(customers, 1)
            told = f"… next order had come by its {chance:.0%} day", f"{share:.1%}", f"{customers:,} customers"
            enough = customers >= CUSTOMERS_TO_JUDGE
            yield Figure(*told, "within 2 points", abs(share - chance) <= 0.02) if enough else Figure(*told)
        gini = np.mean([step.gini for step in steps])
        so_far = np.mean([step.gini_of_the_rate_so_far for step in steps])
        yield Figure(
            "… Gini of expected spend", f"{gini:.3f}", f"rate so far {so_far:.3f}", "ahead", bool(gini > so_far)
        )
