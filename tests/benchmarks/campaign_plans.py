"""Three campaigns of a shop of 2,000 customers: as `churn campaign plan` says, and by lot each time.

In each world both contact as many customers by lot. Lots each time have a control group of a fifth and never stop. The
plan has the control groups that it prints, pools what the campaigns brought, and stops where it says so. Profit is what
contacting the customers brings on average in that world. Where contacting everybody pays, nothing earns more than never
to stop: there the plan costs what it takes to find out.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from flows.campaigns.covariates import Floats, numbers
from flows.campaigns.measurement import NORMAL_95, money_difference
from flows.campaigns.outlook import CAMPAIGNS, Eligible, PastCampaign, Step, look_ahead
from flows.campaigns.pooling import Measured
from tests.benchmarks.measured import Figure
from tests.examples.campaign_worlds import WORLDS, World, probabilities, shop
from tests.examples.candidates import HORIZON_DAYS, campaign

SHOPS_OF_A_WORLD, CUSTOMERS = 100, 2_000
OFFER = {"text": "a mail", "cost_per_contact": 0.1, "cost_per_redemption": 1.0}
SPRING = campaign(offer=OFFER, budget=200.0)
LAUNCHED_ON = date(2026, 4, 1)


def measure(folder: Path) -> Iterator[Figure]:
    del folder
    gained = {}
    for number, world in enumerate(WORLDS):
        profits = np.array([profits_of(world, [seed, number]) for seed in range(SHOPS_OF_A_WORLD)])
        gained[world.name] = gain = profits[:, 0] - profits[:, 1]
        error = gain.std(ddof=1) / np.sqrt(len(gain))
        yield Figure(
            f"{world.name}: profit of {CAMPAIGNS} campaigns by plan, and by lot each time",
            f"{profits[:, 0].mean():+,.0f}, {profits[:, 1].mean():+,.0f}",
            f"{gain.mean():+,.0f} ± {error:,.0f}; {profits[:, 2].mean():.1f} campaigns launched",
        )
    every = np.concatenate(list(gained.values()))
    error = every.std(ddof=1) / np.sqrt(len(every))
    yield Figure(
        f"all worlds: what the plan earns more than lots, {len(every)} shops of {CUSTOMERS:,} customers",
        f"{every.mean():+,.0f} ± {error:,.0f}",
        "",
        "clearly above 0",
        bool(every.mean() > 2 * error),
    )


def profits_of(world: World, seed: list[int]) -> tuple[float, float, int]:
    """By plan and by lot, and how many campaigns the plan launched."""
    by_plan, by_lot, past = 0.0, 0.0, list[PastCampaign]()
    for n in range(CAMPAIGNS):
        rng = np.random.default_rng([*seed, n])
        customers = shop(CUSTOMERS, rng)
        order, profit = rng.permutation(CUSTOMERS), _true_profit(world, customers)
        affordable = _affordable(customers)
        by_lot += float(profit[order[:affordable]].sum())
        outlook = look_ahead(SPRING, _eligible(customers), LAUNCHED_ON, past)
        assert outlook.can_learn  # with so many customers
        if outlook.says_contact_nobody:
            continue
        step = outlook.steps[0]
        by_plan += float(profit[order[: min(step.treated, affordable)]].sum())
        past.append(_measured(world, customers, order, step, rng))
    return by_plan, by_lot, len(past)


def _affordable(customers: pa.Table) -> int:
    """The treated of a campaign of the whole shop with a control group of a fifth, within the budget."""
    chance = numbers(customers, "churn_probability")
    each = float(SPRING.offer.cost((1 - chance ** (SPRING.window_days / HORIZON_DAYS)).mean() + 0.05))
    return min(round(0.8 * CUSTOMERS), int(SPRING.budget / each))


def _eligible(customers: pa.Table) -> Eligible:
    chance = 1 - numbers(customers, "churn_probability")
    return Eligible(
        chance, numbers(customers, "spend_last_period"), numbers(customers, "average_order_value"), HORIZON_DAYS
    )


def _measured(
    world: World, customers: pa.Table, order: np.ndarray, step: Step, rng: np.random.Generator
) -> PastCampaign:
    chosen = order[: step.treated + step.held_out]
    treated = np.arange(len(chosen)) < step.treated
    alone, contacted, factor = (of[chosen] for of in probabilities(world, customers))
    bought = rng.random(len(chosen)) < np.where(treated, contacted, alone)
    basket = numbers(customers, "average_order_value")[chosen] * rng.lognormal(-0.125, 0.5, len(chosen))
    margin = SPRING.margin * bought * basket * np.where(treated, factor, 1)
    known = np.column_stack([numbers(customers, name)[chosen] for name in ("churn_probability", "expected_spend")])
    found = money_difference(margin, bought, treated, known)
    effect = Measured(found.mean, (found.high - found.low) / (2 * NORMAL_95))
    return PastCampaign(effect, step.treated, step.held_out)


def _true_profit(world: World, customers: pa.Table) -> Floats:
    alone, contacted, factor = probabilities(world, customers)
    additional = (contacted * factor - alone) * numbers(customers, "average_order_value")
    return np.asarray(SPRING.margin * additional - SPRING.offer.cost(contacted))
