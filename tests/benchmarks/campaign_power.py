"""What a preview says that a campaign can show, and what its measurement shows, in invented shops.

The preview knows of each customer a probability of a purchase, the spend of the last period and the average order.
Effects are exactly as large as the smallest that it says can be shown in four of five campaigns: on buyers, and on
baskets alone. Single orders vary around the customer's average order. Measurement finds an effect where its 95 %
interval is above zero; a margin counts as withheld where an arm has too few buyers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isinf
from pathlib import Path

import numpy as np

from flows.campaigns.covariates import Floats
from flows.campaigns.measurement import money_difference, rate_difference
from flows.campaigns.power import POWER, Power, power
from tests.benchmarks.measured import Figure
from tests.examples.candidates import campaign

CAMPAIGNS, WITHIN_CUSTOMERS = 400, 0.6


@dataclass(frozen=True)
class Shop:
    """order_spread: of the log of customers' average orders. was_silent: nobody spent anything in the last period."""

    name: str
    treated: int
    held_out: int
    rate: float
    order_spread: float
    was_silent: bool = False


SHOPS = (
    Shop("3,000 and 1,000, of whom 10 % buy", 3_000, 1_000, 0.10, 0.5),
    Shop("6,000 and 1,500, silent lately, of whom 2 % buy", 6_000, 1_500, 0.02, 0.5, True),
    Shop("3,000 and 1,000, of whom 10 % buy, a few for very much", 3_000, 1_000, 0.10, 1.2),
    Shop("900 and 100, of whom 10 % buy", 900, 100, 0.10, 0.5),
)


def measure(folder: Path) -> Iterator[Figure]:
    del folder
    for shop in SHOPS:
        said, lifts, margins, withheld = _campaigns(shop)
        yield Figure(
            f"{shop.name}: the smallest effect on buyers that can be shown is found, {CAMPAIGNS} campaigns",
            f"{lifts:.0%}",
            f"{100 * said.detectable_lift:.1f} of 100 customers",
            f"{POWER:.0%} ± 7",
            abs(lifts - POWER) <= 0.07,
        )
        if isinf(said.detectable_margin):
            yield Figure(
                "… on margin: the preview says that too few will buy; measurement withholds it in",
                f"{withheld:.0%}",
                target=f"more than {1 - POWER:.0%}",
                met=withheld > 1 - POWER - 0.05,
            )
        else:
            yield Figure(
                "… on margin",
                f"{margins:.0%}",
                f"{said.detectable_margin:.2f} per customer; withheld in {withheld:.0%}",
                f"{POWER:.0%} ± 10",
                abs(margins - POWER) <= 0.10,
            )


def _campaigns(shop: Shop) -> tuple[Power, float, float, float]:
    """What is said; shares of campaigns whose lift and whose margin is found, and whose margin is withheld."""
    rng = np.random.default_rng([SHOPS.index(shop), 1])
    n = shop.treated + shop.held_out
    treated, nothing = np.arange(n) < shop.treated, np.zeros((n, 0))
    lifts, margins, withheld = [], [], []
    for _ in range(CAMPAIGNS):
        chance = shop.rate * rng.gamma(2, 0.5, n)
        orders = rng.lognormal(4 - shop.order_spread**2 / 2, shop.order_spread, n)
        last = np.zeros(n) if shop.was_silent else _spend(rng, chance, orders)
        said = power(campaign(margin=1.0), shop.treated, shop.held_out, chance, last, orders)
        bought = rng.random(n) < np.clip(chance + treated * said.detectable_lift, 0, 1)
        lifts.append(rate_difference(bought, treated, nothing).low > 0)
        spend = _spend(rng, chance, orders)
        by_baskets = 0.0 if isinf(said.detectable_margin) else said.detectable_margin / float((chance * orders).mean())
        found = money_difference(spend * (1 + treated * by_baskets), spend > 0, treated, nothing)
        margins.append(found.low > 0)
        withheld.append(np.isnan(found.low))
    return said, float(np.mean(lifts)), float(np.mean(margins)), float(np.mean(withheld))


def _spend(rng: np.random.Generator, chance: Floats, orders: Floats) -> Floats:
    bought = rng.random(len(chance)) < chance
    return np.asarray(bought * orders * rng.lognormal(-(WITHIN_CUSTOMERS**2) / 2, WITHIN_CUSTOMERS, len(chance)))
