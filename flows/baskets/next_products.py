"""The products to show each customer next, as a table."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.baskets.backtest import Chosen, choose
from flows.baskets.methods import Shop, rank
from flows.baskets.purchases import Purchases
from flows.baskets.reasons import describe

SHOWN = 5
# Products are too many for their buyers, or change too fast: then categories are ranked, where they are known.
MIN_BUYERS, MIN_SHARE_KNOWN = 3, 0.5

SCHEMA = pa.schema(
    {
        "customer_id": pa.string(), "rank": pa.int32(), "product": pa.string(), "reason": pa.string(),
        "score": pa.float64(),
    }
)  # fmt: skip


@dataclass(frozen=True)
class Catalogue:
    """What the shop says of its products. names: as people call them, where they are known. inactive: those that are
    sold no more, and shown to nobody."""

    names: Mapping[str, str] = field(default_factory=dict)
    inactive: frozenset[str] = frozenset()

    def of_categories(self, products: Iterable[str], categories: Mapping[str, str]) -> "Catalogue":
        """The same of the categories of some products: one is inactive where all of its products are."""
        known = [(categories[product], product in self.inactive) for product in products if product in categories]
        sold = {category for category, is_inactive in known if not is_inactive}
        return Catalogue(inactive=frozenset(category for category, _ in known) - sold)


@dataclass(frozen=True)
class NextProducts:
    """What was ranked and how well. `blocks`: tables of SCHEMA, best first. `shop`: as known at the as-of date."""

    shop: Shop
    chosen: Chosen
    blocks: Iterator[pa.Table]


def next_products(
    purchases: Purchases, as_of: int, horizon_days: int, customer_ids: pa.Array, catalogue: Catalogue = Catalogue()
) -> NextProducts:
    """customer_ids: who is shown products; those who bought nothing are left out. as_of: an ordinal, at whose end it is
    ranked. A product that nobody bought in the last `horizon_days`, or that is inactive, is not shown. The backtest
    knows nothing of the latter: at past dates it was sold."""
    chosen = choose(purchases, as_of, horizon_days)
    inactive = pc.is_in(purchases.products, pa.array(sorted(catalogue.inactive), pa.string()))
    shop = Shop.at(purchases, as_of, horizon_days, inactive.to_numpy(zero_copy_only=False))
    return NextProducts(shop, chosen, _ranked(shop, purchases, chosen, horizon_days, customer_ids, catalogue))


def _ranked(
    shop: Shop, purchases: Purchases, chosen: Chosen, horizon_days: int, customer_ids: pa.Array, catalogue: Catalogue
) -> Iterator[pa.Table]:
    products = purchases.products.to_pylist()
    called = pa.array([catalogue.names.get(product, product) for product in products], pa.string())
    shown = np.flatnonzero(pc.is_in(purchases.customer_ids, customer_ids).to_numpy(zero_copy_only=False))
    for block in rank(shop, chosen.method, shown, SHOWN):
        yield pa.table(
            [
                purchases.customer_ids.take(pa.array(block.customer)),
                pa.array(block.rank, pa.int32()),
                purchases.products.take(pa.array(block.product)),
                describe(shop, chosen.method, block, horizon_days, called),
                pa.array(np.round(block.score, 4)),
            ],
            schema=SCHEMA,
        )


def products_change_too_fast(purchases: Purchases, as_of: int, horizon_days: int) -> bool:
    """Whether most of what was bought in the last `horizon_days` had never been bought before, or most products that
    were bought then have fewer than MIN_BUYERS buyers: no product then says what is bought next."""
    since = as_of - horizon_days
    recent = purchases.day > since
    if not recent.any():
        return False
    known = np.zeros(len(purchases.products), dtype=bool)
    known[purchases.product[purchases.day <= since]] = True
    buyers = np.bincount(purchases.product[purchases.starts], minlength=len(known))
    sold = np.unique(purchases.product[recent])
    is_old_enough = bool((purchases.day <= since).any())
    return bool(
        (is_old_enough and known[purchases.product[recent]].mean() < MIN_SHARE_KNOWN)
        or np.median(buyers[sold]) < MIN_BUYERS
    )
