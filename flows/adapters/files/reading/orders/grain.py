"""Whether an amount is a line's or its order's, from the values of whole orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flows.adapters.files.reading.orders.lines_of_orders import (
    MIN_ORDER_SHARE,
    OF_ORDER,
    OF_ORDER_OR_LINE,
    Spread,
    is_continued,
    sample_orders,
    spreads_of,
)
from flows.adapters.files.reading.orders.prices import find_prices
from flows.adapters.files.reading.orders.status_changes import find_changes
from flows.adapters.files.reading.questions import Unclear, columns_instead
from flows.adapters.files.reading.tables.text_rows import TextRows
from flows.sources.connections import OrderLineColumn
from flows.sources.mappings import Changes, NumberFormat

MAX_LINE_SHARE = 0.6
# so many orders agree by chance where a shop has few prices
MAX_SHARE_BY_CHANCE = 0.3

# any of them on one line of each order shows that the file says there what all lines have
_ON_FIRST_LINE: tuple[OrderLineColumn, ...] = ("amount", "order_total", "status", "currency")


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
    con = rows.con
    if "order_id" not in columns:
        found = dict(columns)  # no order has several lines
        if "order_total" in found:
            found["amount"] = found.pop("order_total")
        return Grain(found)
    found = dict(columns)
    continued = is_continued(con, rows.table, columns)
    sample_orders(rows, columns, formats, moment, continued)
    spreads = spreads_of(con, found)
    notes = [*_find_amounts(found, spreads, is_declared)]
    if not is_declared:
        notes += find_prices(con, found)
    changes, of_changes = ("", ()) if continued else find_changes(con, found, columns, is_declared)
    inherited = [name for name in OF_ORDER if name in spreads and spreads[name].left_out]
    if any(spreads[name].is_on_one_line for name in _ON_FIRST_LINE if name in spreads):
        inherited += [name for name in OF_ORDER_OR_LINE if name in spreads and spreads[name].is_on_one_line]
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


def _find_amounts(
    columns: dict[OrderLineColumn, str], spreads: Mapping[OrderLineColumn, Spread], is_declared: bool
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
                columns_instead(columns, "amount", "order_total", "the order's"),
                columns_instead(columns, "amount", "amount", "the line's"),
            ],
        )
    del columns["amount"]
    columns["order_total"] = header
    where = "only on the first line" if line.once > line.constant else "on every line"
    notes.append(f"{header} is the total of the order, written {where}: counted once, and spread over its lines")
    return notes
