"""Whether customers are told apart by their names, which two of them may share."""

from collections.abc import Mapping

from flows.adapters.duckdb.sql import only_row, quote
from flows.adapters.files.reading.tables.text_rows import TextRows
from flows.sources.connections import OrderLineColumn

MIN_SHARE_OF_NAMES = 0.8
_FIRST_ROWS = 100_000
_NAME = r"[^0-9@]*[[:alpha:]][ ,.]+[[:alpha:]][^0-9@]*"


def describe_names(rows: TextRows, columns: Mapping[OrderLineColumn, str]) -> list[str]:
    """What to know where nearly all customer ids are words such as `Ann Smith`."""
    if "customer_id" not in columns:
        return []
    header = columns["customer_id"]
    text = quote(header)
    filled, names = only_row(
        rows.con.execute(
            f"""select count_if(trim({text}) <> ''), count_if(regexp_full_match(trim({text}), '{_NAME}'))
            from (select {text} from {rows.table} limit {_FIRST_ROWS})"""
        )
    )
    if not filled or names < MIN_SHARE_OF_NAMES * filled:
        return []
    return [
        f"{header} holds names: two customers of one name count as one; an id or an e-mail address tells them apart"
    ]
