"""Whether the rows of an order are what happened to it, one after the other, and not its lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from flows.adapters.duckdb.sql import quote
from flows.adapters.files.reading.questions import Answer, Unclear
from flows.adapters.files.reading.tables.text_rows import TextRows
from flows.sources.connections import OrderLineColumn
from flows.sources.mappings import Changes

# of the lines that are there several times, the share that has to change in moment and status and in nothing else
MIN_CHANGING_SHARE = 0.9
# … of all lines: fewer are accidents
MIN_REPEATED_SHARE = 0.3

STATUSES: tuple[OrderLineColumn, ...] = ("status", "payment_status", "fulfilment_status")
_OF_LINE: tuple[OrderLineColumn, ...] = ("sku", "order_line_id")
_MONEY: tuple[OrderLineColumn, ...] = ("order_total", "amount", "unit_price")


@dataclass(frozen=True)
class _Repeated:
    """Of all `lines` of orders, those that are there several times: how many; in how many of them the moment and the
    status change and the money does not; in how many the day does; in how many the first row is the latest."""

    lines: int
    several: int
    changing: int
    on_several_days: int
    latest_first: int


def find_changes(
    con: duckdb.DuckDBPyConnection,
    columns: Mapping[OrderLineColumn, str],
    sampled: Mapping[OrderLineColumn, str],
    is_declared: bool,
) -> tuple[Changes, Sequence[str]]:
    """What several rows of one line are, from the rows of whole orders in `lines_of_orders`; and what was found, in
    words. `sampled`: our columns by which that table was made; `is_declared`: they are those that somebody wrote down.

    Raises:
        Unclear: when an order's total repeats on several days, and nothing says that it is one sale.
    """
    found = _repeated(con, sampled)
    is_total = "order_total" in columns
    if not found.several:
        return "", []
    is_log = found.changing >= MIN_CHANGING_SHARE * found.several
    if is_log and (is_total or found.several >= MIN_REPEATED_SHARE * found.lines):
        note = "rows of an order are its changes: it counts once, on its first day, by its last status"
        return ("newest_first" if 2 * found.latest_first > found.changing else "oldest_first"), [note]
    if not is_total or not found.on_several_days:
        return "", []
    often = found.on_several_days >= max(MIN_CHANGING_SHARE * found.several, MIN_REPEATED_SHARE * found.lines)
    if often and not is_declared:
        total = columns["order_total"]
        others = {ours: theirs for ours, theirs in columns.items() if ours not in ("order_id", "order_total")}
        raise Unclear(
            f"The column {total!r} is the same in all rows of an order, and {columns['ordered_at']!r} differs: is that"
            " one sale, or one on each of these days?",
            [
                Answer("columns", dict(columns), "one sale, on the order's first day"),
                Answer("columns", {**others, "amount": total}, "each row is a sale of its own"),
            ],
        )
    return "first_day", [f"{columns['ordered_at']} differs within some orders: these count on their first day"]


def _repeated(con: duckdb.DuckDBPyConnection, columns: Mapping[OrderLineColumn, str]) -> _Repeated:
    line = ", ".join(["file", "order_id", "side", *(name for name in _OF_LINE if name in columns)])
    money = next((name for name in _MONEY if name in columns), "order_id")
    statuses = [name for name in STATUSES if name in columns]
    status = f"concat_ws('|', {', '.join(statuses)})" if statuses else "''"
    row = con.execute(
        f"""select count(*), count_if(several), count_if(several and moments > 1 and statuses > 1 and amounts <= 1),
            count_if(several and days > 1), count_if(several and moments > 1 and of_first_row > of_last_row)
        from (
            select count(*) > 1 as several, count(distinct moment) as moments,
                count(distinct cast(moment as date)) as days,
                count(distinct {status}) as statuses, count(distinct {money}) as amounts,
                arg_min(moment, place) as of_first_row, arg_max(moment, place) as of_last_row
            from lines_of_orders where moment is not null group by {line}
        )"""
    ).fetchone()
    assert row is not None  # an aggregate always yields a row
    return _Repeated(*row)


def last_rows(rows: TextRows, columns: Mapping[OrderLineColumn, str], changes: Changes, moment: str) -> TextRows:
    """The rows that say how each order ended. `moment`: SQL of when a row happened."""
    if changes not in ("oldest_first", "newest_first"):
        return rows
    place = "rowid desc" if changes == "oldest_first" else "rowid"
    last = f"row_number() over (partition by {quote(columns['order_id'])} order by {moment} desc, {place}) = 1"
    return TextRows(rows.con, f"(select * from {rows.table} qualify {last})", rows.file_column)
