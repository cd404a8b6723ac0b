"""What customers are shown next: the share of their next basket among the first products shown, on the newest date of
each shop, which chose and tuned nothing. Next to it popularity, personal frequency, and recommenders of implicit with
their usual settings, which may show what was bought before and nothing that is not sold any more. The simulated shops
with another seed, and with replenishers and gift buyers, were looked at by nobody while the methods were made. Speed
and memory are those of a shop of a million customers, from their purchases to the ranked products with
reasons. The file of online_retail is not part of the project.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import duckdb
import numpy as np

from flows.baskets.backtest import choose
from flows.baskets.evaluation import LONGEST, NextBaskets, Quality, quality_of, quality_of_ranks
from flows.baskets.methods import FREQUENCY, POPULARITY, Ranked, Shop
from flows.baskets.purchases import Purchases
from flows.simulator.habits import Habits
from flows.simulator.shop import ShopProfile, simulate
from tests.benchmarks.measured import Figure, run_python
from tests.benchmarks.quality import ONLINE_RETAIL

PEERS, PEER = Path(sys.prefix) / "recommenders" / "bin" / "python", Path(__file__).with_name("peers")
HORIZON_DAYS = 90
CUSTOMERS, PRODUCTS, MAX_SECONDS, MAX_GIGABYTES = 1_000_000, 20_000, 300, 8
# goods of the shop: postage, charges, samples and manual corrections are no products
RETAIL = """select CustomerID as customer_id, StockCode as product, cast(InvoiceDate as date) as bought_on
    from read_csv('{file}', all_varchar = true)
    where CustomerID <> '' and InvoiceNo not like 'C%' and cast(Quantity as integer) > 0
        and cast(UnitPrice as double) > 0 and regexp_matches(StockCode, '^[0-9]{{5}}')"""


def measure(folder: Path) -> Iterator[Figure]:
    for name, profile in (
        ("simulated shop", ShopProfile()),
        ("simulated shop, another seed", ShopProfile(seed=40_417)),
        ("simulated shop with replenishers and gift buyers", ShopProfile(seed=40_418, habits=Habits())),
    ):
        yield from _of_shop(name, _simulated(profile), profile.last_day, folder)
    if ONLINE_RETAIL.exists():
        with duckdb.connect() as con:
            rows = con.sql(RETAIL.format(file=ONLINE_RETAIL)).to_arrow_table()
        yield from _of_shop("online_retail", Purchases.of(rows), date(2011, 12, 9), folder)
    else:
        yield Figure("online_retail", "not measured", f"needs the file {ONLINE_RETAIL.name}")
    yield from _at_scale()


def _simulated(profile: ShopProfile) -> Purchases:
    with duckdb.connect() as con:
        con.register("lines", simulate(profile).order_lines)
        return Purchases.of(
            con.sql(
                """select customer_id, sku as product, cast(ordered_at as date) as bought_on from lines
                where customer_id is not null and quantity > 0"""
            ).to_arrow_table()
        )


def _of_shop(name: str, purchases: Purchases, last_day: date, folder: Path) -> Iterator[Figure]:
    as_of = last_day.toordinal()
    chosen = choose(purchases, as_of, HORIZON_DAYS)
    newest = as_of - HORIZON_DAYS
    shop, baskets = Shop.at(purchases, newest, HORIZON_DAYS), NextBaskets.after(purchases, newest, HORIZON_DAYS)
    ours = quality_of(shop, chosen.method, baskets)
    others = {method.name: quality_of(shop, method, baskets) for method in (POPULARITY, FREQUENCY)}
    others |= _of_peers(shop, baskets, folder)
    for what, figure in (("recall@5", "recall_at_5"), ("recall@10", "recall_at_10"), ("NDCG@10", "ndcg_at_10")):
        value, of_others = getattr(ours, figure), {other: getattr(found, figure) for other, found in others.items()}
        yield Figure(
            f"{name}: {what} of the next basket of {ours.customers:,} customers, by {chosen.method.name}",
            f"{value:.3f}",
            " · ".join(f"{other} {found:.3f}" for other, found in of_others.items()),
            "ahead of each",
            value >= max(of_others.values()),
        )


def _of_peers(shop: Shop, baskets: NextBaskets, folder: Path) -> Mapping[str, Quality]:
    """The same of the recommenders of the environment `recommenders`; nothing where it is not there."""
    if not PEERS.exists():
        return {}
    pairs, shape = shop.pairs, (len(shop.purchases.customer_ids), len(shop.purchases.products))
    np.savez(
        folder / "given.npz", customer=pairs.customer, product=pairs.product, times=pairs.bought_times, shape=shape,
        customers=baskets.customers, not_sold=np.flatnonzero(~shop.habits.is_in_catalogue),
    )  # fmt: skip
    program = [PEERS, PEER / "next_products_implicit.py", folder / "given.npz", folder / "answer.npz"]
    subprocess.run(program, check=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}, capture_output=True)
    answer = np.load(folder / "answer.npz")
    return {name: quality_of_ranks([_ranked(baskets, answer[name])], baskets, shape[1]) for name in answer.files}


def _ranked(baskets: NextBaskets, products: np.ndarray) -> Ranked:
    n = len(baskets.customers)
    customer, rank = np.repeat(baskets.customers, LONGEST), np.tile(np.arange(1, LONGEST + 1), n)
    product, shown = products.ravel().astype(np.int64), products.ravel() >= 0
    return Ranked(customer[shown], product[shown], rank[shown], *(np.zeros(int(shown.sum())),) * 4)


def _at_scale() -> Iterator[Figure]:
    process = run_python("-m", "tests.benchmarks.next_products_at_scale", str(CUSTOMERS), str(PRODUCTS))
    read, chosen, ranked, shown, method = process.output.strip().splitlines()[-1].split(maxsplit=4)
    seconds = float(read) + float(chosen) + float(ranked)
    yield Figure(
        f"{CUSTOMERS:,} customers × {PRODUCTS:,} products: seconds to {int(shown):,} ranked products with reasons",
        f"{seconds:.0f}",
        f"of which {read} to sort purchases, {chosen} to choose the method ({method}), {ranked} to rank",
        f"at most {MAX_SECONDS}",
        seconds <= MAX_SECONDS,
    )
    yield Figure(
        "… and peak memory, with the purchases",
        f"{process.peak_gigabytes:.1f} GB",
        "",
        f"at most {MAX_GIGABYTES} GB",
        process.peak_gigabytes <= MAX_GIGABYTES,
    )
