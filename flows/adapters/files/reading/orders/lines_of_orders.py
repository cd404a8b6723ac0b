"""The lines of whole orders, and how each of our columns varies within an order."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from flows.adapters.duckdb.sql import only_row, quote
from flows.adapters.files.reading.numbers.sql import number_sql
from flows.adapters.files.reading.tables.text_rows import TextRows
from flows.sources.connections import OrderLineColumn
from flows.sources.mappings import NumberFormat

SAMPLE_ROWS = 50_000
MIN_CONTINUED_SHARE = 0.02
# of orders with several lines, the share in which a column has one value only for it to be the order's
MIN_ORDER_SHARE = 0.9

# what an order has once, and some exports write on its first line only
OF_ORDER: tuple[OrderLineColumn, ...] = ("customer_id", "email", "ordered_at", "currency", "country", "channel")
OF_ORDER_OR_LINE: tuple[OrderLineColumn, ...] = (
    "status", "payment_status", "fulfilment_status", "cancelled_at", "refunded_at",
    "is_cancelled", "is_test", "is_paid",
)  # fmt: skip
_AMOUNTS: tuple[OrderLineColumn, ...] = ("order_total", "amount", "refunded_amount")
_BEGINS_ORDER: tuple[OrderLineColumn, ...] = ("order_id", "ordered_at", "customer_id")
_OF_LINE: tuple[OrderLineColumn, ...] = ("sku", "quantity")
_NUMBERS: tuple[OrderLineColumn, ...] = ("quantity", "unit_price", "amount", "order_total")


@dataclass(frozen=True)
class Spread:
    """Of orders with several lines and any value: in how many all lines have the same, only one line has any, and lines
    differ; and in how many some lines have none. `by_chance`: how often two values are the same anyway."""

    constant: int
    once: int
    varied: int
    left_out: int
    by_chance: float

    @property
    def order_share(self) -> float | None:
        orders = self.constant + self.once + self.varied
        return (self.constant + self.once) / orders if orders else None

    @property
    def is_on_one_line(self) -> bool:
        return self.once > 0 and self.once >= MIN_ORDER_SHARE * (self.constant + self.once + self.varied)


def is_continued(con: duckdb.DuckDBPyConnection, table: str, columns: Mapping[OrderLineColumn, str]) -> bool:
    """Whether lines below an order's first have neither number nor day nor customer, but a product or a quantity."""
    what = [_text(columns[name]) for name in _OF_LINE if name in columns]
    if not what or not set(_BEGINS_ORDER) <= columns.keys() or not _has_rows_in_order(con, table):
        return False
    order_id = quote(columns["order_id"])
    if con.execute(f"select 1 from {table} where {order_id} is null or {order_id} = '' limit 1").fetchone() is None:
        return False
    order = " and ".join(f"{_text(columns[name])} is null" for name in _BEGINS_ORDER)
    rows, below = only_row(
        con.execute(f"select count(*), count_if({order} and coalesce({', '.join(what)}) is not null) from {table}")
    )
    return bool(below > MIN_CONTINUED_SHARE * rows)


def _has_rows_in_order(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether rows stand as in their file: not those that Airbyte brought."""
    try:
        con.execute(f"select rowid from {table} limit 0")
    except duckdb.BinderException:
        return False
    return True


def sample_orders(
    rows: TextRows,
    columns: Mapping[OrderLineColumn, str],
    formats: Mapping[OrderLineColumn, NumberFormat],
    moment: str,
    continued: bool,
) -> None:
    """Makes `lines_of_orders`, of whole orders of a file: texts by our names, amounts as numbers, the moment."""
    con = rows.con
    (lines,) = only_row(con.execute(f"select count(*) from {rows.table}"))
    order, relation = _text(columns["order_id"]), rows.table
    if continued:
        above = f"last_value({order} ignore nulls) over (order by rowid)"
        relation, order = f"(select *, {above} as order_above from {relation})", "order_above"
    texts = ", ".join(f"{_text(theirs)} as {ours}" for ours, theirs in columns.items() if ours != "order_id")
    numbers = "".join(
        f", {number_sql(columns[name], formats[name])} as {name}_number" for name in _NUMBERS if name in formats
    )
    one_in = max(lines // SAMPLE_ROWS, 1)
    place = "rowid" if not continued and _has_rows_in_order(con, rows.table) else "0"
    key = order if continued else quote(columns["order_id"])  # the text as it is: trimming all of them takes longer
    # what takes a sale back is not compared with it
    money = next((_text(columns[name]) for name in _AMOUNTS if name in columns), "''")
    kind = _text(columns["line_type"]) if "line_type" in columns else "''"
    side = rf"concat({kind}, case when regexp_matches({money}, '^\W*[-−–(]|(^|[^.,-])[-)]$') then '-' end)"
    con.execute(
        f"""create or replace temp table lines_of_orders as
        select {order} as order_id, {rows.file} as file, {side} as side, {moment} as moment, {place} as place,
            {texts}{numbers} from {relation}
        {f"where hash({key}) % {one_in} = 0" if one_in > 1 else ""}"""
    )
    con.execute("delete from lines_of_orders where order_id is null")


def spreads_of(con: duckdb.DuckDBPyConnection, columns: Mapping[OrderLineColumn, str]) -> dict[OrderLineColumn, Spread]:
    """Our column name → how it varies within the orders of `lines_of_orders`."""
    wanted = [name for name in (*OF_ORDER, *OF_ORDER_OR_LINE, *_AMOUNTS) if name in columns]
    measures = ", ".join(
        f"""count(*) filter ({name}_values = lines and {name}_least = {name}_most),
        count(*) filter ({name}_values = 1),
        count(*) filter ({name}_values > 1 and ({name}_values < lines or {name}_least <> {name}_most)),
        count(*) filter ({name}_values between 1 and lines - 1)"""
        for name in wanted
    )
    counted = ", ".join(
        f"count({name}) as {name}_values, min({name}) as {name}_least, max({name}) as {name}_most" for name in wanted
    )
    found = only_row(
        con.execute(
            f"""select {measures} from (
                select count(*) as lines, {counted} from lines_of_orders group by file, order_id, side
                having count(*) > 1
            )"""
        )
    )
    each = zip(wanted, found[::4], found[1::4], found[2::4], found[3::4], strict=True)
    return {
        name: Spread(constant, once, varied, left_out, _by_chance(con, name))
        for name, constant, once, varied, left_out in each
    }


def _by_chance(con: duckdb.DuckDBPyConnection, name: str) -> float:
    if name not in ("amount", "order_total"):
        return 0
    (share,) = only_row(
        con.execute(
            f"""select coalesce(sum(share * share), 0) from (
                select count(*) / sum(count(*)) over () as share from lines_of_orders
                where {name} is not null group by {name}
            )"""
        )
    )
    return float(share)


def _text(header: str) -> str:
    return f"nullif(trim({quote(header)}), '')"
