"""The products to show each customer next, as a table."""

from collections.abc import Iterator
from dataclasses import dataclass

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
class NextProducts:
    """What was ranked and how well. `blocks`: tables of SCHEMA, best first."""

    chosen: Chosen
    blocks: Iterator[pa.Table]


def next_products(purchases: Purchases, as_of: int, horizon_days: int, customer_ids: pa.Array) -> NextProducts:
    """customer_ids: who is shown products; those who bought nothing are left out. as_of: an ordinal, at whose end it is
    ranked. A product that nobody bought in the last `horizon_days` is not in the catalogue any more."""
    chosen = choose(purchases, as_of, horizon_days)
    return NextProducts(chosen, _ranked(purchases, chosen, as_of, horizon_days, customer_ids))


def _ranked(
    purchases: Purchases, chosen: Chosen, as_of: int, horizon_days: int, customer_ids: pa.Array
) -> Iterator[pa.Table]:
    shop = Shop.at(purchases, as_of, horizon_days)
    shown = np.flatnonzero(pc.is_in(purchases.customer_ids, customer_ids).to_numpy(zero_copy_only=False))
    for block in rank(shop, chosen.method, shown, SHOWN):
        yield pa.table(
            [
                purchases.customer_ids.take(pa.array(block.customer)),
                pa.array(block.rank, pa.int32()),
                purchases.products.take(pa.array(block.product)),
                describe(shop, chosen.method, block, horizon_days),
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
