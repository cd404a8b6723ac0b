"""What each part of the uplift model brings, in worlds with small effects.

In each world a campaign contacts customers at random and has a control group of one half. Its history ranks 4,000
others, of whom a fifth is contacted. Compared is the true profit of that fifth: by the difference of two regressions of
purchases alone, by the whole stack, by lot, and the best possible, for which the truth would have to be known.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from flows.campaigns.covariates import Columns, Floats, Known
from flows.campaigns.offer import Offer
from flows.campaigns.past_targets import PastTargets
from flows.campaigns.response_fit import STEPS, Contest, Fit, Stack
from tests.benchmarks.measured import Figure
from tests.examples.campaign_worlds import WORLDS, World, history, probabilities, shop

HISTORIES, PAST_TARGETS, CUSTOMERS, CONTACTED = 24, 4_000, 4_000, 0.2
MARGIN, OFFER, WINDOW_DAYS = 0.4, Offer(text="a mail", cost_per_contact=0.1, cost_per_redemption=1.0), 30
TWO_REGRESSIONS = Stack(orders=np.eye(len(STEPS) + 1)[-1], baskets=np.eye(len(STEPS) + 1)[0])
NO_SECOND_TERM = "without the second term"


def measure(folder: Path) -> Iterator[Figure]:
    del folder
    for world in WORLDS:
        with threadpool_limits(1, "blas"):
            found = [profits(world, seed) for seed in range(HISTORIES)]
        mean = {name: np.array([one[name] for one in found]) for name in found[0]}
        better = mean["stack"] - mean["two regressions"]
        error = better.std(ddof=1) / np.sqrt(HISTORIES)
        yield Figure(
            f"{world.name}: true profit of the fifth that is ranked first, {HISTORIES} histories",
            f"{mean['stack'].mean():+,.0f}",
            " · ".join(f"{name} {values.mean():+,.0f}" for name, values in mean.items() if name != "stack")
            + f"; more than two regressions {better.mean():+,.0f} ± {error:,.0f}",
            "not clearly less than two regressions",
            bool(better.mean() > -2 * error),
        )


def profits(world: World, seed: int) -> dict[str, float]:
    rng = np.random.default_rng([seed, WORLDS.index(world), 7])
    past, customers = PastTargets.of(history(world, PAST_TARGETS, rng)), shop(CUSTOMERS, rng)
    columns, known, one = Columns.of(past.known), Known.of(customers, WINDOW_DAYS), np.ones(PAST_TARGETS)
    stack = Contest.of(past, rng).stack(one)
    stacks = {
        "stack": stack,
        NO_SECOND_TERM: Stack(stack.orders, TWO_REGRESSIONS.baskets),
        "two regressions": TWO_REGRESSIONS,
    }
    true, contacted = true_profit(world, customers), int(CONTACTED * CUSTOMERS)
    found = {}
    for name, each in stacks.items():
        score = Fit.of(columns.matrix(past.known), past, one, each).profit(columns.matrix(known), known, MARGIN, OFFER)
        found[name] = float(true[np.argsort(-score)[:contacted]].sum())
    return found | {"by lot": float(CONTACTED * true.sum()), "possible": float(np.sort(true)[-contacted:].sum())}


def true_profit(world: World, customers: pa.Table) -> Floats:
    alone, contacted, factor = probabilities(world, customers)
    additional = (contacted * factor - alone) * np.asarray(customers["average_order_value"].to_numpy())
    return np.asarray(MARGIN * additional - OFFER.cost(contacted))
