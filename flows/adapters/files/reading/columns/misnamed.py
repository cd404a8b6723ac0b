"""Columns whose headers are recognised, and whose values are something else."""

from collections.abc import Mapping

from flows.adapters.duckdb.sql import quote
from flows.adapters.files.reading.tables.text_rows import TextRows
from flows.sources.connections import OrderLineColumn

# of which others' headers are taken for these, but words are no such value
_NOT_WORDS: tuple[OrderLineColumn, ...] = ("order_id", "discount", "refunded_amount")
MAX_REPEATED_IDS = 0.01
_FIRST_ROWS = 100_000


def without_misnamed(
    rows: TextRows, columns: Mapping[OrderLineColumn, str]
) -> tuple[dict[OrderLineColumn, str], list[str]]:
    """The columns without words where others have numbers (names of customers, codes of vouchers), and with a product
    where others have the id of a line; and what was found, in words."""
    texts = [quote(columns[name]) if name in columns else "''" for name in _NOT_WORDS]
    with_digit = ", ".join(
        f"count_if(regexp_matches({text}, '[0-9]')) >= 0.5 * count_if(trim({text}) <> '')" for text in texts
    )
    found = rows.con.execute(f"select {with_digit} from (select * from {rows.table} limit {_FIRST_ROWS})").fetchone()
    assert found is not None  # an aggregate always yields a row
    words = [name for name, is_number in zip(_NOT_WORDS, found, strict=True) if not is_number]
    chosen = {ours: theirs for ours, theirs in columns.items() if ours not in words}
    notes = [f"{columns[name]} holds words: it is no {name}" for name in words]
    if "order_line_id" in chosen and _repeats_in_orders(rows, chosen):
        header = chosen.pop("order_line_id")
        chosen.setdefault("sku", header)
        notes.append(f"{header} is there several times in an order: it is a product, not a line")
    return chosen, notes


def _repeats_in_orders(rows: TextRows, columns: Mapping[OrderLineColumn, str]) -> bool:
    """Whether many lines of a file have an id that another line of their order has, and lines of other orders too."""
    line = quote(columns["order_line_id"])
    order = quote(columns["order_id"]) if "order_id" in columns else "''"
    found = rows.con.execute(
        f"""select count({line}), count(distinct ({rows.file}, {order}, {line})), count(distinct {line})
        from (select * from {rows.table} limit {_FIRST_ROWS}) where trim({line}) <> ''"""
    ).fetchone()
    assert found is not None  # an aggregate always yields a row
    lines, ids_of_orders, ids = found
    is_of_several_orders = "order_id" not in columns or ids < 0.9 * ids_of_orders
    return bool(lines - ids_of_orders > MAX_REPEATED_IDS * lines and is_of_several_orders)
