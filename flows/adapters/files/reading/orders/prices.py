"""Whether a price is a piece's or the line's."""

from collections.abc import Sequence

import duckdb

from flows.adapters.duckdb.sql import only_row
from flows.adapters.files.reading.orders.lines_of_orders import MIN_ORDER_SHARE
from flows.adapters.files.reading.questions import Unclear, columns_instead
from flows.sources.connections import OrderLineColumn

MIN_SKUS = 3


def find_prices(con: duckdb.DuckDBPyConnection, columns: dict[OrderLineColumn, str]) -> Sequence[str]:
    """Renames a price that grows with the quantity: it is the line's, not a piece's. What was found, in words.

    Raises:
        Unclear: when what comes as a line's amount does not grow.
    """
    if not {"sku", "quantity"} <= columns.keys() or "order_total" in columns:
        return []
    name: OrderLineColumn = "amount" if "amount" in columns else "unit_price"
    if name == "amount" and "unit_price" in columns:
        return []
    skus, same, proportional = only_row(
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
                columns_instead(columns, "amount", "unit_price", "the price of a piece"),
                columns_instead(columns, "amount", "amount", "what the line comes to"),
            ],
        )
    return []
