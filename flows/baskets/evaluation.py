"""How good a ranking is, on the next basket that customers really bought after a past day."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from flows.baskets.methods import Method, Ranked, Shop, rank
from flows.baskets.purchases import Ints, Purchases

LONGEST = 10  # ranks that are looked at


@dataclass(frozen=True)
class NextBaskets:
    """The first basket of customers after a day, within a horizon. customers [n]: ascending positions; pairs of
    customer and product that were bought: `bought` [m], as customer × products + product, ascending; sizes [n]."""

    customers: Ints
    bought: Ints
    sizes: Ints

    @classmethod
    def after(cls, purchases: Purchases, as_of: int, horizon_days: int, most: int = 20_000) -> "NextBaskets":
        """Of customers who had bought before; of `most` of them, spread evenly, where they are more."""
        known = np.zeros(len(purchases.customer_ids), dtype=bool)
        known[purchases.customer[purchases.day <= as_of]] = True
        after = (purchases.day > as_of) & (purchases.day <= as_of + horizon_days) & known[purchases.customer]
        customer, product, day = purchases.customer[after], purchases.product[after], purchases.day[after]
        next_day = np.full(len(known), np.iinfo(np.int64).max)
        np.minimum.at(next_day, customer, day)
        customers = np.unique(customer)
        if len(customers) > most:
            customers = customers[np.linspace(0, len(customers) - 1, most).astype(np.int64)]
        chosen = np.zeros(len(known), dtype=bool)
        chosen[customers] = True
        first = (day == next_day[customer]) & chosen[customer]
        sizes = np.bincount(customer[first], minlength=len(known))[customers]
        return cls(customers, np.unique(customer[first] * len(purchases.products) + product[first]), sizes)


@dataclass(frozen=True)
class Quality:
    """Means over customers, each of equal weight. recall_at_k: share of the next basket among the first k products;
    ndcg_at_10: 1 where what was bought stands first; hit_rate_at_5: share of customers who bought one of five."""

    customers: int
    recall_at_5: float
    recall_at_10: float
    ndcg_at_10: float
    hit_rate_at_5: float


def quality_of(shop: Shop, method: Method, baskets: NextBaskets) -> Quality:
    return quality_of_ranks(rank(shop, method, baskets.customers, LONGEST), baskets, len(shop.purchases.products))


def quality_of_ranks(blocks: Iterable[Ranked], baskets: NextBaskets, products: int) -> Quality:
    """Of any rankings of the customers of the baskets."""
    n = len(baskets.customers)
    position = np.zeros(int(baskets.customers.max(initial=0)) + 1, np.int64)
    position[baskets.customers] = np.arange(n)
    hits, gain = np.zeros((n, LONGEST + 1)), np.zeros(n)
    for block in blocks:
        found = np.isin(block.customer * products + block.product, baskets.bought)
        row, place = position[block.customer[found]], block.rank[found]
        np.add.at(hits, (row, place), 1)
        np.add.at(gain, row, 1 / np.log2(place + 1))
    ideal = np.cumsum(1 / np.log2(np.arange(2, LONGEST + 2)))[np.minimum(baskets.sizes, LONGEST) - 1]
    first_5, first_10 = hits[:, :6].sum(axis=1), hits.sum(axis=1)
    return Quality(
        customers=n,
        recall_at_5=float(np.mean(first_5 / baskets.sizes)) if n else 0.0,
        recall_at_10=float(np.mean(first_10 / baskets.sizes)) if n else 0.0,
        ndcg_at_10=float(np.mean(gain / ideal)) if n else 0.0,
        hit_rate_at_5=float(np.mean(first_5 > 0)) if n else 0.0,
    )
