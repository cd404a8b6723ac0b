"""Small shops whose next baskets are known."""

from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from flows.baskets.purchases import Purchases

AS_OF = date(2025, 6, 30)
TODAY = AS_OF.toordinal()


def purchases(bought: Iterable[tuple[str, str, int]]) -> Purchases:
    """bought: customer, product, and how many days ago."""
    rows = [
        {"customer_id": customer, "product": product, "bought_on": AS_OF - timedelta(days=ago)}
        for customer, product, ago in bought
    ]
    schema = pa.schema({"customer_id": pa.string(), "product": pa.string(), "bought_on": pa.date32()})
    return Purchases.of(pa.Table.from_pylist(rows, schema=schema))


def shop_of_habits(customers: int = 300, products: int = 60, seed: int = 1) -> list[tuple[str, str, int]]:
    """Each customer buys three products of their own, again and again, and now and then any other."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(customers):
        own = rng.choice(products, 3, replace=False)
        for ago in range(int(rng.integers(0, 30)), 500, 30):
            rows += [(f"c{customer:03}", f"p{product:02}", ago) for product in own[rng.random(3) < 0.7]]
            rows.append((f"c{customer:03}", f"p{int(rng.integers(products)):02}", ago))
    return rows
