"""`marts.next_products`: what each customer who can be reached is shown next; and what they bought, from which it
follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.marts.catalogue import read_catalogue
from flows.baskets.backtest import Chosen
from flows.baskets.evaluation import Quality
from flows.baskets.next_products import Catalogue, NextProducts, products_change_too_fast
from flows.baskets.purchases import Purchases
from flows.ports.warehouse import Warehouse
from flows.sources.connections import Connections

RELATION = "marts.next_products"
KEY = ("customer_id", "rank")
REACHABLE = "not coalesce(opted_out, false)"


# what a destination gets of them, in the order of CONTACT_SCHEMA
SHOWN_FIRST = (
    *((f"next_product_{n}", "product", n) for n in (1, 2, 3)),
    *((f"next_product_name_{n}", "product_name", n) for n in (1, 2, 3)),
    ("next_category_1", "category", 1),
)


@dataclass(frozen=True)
class ProductHistory:
    """purchases: of products or, where `by_category`, of their categories. categories: those of products, as far
    as they are known. catalogue: of what `purchases` are of."""

    purchases: Purchases
    by_category: bool
    categories: Mapping[str, str]
    catalogue: Catalogue


@dataclass(frozen=True)
class ShownNext:
    """What a run found: to how many customers, of `reachable`, it shows products or, `by_category`, categories."""

    customers: int
    reachable: int
    by_category: bool
    chosen: Chosen
    tested_on: date | None


def read_purchases(warehouse: Warehouse) -> pa.Table:
    """customer_id, product and bought_on of what customers bought and kept by the as-of date of the marts."""
    # what was sent back in whole was not bought
    return warehouse.read(
        """select customer_id, product, bought_on from (
            select customer_id, sku as product, ordered_on as bought_on, is_return,
                sum(case when is_return then -amount else amount end) over (partition by customer_id, sku) as kept
            from intermediate.int_order_lines where sku is not null and amount > 0
        ) as lines
        where not is_return and kept > 0
        group by customer_id, product, bought_on"""
    )


def read_bought(
    warehouse: Warehouse, connections: Connections, as_of: date, horizon_days: int
) -> ProductHistory | None:
    """What each customer bought and kept by the as-of date; None where orders name no products."""
    rows = read_purchases(warehouse)
    if not len(rows):
        return None
    purchases = Purchases.of(rows)
    catalogue, categories = read_catalogue(warehouse, connections, as_of)
    if not categories or not products_change_too_fast(purchases, as_of.toordinal(), horizon_days):
        return ProductHistory(purchases, False, categories, catalogue)
    of_categories = catalogue.of_categories(purchases.products.to_pylist(), categories)
    return ProductHistory(purchases.renamed(categories), True, categories, of_categories)


def read_reachable(warehouse: Warehouse) -> pa.Array:
    """The ids of everyone who has not opted out, also of those who are in a campaign."""
    ids = warehouse.read(f"select customer_id from marts.marketing_customers where {REACHABLE}")["customer_id"]
    return ids.combine_chunks()


def store(
    warehouse: Warehouse, found: NextProducts, bought: ProductHistory, reachable: int, as_of: date, at: datetime
) -> ShownNext:
    """Replaces the rows of the run before."""
    blocks = list(found.blocks)
    rows = pa.concat_tables(blocks) if blocks else None
    chosen, shown = found.chosen, 0
    tested_on = date.fromordinal(chosen.tested_on) if chosen.tested_on else None
    if rows is not None and len(rows):
        product = rows["product"].combine_chunks()
        names = product.dictionary_encode()
        categories = pa.array([bought.categories.get(name) for name in names.dictionary.to_pylist()], pa.string())
        none = pa.nulls(len(rows), pa.string())
        constants: dict[str, pa.Scalar] = {
            "as_of_date": pa.scalar(as_of, pa.date32()),
            "method": pa.scalar(chosen.method.name),
            "recall_at_5": pa.scalar(_recall(chosen.quality), pa.float64()),
            "recall_at_5_of_popularity": pa.scalar(_recall(chosen.beside.get("popularity")), pa.float64()),
            "tested_on": pa.scalar(tested_on, pa.date32()),
            "scored_at": pa.scalar(at.replace(tzinfo=None, microsecond=0), pa.timestamp("s")),
        }
        columns: dict[str, pa.Array | pa.ChunkedArray] = {
            "customer_id": rows["customer_id"],
            "rank": rows["rank"],
            "product": none if bought.by_category else product,
            "product_name": pa.array(map(bought.catalogue.names.get, names.dictionary.to_pylist()), pa.string()).take(
                names.indices
            ),
            "category": product if bought.by_category else categories.take(names.indices),
            "reason": rows["reason"],
            "score": rows["score"],
            **{name: pa.repeat(value, len(rows)) for name, value in constants.items()},
        }
        warehouse.merge(RELATION, pa.table(columns), KEY)
        shown = int(pc.sum(pc.equal(rows["rank"], 1)).as_py())
    remove_earlier(warehouse, RELATION, at)
    return ShownNext(shown, reachable, bought.by_category, chosen, tested_on)


def remove_earlier(warehouse: Warehouse, relation: str, at: datetime) -> None:
    """Removes the rows of runs before `at` that this one has not written again."""
    warehouse.change(
        f"removing rows of {relation} of the run before",
        [f"delete from {relation} where scored_at <> cast('{at:%Y-%m-%d %H:%M:%S}' as timestamp)"],
    )


def first_columns(table: str) -> str:
    """The columns of SHOWN_FIRST, of what `first_of_each` joined to a table."""
    return ", ".join(f"{table}.{name}" for name, _, _ in SHOWN_FIRST)


def first_of_each(warehouse: Warehouse) -> str:
    """A query of customer_id and the columns of SHOWN_FIRST; without rows where no run has ranked any yet."""
    if not warehouse.exists(RELATION):
        nothing = ", ".join(f"cast(null as varchar) as {name}" for name, _, _ in SHOWN_FIRST)
        return f"select customer_id, {nothing} from marts.marketing_customers where false"
    columns = ", ".join(f"max(case when rank = {n} then {column} end) as {name}" for name, column, n in SHOWN_FIRST)
    return f"select customer_id, {columns} from {RELATION} group by customer_id"


def _recall(quality: Quality | None) -> float | None:
    return None if quality is None else round(quality.recall_at_5, 4)
