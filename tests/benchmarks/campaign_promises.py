"""What is promised of a campaign before it is launched, and what comes, in worlds with small effects.

In each world a campaign contacts customers at random and has a control group of one half. Its history is what the next
campaign learns from, which may contact a fifth of 4,000 customers. In the last world its voucher is worth a quarter of
the one learnt from, and changes a quarter as much. The promised profit and its interval are those of the preview; the
true profit is what contacting the customers of its list brings on average in that world. `churn campaign launch`
refuses lists with a promise below zero, and the preview warns of a loss where its interval begins below zero: what is
earned is of the other lists. How promises are shrunk and how wide they are was chosen on histories of other seeds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from threadpoolctl import threadpool_limits

from flows.campaigns.audience import screen_eligibility
from flows.campaigns.covariates import Floats
from flows.campaigns.targeting import BY_UPLIFT, plan
from flows.campaigns.transfer import comparable
from flows.campaigns.uplift import Uplift, fit_uplift
from tests.benchmarks.measured import Figure
from tests.examples.campaign_worlds import OFFER_TEXT, WORLDS, World, history, probabilities, shop
from tests.examples.candidates import HORIZON_DAYS, campaign

HISTORIES_OF_A_WORLD, PAST_TARGETS, CUSTOMERS = 44, 4_000, 4_000
OFFER = {"text": OFFER_TEXT, "kind": "amount_off", "cost_per_contact": 0.1, "cost_per_redemption": 1.0}
BUDGET = 200.0
LAUNCHED_ON = date(2026, 4, 1)


@dataclass(frozen=True)
class Promise:
    """Of one list, in the shop's currency; is_ranked: by the uplift model rather than by lot."""

    mean: float
    low: float
    high: float
    true: float
    is_ranked: bool

    @property
    def holds(self) -> bool:
        return self.low <= self.true <= self.high

    @property
    def earned(self) -> float:
        """Nothing, where it is not launched, or only to learn: the preview warns of a possible loss."""
        return self.true if self.low > 0 else 0.0


def measure(folder: Path) -> Iterator[Figure]:
    del folder
    with threadpool_limits(1, "blas"):
        of = {world.name: [promise(world, seed) for seed in range(HISTORIES_OF_A_WORLD)] for world in WORLDS}
    yield from figures(of)


def figures(of: dict[str, list[Promise]]) -> Iterator[Figure]:
    """Of the promises made in each world."""
    every = [one for promises in of.values() for one in promises]
    held = np.mean([one.holds for one in every])
    yield Figure(
        f"promised 90 % intervals that hold the true profit, {len(every)} histories of {len(WORLDS)} worlds",
        f"{held:.1%}",
        "",
        "90 % ± 3",
        bool(abs(held - 0.9) <= 0.03),
    )
    for name, promises in of.items():
        mean, true, earned = (
            np.array([getattr(one, figure) for one in promises]) for figure in ("mean", "true", "earned")
        )
        error = earned.std(ddof=1) / np.sqrt(len(earned))
        yield Figure(
            f"{name}: profit of the list promised, and true",
            f"{mean.mean():+,.0f}, {true.mean():+,.0f}",
            f"held {np.mean([one.holds for one in promises]):.0%}; launched {np.mean(mean > 0):.0%}, by ranking"
            f" {np.mean([one.is_ranked and one.mean > 0 for one in promises]):.0%}; earned {earned.mean():+,.0f}"
            f" ± {error:,.0f}",
            "earned not clearly below 0",
            bool(earned.mean() >= -2 * error),
        )


def promise(world: World, seed: int) -> Promise:
    rng = np.random.default_rng([seed, WORLDS.index(world)])
    spring = campaign(name=f"spring{seed}", offer=OFFER | {"value": world.values[1]}, budget=BUDGET)
    past, transfer = comparable(history(world, PAST_TARGETS, rng), spring.offer, LAUNCHED_ON)
    fitted = fit_uplift(past, seed)
    assert isinstance(fitted, Uplift)
    fitted = replace(fitted, transfer=transfer)
    customers = shop(CUSTOMERS, rng)
    planned = plan(spring, screen_eligibility(customers, spring, 0.0), fitted, LAUNCHED_ON, HORIZON_DAYS)
    expected = planned.expected_profit
    assert expected is not None
    treated = planned.targets.filter(pc.equal(planned.targets["arm"], "treated"))["customer_id"].to_pylist()
    rows = [int(customer_id[1:]) for customer_id in treated]
    true = float(_true_profit(world, customers, spring.margin)[rows].sum())
    return Promise(expected.mean, expected.low, expected.high, true, planned.ranked_by == BY_UPLIFT)


def _true_profit(world: World, customers: pa.Table, margin: float) -> Floats:
    alone, contacted, factor = probabilities(world, customers)
    additional = (contacted * factor - alone) * np.asarray(customers["average_order_value"].to_numpy())
    cost = OFFER["cost_per_contact"] + OFFER["cost_per_redemption"] * contacted
    return np.asarray(margin * additional - cost)
