"""What goes with leaving and with coming back. It is what happened together: no proof that one made the other."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from flows.baskets.purchases import Flags, Ints, Purchases

MIN_CUSTOMERS = 20  # of a name; a share of fewer says nothing
CLEAR = 3.0  # standard errors, because many names are looked at


@dataclass(frozen=True)
class Affinity:
    """A product, category or segment by `name`. `customers`: how many; `share`, of how many customers (`of`; None: of
    money), and `share_of_shop` of everybody."""

    name: str
    customers: int
    share: float
    share_of_shop: float
    of: int | None

    @property
    def standard_errors(self) -> float:
        """How far the share is from the shop's, if chance alone moved it; 0 where that is not known."""
        spread = self.share_of_shop * (1 - self.share_of_shop)
        return (self.share - self.share_of_shop) / math.sqrt(spread / self.of) if self.of and spread > 0 else 0.0

    @property
    def is_clear(self) -> bool | None:
        """Whether chance alone would hardly explain it; None where that is not known."""
        return None if self.of is None else abs(self.standard_errors) > CLEAR


def last_bought_by(purchases: Purchases, chosen: Flags) -> Iterator[Affinity]:
    """What was in the last basket of the chosen (by position), and in how many of everybody's."""
    last = np.full(len(purchases.customer_ids), -1)
    np.maximum.at(last, purchases.customer, purchases.day)
    in_last = purchases.day == last[purchases.customer]
    customer, product = purchases.customer[in_last], purchases.product[in_last]
    everybody = _counts(product, len(purchases.products))
    theirs = _counts(product[chosen[customer]], len(purchases.products))
    how_many = max(int(chosen.sum()), 1)
    for place in np.flatnonzero(theirs >= MIN_CUSTOMERS):
        yield Affinity(
            purchases.products[int(place)].as_py(),
            int(theirs[place]),
            float(theirs[place] / how_many),
            float(everybody[place] / len(last)),
            how_many,
        )


def brings_back(purchases: Purchases, as_of: int, horizon_days: int) -> Iterator[Affinity]:
    """What was in the first basket, and which share of those who began with it ordered again within the horizon. Only
    of those whose horizon has passed by then."""
    n = len(purchases.customer_ids)
    never = np.iinfo(np.int64).max
    first, second = np.full(n, never), np.full(n, never)
    np.minimum.at(first, purchases.customer, purchases.day)
    later = purchases.day > first[purchases.customer]
    np.minimum.at(second, purchases.customer[later], purchases.day[later])
    known = first <= as_of - horizon_days
    came_back = known & (second - first <= horizon_days)
    began = ~later & known[purchases.customer]
    customer, product = purchases.customer[began], purchases.product[began]
    of = _counts(product, len(purchases.products))
    again = _counts(product[came_back[customer]], len(purchases.products))
    share_of_shop = float(came_back.sum() / max(int(known.sum()), 1))
    for place in np.flatnonzero(of >= MIN_CUSTOMERS):
        name = purchases.products[int(place)].as_py()
        yield Affinity(name, int(of[place]), float(again[place] / of[place]), share_of_shop, int(of[place]))


def most_telling(found: Iterator[Affinity], most: int) -> list[Affinity]:
    """Those that differ most from the shop, in standard errors: either way, the clearest first."""
    return sorted(found, key=lambda row: (-abs(row.standard_errors), row.name))[:most]


def _counts(product: Ints, products: int) -> Ints:
    return np.bincount(product, minlength=products)
