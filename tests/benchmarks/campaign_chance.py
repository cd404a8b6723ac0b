"""How often a ranking is said to beat chance: where contacting changes nothing, and where there is something to find.

A randomisation test draws the arms again within their strata. Beside it, on the same histories, the usual interval of
the cross-fitted gain: its folds depend on each other, which makes it too narrow.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from flows.campaigns.out_of_fold import OutOfFold
from flows.campaigns.past_targets import PastTargets
from flows.campaigns.randomisation import LEVEL, randomisation_p
from tests.benchmarks.measured import Figure
from tests.examples.campaign_worlds import BY_NAME, World, history

NULL_HISTORIES = {1_000: 500, 2_000: 400, 4_000: 200}  # of so many targets: how many
WITH_AN_EFFECT = ("lapsing +6, just bought −5", "channel × orders", "+25 in a visible 5 %")
HISTORIES, TARGETS = 40, 3_000


def measure(folder: Path) -> Iterator[Figure]:
    del folder
    null = BY_NAME["no effect"]
    with threadpool_limits(1, "blas"):
        p = np.concatenate(
            [[_p(null, targets, seed) for seed in range(count)] for targets, count in NULL_HISTORIES.items()]
        )
        said = float((p <= LEVEL).mean())
        sizes = " · ".join(f"{count} of {targets:,} targets" for targets, count in NULL_HISTORIES.items())
        yield Figure(
            f"says that it beats chance in {len(p):,} histories without any effect",
            f"{said:.1%}",
            sizes,
            "5 % ± 1",
            abs(said - LEVEL) <= 0.01,
        )
        without = np.array([_both(null, TARGETS, seed) for seed in range(3 * HISTORIES)])
        # the interval at a width at which it would be false as rarely
        fair = float(np.quantile(without[:, 1], 1 - LEVEL))
        for name in WITH_AN_EFFECT:
            found = np.array([_both(BY_NAME[name], TARGETS, seed) for seed in range(HISTORIES)])
            ours, theirs = float((found[:, 0] <= LEVEL).mean()), float((found[:, 1] > fair).mean())
            yield Figure(
                f"… in {HISTORIES} histories of {TARGETS:,} targets: {name}",
                f"{ours:.0%}",
                f"interval of the gain, widened until it is false in 5 %: {theirs:.0%}; as it is:"
                f" {(found[:, 1] > 1.645).mean():.0%} (and {(without[:, 1] > 1.645).mean():.0%} without any effect)",
                "not clearly fewer",
                ours >= theirs - 2 * np.sqrt(0.25 / HISTORIES),
            )


def _p(world: World, targets: int, seed: int) -> float:
    past = PastTargets.of(history(world, targets, np.random.default_rng([seed, targets])))
    return randomisation_p(past, np.random.default_rng(seed))


def _both(world: World, targets: int, seed: int) -> tuple[float, float]:
    """p of the randomisation test, and the gain over chance in its standard errors."""
    past = PastTargets.of(history(world, targets, np.random.default_rng([seed, targets])))
    gain = OutOfFold.of(past, np.random.default_rng(seed)).gain_over_chance()
    return randomisation_p(past, np.random.default_rng(seed)), gain.mean / ((gain.high - gain.mean) / 1.645)
