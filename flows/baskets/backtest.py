"""Which method ranks best in this shop: tested on what customers bought after past dates. The newest date chooses
nothing: it only says how good the chosen method is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flows.baskets.evaluation import NextBaskets, Quality, quality_of
from flows.baskets.methods import DEFAULT, FREQUENCY, METHODS, POPULARITY, Method, Shop
from flows.baskets.purchases import Purchases

DATES_TO_CHOOSE = 2
MIN_CUSTOMERS = 30  # with a next basket, of a date
MAX_CUSTOMERS = 4_000  # of a date, on whom methods are compared
BETTER_BY = 1.01  # a more complex method must be as much better


@dataclass(frozen=True)
class Chosen:
    """quality: of the method on the newest date, at whose end `tested_on` customers were ranked; None: nothing can be
    tested yet. beside: the quality of popularity and personal frequency there. compared: mean NDCG@10 of each method on
    the dates before."""

    method: Method
    quality: Quality | None
    tested_on: int | None
    beside: Mapping[str, Quality]
    compared: Mapping[str, float]


def choose(
    purchases: Purchases, as_of: int, horizon_days: int, methods: Sequence[Method] = METHODS
) -> Chosen:  # fmt: skip
    """The simplest method than which none is clearly better on the dates that end one horizon before `as_of`."""
    scores: dict[str, list[float]] = {method.name: [] for method in methods}
    for back in range(2, 2 + DATES_TO_CHOOSE):
        shop, baskets = _past(purchases, as_of - back * horizon_days, horizon_days)
        if baskets is not None:
            for method in methods:
                scores[method.name].append(quality_of(shop, method, baskets).ndcg_at_10)
    compared = {name: float(np.mean(found)) for name, found in scores.items() if found}
    method = DEFAULT
    if compared:
        method = methods[0]
        for other in methods[1:]:
            if compared[other.name] > BETTER_BY * compared[method.name]:
                method = other
    newest = as_of - horizon_days
    shop, baskets = _past(purchases, newest, horizon_days)
    if baskets is None:
        return Chosen(method, None, None, {}, compared)
    beside = {other.name: quality_of(shop, other, baskets) for other in (POPULARITY, FREQUENCY)}
    quality = beside.get(method.name) or quality_of(shop, method, baskets)
    return Chosen(method, quality, newest, beside, compared)


def _past(purchases: Purchases, day: int, horizon_days: int) -> tuple[Shop, NextBaskets | None]:
    """The shop at the end of a day, and what was bought next; None: by too few."""
    baskets = NextBaskets.after(purchases, day, horizon_days, MAX_CUSTOMERS)
    enough = len(baskets.customers) >= MIN_CUSTOMERS
    return Shop.at(purchases, day, horizon_days), baskets if enough else None
