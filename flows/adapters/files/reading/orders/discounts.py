"""Whether a discount is money off a line: not a share of it, and not its order's."""

from collections.abc import Mapping

from flows.adapters.duckdb.sql import quote
from flows.adapters.files.reading.numbers.sql import number_sql
from flows.adapters.files.reading.questions import Answer, Unclear
from flows.adapters.files.reading.tables.text_rows import TextRows
from flows.sources.connections import OrderLineColumn
from flows.sources.mappings import NumberFormat

MIN_LINES = 10  # with a discount
MAX_PERCENTAGES = 10  # different ones
MIN_ORDER_SHARE = 0.9
_FIRST_ROWS = 200_000


def require_money_off_lines(
    rows: TextRows, columns: Mapping[OrderLineColumn, str], formats: Mapping[OrderLineColumn, NumberFormat]
) -> None:
    """That what is taken off quantity × price is money, and of the line. `formats`: of our columns of numbers.

    Raises:
        Unclear: when it looks like a share, a percentage, or the discount of the whole order.
    """
    if not {"discount", "unit_price"} <= columns.keys() or {"amount", "order_total"} & columns.keys():
        return
    header = columns["discount"]
    order = quote(columns["order_id"]) if "order_id" in columns else "null"
    found = rows.con.execute(
        f"""with lines as (
            select {order} as order_id, abs({number_sql(header, formats["discount"])}) as discount,
                {number_sql(columns["unit_price"], formats["unit_price"])} as price
            from (select * from {rows.table} limit {_FIRST_ROWS})
        ),
        orders as (
            select count(distinct coalesce(discount, 0)) as discounts, max(discount) as discount
            from lines where order_id is not null
            group by order_id having count(*) > 1 and max(discount) > 0
        )
        select count(*), max(discount), count_if(discount % 1 > 0), count(distinct discount),
            (select count(*) from lines where price % 1 > 0),
            (select count_if(discounts = 1) / nullif(count(*), 0) from orders),
            (select count(distinct discount) from orders)
        from lines where discount > 0"""
    ).fetchone()
    assert found is not None  # an aggregate always yields a row
    lines, largest, broken, different, prices_with_cents, constant, of_orders = found
    is_share = largest is not None and largest <= 1
    is_percentage = largest is not None and largest <= 100 and not broken and different <= MAX_PERCENTAGES
    if "%" in header or (lines >= MIN_LINES and (is_share or (is_percentage and prices_with_cents))):
        example = f"up to {largest:f}".rstrip("0").rstrip(".") if largest else "all 0"
        raise _question(columns, f"{example}: is it money, or a share of the price?")
    if (constant or 0) >= MIN_ORDER_SHARE and of_orders > MAX_PERCENTAGES:
        raise _question(columns, "the same on all lines of an order: is it off each line, or off the order?")


def _question(columns: Mapping[OrderLineColumn, str], problem: str) -> Unclear:
    without = {ours: theirs for ours, theirs in columns.items() if ours != "discount"}
    return Unclear(
        f"The column {columns['discount']!r} is {problem} Only money off the line can be taken off quantity × price; a"
        " column with what the line comes to is better.",
        [
            Answer("columns", dict(columns), "money off each line"),
            Answer("columns", without, "something else: lines count without it"),
        ],
    )
