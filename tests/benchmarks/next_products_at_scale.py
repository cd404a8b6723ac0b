"""Ranks products for every customer of an invented large shop: `CUSTOMERS PRODUCTS`; prints where the time went."""

import sys
import time
from datetime import date

import numpy as np
import pyarrow as pa

from flows.baskets.next_products import next_products
from flows.baskets.purchases import Purchases

AS_OF = date(2025, 6, 30).toordinal()
LINES_PER_CUSTOMER, DAYS, HORIZON_DAYS = 12, 730, 90
OWN = 0.6  # share of lines of the customer's own products


def main(customers: int, products: int) -> None:
    rng = np.random.default_rng(0)
    n = customers * LINES_PER_CUSTOMER
    customer = rng.integers(customers, size=n)
    own = (customer * 2_654_435_761 + rng.integers(6, size=n) * 40_503) % products  # six of their own
    popularity = (products ** rng.random(n)).astype(np.int64) - 1
    product = np.where(rng.random(n) < OWN, own * (own % 7 > 2) + popularity * (own % 7 <= 2), popularity)
    day = (AS_OF - rng.integers(DAYS, size=n) - 719_163).astype(np.int32)
    names = pa.array([f"C{number:07}" for number in range(customers)])
    skus = pa.array([f"P{number:05}" for number in range(products)])
    rows = pa.table(
        {
            "customer_id": names.take(pa.array(customer)),
            "product": skus.take(pa.array(product)),
            "bought_on": pa.array(day).cast(pa.date32()),
        }
    )
    del customer, own, popularity, product, day
    start = time.perf_counter()
    purchases = Purchases.of(rows)
    read = time.perf_counter()
    found = next_products(purchases, AS_OF, HORIZON_DAYS, purchases.customer_ids)
    chosen = time.perf_counter()
    shown = sum(len(block) for block in found.blocks)
    ranked = time.perf_counter()
    print(f"{read - start:.1f} {chosen - read:.1f} {ranked - chosen:.1f} {shown} {found.chosen.method.name}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
