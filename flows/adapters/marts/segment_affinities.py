"""`marts.segment_affinities`: what leavers bought last, what customers who came back began with, and which segments buy
at a discount."""

from collections.abc import Iterator
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.marts.next_products import ProductHistory, remove_earlier
from flows.adapters.marts.raw_columns import IDENTITIES, LINES, PERSON, first_of, quoted, raw_columns, sources_of
from flows.baskets.affinities import Affinity, brings_back, last_bought_by, most_telling
from flows.ports.warehouse import Warehouse
from flows.sources.connections import Connections
from flows.sources.platforms import headers_of_order_lines

RELATION = "marts.segment_affinities"
KEY = ("measure", "name")
MOST = 10  # rows of a measure
LEAVERS, BACK, DISCOUNT = "last_bought_by_leavers", "brings_back", "bought_at_a_discount"
ROWS = pa.schema(
    {
        "as_of_date": pa.date32(), "measure": pa.string(), "kind": pa.string(), "name": pa.string(),
        "customers": pa.int64(), "share": pa.float64(), "share_of_shop": pa.float64(), "is_clear": pa.bool_(),
        "position": pa.int32(),
        "scored_at": pa.timestamp("s"),
    }
)  # fmt: skip


def store_affinities(
    warehouse: Warehouse,
    connections: Connections,
    history: ProductHistory | None,
    as_of: date,
    horizon_days: int,
    at: datetime,
) -> None:
    """Replaces the rows of the run before. history: None where orders name no products."""
    found: dict[str, tuple[str, list[Affinity]]] = {}
    if history:
        goods = history.purchases
        kind = "category" if history.by_category else "product"
        if history.categories and not history.by_category:
            goods, kind = goods.renamed(history.categories), "category"
        gone = warehouse.read("select customer_id from marts.marketing_customers where lifecycle = 'gone'")
        leavers = pc.is_in(goods.customer_ids, gone["customer_id"].combine_chunks()).to_numpy(zero_copy_only=False)
        found[LEAVERS] = kind, most_telling(last_bought_by(goods, np.asarray(leavers, dtype=bool)), MOST)
        found[BACK] = kind, most_telling(brings_back(goods, as_of.toordinal(), horizon_days), MOST)
    found[DISCOUNT] = "segment", list(_discounts(warehouse, connections, as_of))
    rows = [
        {
            "as_of_date": as_of,
            "measure": measure,
            "kind": kind,
            "name": row.name,
            "customers": row.customers,
            "share": round(row.share, 4),
            "share_of_shop": round(row.share_of_shop, 4),
            "is_clear": row.is_clear,
            "position": position,
            "scored_at": at.replace(tzinfo=None, microsecond=0),
        }
        for measure, (kind, affinities) in found.items()
        for position, row in enumerate(affinities, start=1)
    ]
    if rows:
        warehouse.merge(RELATION, pa.Table.from_pylist(rows, schema=ROWS), KEY)
    remove_earlier(warehouse, RELATION, at)


def _discounts(warehouse: Warehouse, connections: Connections, as_of: date) -> Iterator[Affinity]:
    """Of each segment, the share of what they spent that was bought at a discount, where orders say so."""
    person = PERSON.format(table="lines")
    parts = []
    for name in sources_of(warehouse, LINES):
        header = first_of(raw_columns(warehouse, name, "order_lines"), headers_of_order_lines(connections)["discount"])
        if header:
            given = f"try_cast(replace(cast(landed.{quoted(header)} as varchar), ',', '.') as double)"
            parts.append(
                f"""select {person} as customer_id, lines.amount,
                    case when abs({given}) > 0 then lines.amount else 0 end as discounted
                from {LINES} as lines {IDENTITIES.format(table="lines")}
                inner join raw_{name}.order_lines as landed on landed._airbyte_raw_id = lines.order_line_key
                where lines.source_name = '{name}' and lines.rejection_reason is null and not lines.is_return
                    and lines.ordered_on <= '{as_of}' and lines.amount > 0"""
            )
    if not parts:
        return
    rows = warehouse.read(
        f"""select customers.segment, count(distinct customers.customer_id) as customers,
            cast(sum(lines.discounted) as double) as discounted, cast(sum(lines.amount) as double) as spent
        from ({" union all ".join(parts)}) as lines
        inner join marts.marketing_customers as customers on lines.customer_id = customers.customer_id
        group by customers.segment"""
    ).to_pylist()
    of_shop = sum(row["discounted"] for row in rows) / max(sum(row["spent"] for row in rows), 0.01)
    if of_shop:
        for row in sorted(rows, key=lambda row: (-row["discounted"] / row["spent"], row["segment"])):
            yield Affinity(row["segment"], row["customers"], row["discounted"] / row["spent"], of_shop, None)
