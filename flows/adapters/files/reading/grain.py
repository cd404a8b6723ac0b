"""Whether an amount is a line's or its order's, from the values of whole orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from flows.adapters.duckdb.sql import literal, quote
from flows.adapters.files.reading.questions import Answer, Unclear
from flows.adapters.files.reading.status_changes import find_changes
from flows.adapters.files.reading.text_rows import TextRows
from flows.sources.connections import OrderLineColumn
from flows.sources.mappings import Changes, NumberFormat

SAMPLE_ROWS = 50_000
# of orders with several lines, the share in which a column has one value only for it to be the order's
MIN_ORDER_SHARE = 0.9
MAX_LINE_SHARE = 0.6
# so many orders agree by chance where a shop has few prices
MAX_SHARE_BY_CHANCE = 0.3
MIN_SKUS = 3
MIN_CONTINUED_SHARE = 0.02

# what an order has once, and some exports write on its first line only
_OF_ORDER: tuple[OrderLineColumn, ...] = ("customer_id", "email", "ordered_at", "currency", "country", "channel")
_AMOUNTS: tuple[OrderLineColumn, ...] = ("order_total", "amount", "refunded_amount")
_BEGINS_ORDER: tuple[OrderLineColumn, ...] = ("order_id", "ordered_at", "customer_id")
_OF_LINE: tuple[OrderLineColumn, ...] = ("sku", "quantity")
_NUMBERS: tuple[OrderLineColumn, ...] = ("quantity", "unit_price", "amount")
# any of them on one line of each order shows that the file says there what all lines have
_ON_FIRST_LINE: tuple[OrderLineColumn, ...] = ("amount", "order_total", "status", "currency")
_OF_ORDER_OR_LINE: tuple[OrderLineColumn, ...] = (
    "status", "payment_status", "fulfilment_status", "cancelled_at", "refunded_at",
    "is_cancelled", "is_test", "is_paid",
)  # fmt: skip


@dataclass(frozen=True)
class Grain:
    """`columns`: what they are once it is known whose the amounts are. `inherited`: what a line without a value has
    from another line of its order. `continued`: lines without an order's number belong to the order above them.
    `refund_is_of_order`: the refunded amount is the order's, however many of its lines have it. `changes`: what several
    rows of one line are."""

    columns: Mapping[OrderLineColumn, str]
    inherited: tuple[OrderLineColumn, ...] = ()
    continued: bool = False
    refund_is_of_order: bool = False
    changes: Changes = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Spread:
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


def find_grain(
    rows: TextRows,
    columns: Mapping[OrderLineColumn, str],
    formats: Mapping[OrderLineColumn, NumberFormat],
    moment: str,
    is_declared: bool,
) -> Grain:
    """What belongs to orders and what to lines, in a table of text. `formats`: how our columns of numbers are written.
    `moment`: SQL of when a row happened. `is_declared`: the columns are those that somebody wrote down.

    Raises:
        Unclear: when an amount may be either.
    """
    con, table = rows.con, rows.table
    if "order_id" not in columns:
        found = dict(columns)  # no order has several lines
        if "order_total" in found:
            found["amount"] = found.pop("order_total")
        return Grain(found)
    found = dict(columns)
    continued = _is_continued(con, table, columns)
    _sample(rows, columns, formats, moment, continued)
    spreads = _spreads(con, found)
    notes = [*_find_amounts(found, spreads, is_declared)]
    if not is_declared:
        notes += _find_prices(con, found)
    changes, of_changes = ("", ()) if continued else find_changes(con, found, columns, is_declared)
    inherited = [name for name in _OF_ORDER if name in spreads and spreads[name].left_out]
    if any(spreads[name].is_on_one_line for name in _ON_FIRST_LINE if name in spreads):
        inherited += [name for name in _OF_ORDER_OR_LINE if name in spreads and spreads[name].is_on_one_line]
    refunds = spreads.get("refunded_amount")
    refund_is_of_order = bool(refunds and (refunds.order_share or 0) >= MIN_ORDER_SHARE)
    # counted once for each order, whichever of its lines is used
    once: list[OrderLineColumn] = ["order_total"] if "order_total" in found else []
    once += ["refunded_amount"] if refund_is_of_order else []
    return Grain(
        columns=found,
        inherited=(*inherited, *once),
        continued=continued,
        refund_is_of_order=refund_is_of_order,
        changes=changes,
        notes=(*notes, *of_changes),
    )


def _is_continued(con: duckdb.DuckDBPyConnection, table: str, columns: Mapping[OrderLineColumn, str]) -> bool:
    """Whether lines below an order's first have neither number nor day nor customer, but a product or a quantity."""
    what = [_text(columns[name]) for name in _OF_LINE if name in columns]
    if not what or not set(_BEGINS_ORDER) <= columns.keys() or not _has_rows_in_order(con, table):
        return False
    order_id = quote(columns["order_id"])
    if con.execute(f"select 1 from {table} where {order_id} is null or {order_id} = '' limit 1").fetchone() is None:
        return False
    order = " and ".join(f"{_text(columns[name])} is null" for name in _BEGINS_ORDER)
    rows, below = _row(
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


def _sample(
    rows: TextRows,
    columns: Mapping[OrderLineColumn, str],
    formats: Mapping[OrderLineColumn, NumberFormat],
    moment: str,
    continued: bool,
) -> None:
    """Lines of whole orders, file by file: texts by our names, amounts as numbers, and the moment."""
    con = rows.con
    (lines,) = _row(con.execute(f"select count(*) from {rows.table}"))
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


def _spreads(con: duckdb.DuckDBPyConnection, columns: Mapping[OrderLineColumn, str]) -> dict[OrderLineColumn, _Spread]:
    wanted = [name for name in (*_OF_ORDER, *_OF_ORDER_OR_LINE, *_AMOUNTS) if name in columns]
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
    found = _row(
        con.execute(
            f"""select {measures} from (
                select count(*) as lines, {counted} from lines_of_orders group by file, order_id, side
                having count(*) > 1
            )"""
        )
    )
    each = zip(wanted, found[::4], found[1::4], found[2::4], found[3::4], strict=True)
    return {
        name: _Spread(constant, once, varied, left_out, _by_chance(con, name))
        for name, constant, once, varied, left_out in each
    }


def _by_chance(con: duckdb.DuckDBPyConnection, name: str) -> float:
    if name not in ("amount", "order_total"):
        return 0
    (share,) = _row(
        con.execute(
            f"""select coalesce(sum(share * share), 0) from (
                select count(*) / sum(count(*)) over () as share from lines_of_orders
                where {name} is not null group by {name}
            )"""
        )
    )
    return float(share)


def _find_amounts(
    columns: dict[OrderLineColumn, str], spreads: Mapping[OrderLineColumn, _Spread], is_declared: bool
) -> Sequence[str]:
    """Names columns by whose amount they are."""
    notes: list[str] = []
    total = spreads.get("order_total")
    if total is not None and total.order_share is not None and total.order_share < MAX_LINE_SHARE:
        header = columns.pop("order_total")
        if "amount" not in columns:
            columns["amount"] = header
            spreads = {**spreads, "amount": total}
        if not is_declared:
            notes.append(f"{header} differs between the lines of an order: it is an amount of the line")
    elif total is not None and total.order_share is None and not {"amount", "unit_price"} & columns.keys():
        columns["amount"] = columns.pop("order_total")  # every order is one line
        return notes
    line = spreads.get("amount")
    if "order_total" in columns or line is None or line.order_share is None or line.order_share < MAX_LINE_SHARE:
        return notes
    if line.by_chance > MAX_SHARE_BY_CHANCE:
        return notes
    header = columns["amount"]
    if line.order_share < MIN_ORDER_SHARE:
        if is_declared:
            return notes
        raise Unclear(
            f"The column {header!r} is the same on all lines of an order in {line.constant + line.once:,} orders, and"
            f" differs in {line.varied:,}: is it the order's total or the line's amount?",
            [
                _answer(columns, "amount", "order_total", "the order's"),
                _answer(columns, "amount", "amount", "the line's"),
            ],
        )
    del columns["amount"]
    columns["order_total"] = header
    where = "only on the first line" if line.once > line.constant else "on every line"
    notes.append(f"{header} is the total of the order, written {where}: counted once, and spread over its lines")
    return notes


def _find_prices(con: duckdb.DuckDBPyConnection, columns: dict[OrderLineColumn, str]) -> Sequence[str]:
    """Whether a price is a piece's or the line's: the line's grows with the quantity."""
    if not {"sku", "quantity"} <= columns.keys() or "order_total" in columns:
        return []
    name: OrderLineColumn = "amount" if "amount" in columns else "unit_price"
    if name == "amount" and "unit_price" in columns:
        return []
    skus, same, proportional = _row(
        con.execute(
            f"""select count(*), count_if(prices = 1), count_if(per_piece = 1) from (
                select count(distinct {name}_number) as prices,
                    count(distinct round({name}_number / quantity_number, 2)) as per_piece
                from lines_of_orders where quantity_number > 0 and {name}_number > 0
                group by sku having count(distinct quantity_number) > 1
            )"""
        )
    )
    if skus < MIN_SKUS:
        return []
    header = columns[name]
    if name == "unit_price" and proportional >= MIN_ORDER_SHARE * skus > 2 * same:
        columns["amount"] = columns.pop("unit_price")
        return [f"{header} grows with the quantity: it is the price of the line, not of a piece"]
    if name == "amount" and same >= MIN_ORDER_SHARE * skus > 2 * proportional:
        raise Unclear(
            f"The column {header!r} is the same for one piece of a product as for several: is it the price of a piece"
            " or of the line?",
            [
                _answer(columns, "amount", "unit_price", "the price of a piece"),
                _answer(columns, "amount", "amount", "what the line comes to"),
            ],
        )
    return []


def _answer(columns: Mapping[OrderLineColumn, str], name: OrderLineColumn, instead: str, meaning: str) -> Answer:
    return Answer("columns", {instead if ours == name else ours: theirs for ours, theirs in columns.items()}, meaning)


def number_sql(header: str, form: NumberFormat) -> str:
    """SQL of a column's values as numbers; NULL for what is none."""
    text = quote(header)
    for currency in form.currencies:
        text = f"replace({text}, {literal(currency)}, '')"
    return f"try_cast(translate({text}, {literal(form.characters)}, {literal(form.replacements)}) as decimal(18, 4))"


def _text(header: str) -> str:
    return f"nullif(trim({quote(header)}), '')"


def _row(result: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    row = result.fetchone()
    assert row is not None  # an aggregate always yields a row
    return tuple(row)
