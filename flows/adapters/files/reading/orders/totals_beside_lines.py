"""Whether an order's total stands beside its lines as a row of another type, so that adding up counts it twice."""

from collections.abc import Mapping, Sequence

import duckdb

from flows.adapters.duckdb.sql import only_row
from flows.adapters.files.reading.questions import Answer, Unclear
from flows.sources.connections import OrderLineColumn

MIN_ORDERS = 5
MIN_SHARE = 0.9
_ROUNDED = 0.015
_MONEY: tuple[OrderLineColumn, ...] = ("amount", "order_total")


def require_no_total_beside_lines(
    con: duckdb.DuckDBPyConnection, columns: Mapping[OrderLineColumn, str], sales: Sequence[str]
) -> None:
    """That no type of row is what the others of its order come to. `columns`: those by which `lines_of_orders` was
    made. `sales`: the values of line_type that count.

    Raises:
        Unclear: when one is, in nearly all orders.
    """
    money = next((name for name in _MONEY if name in columns), None)
    if money is None or len(sales) < 2:
        return
    for total in sales:
        orders, twice = only_row(
            con.execute(
                f"""select count(*), count_if(abs(total - others) < {_ROUNDED}) from (
                    select sum({money}_number) filter (line_type = $1) as total,
                        sum({money}_number) filter (line_type <> $1) as others
                    from lines_of_orders where list_contains($2, line_type)
                    group by file, order_id
                    having count_if(line_type = $1) = 1 and count_if(line_type <> $1) > 0
                )""",
                [total, list(sales)],
            )
        )
        if orders >= MIN_ORDERS and twice >= MIN_SHARE * orders:
            lines = [each for each in sales if each != total]
            raise Unclear(
                f"The row of {columns['line_type']} {total!r} is as much as the other rows of its order together, in"
                f" {twice:,} of {orders:,} orders: both would count the order twice.",
                [
                    Answer("line_type", {"sales": lines, "other": [total]}, f"count {', '.join(lines)}"),
                    Answer("line_type", {"sales": [total], "other": lines}, f"count {total}"),
                ],
            )
