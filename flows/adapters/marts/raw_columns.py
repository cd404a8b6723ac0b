"""The columns of landed order lines and contacts as their sources wrote them, beyond those that staging types."""

from collections.abc import Mapping, Sequence

from flows.ports.warehouse import Warehouse

LINES = "staging.stg_shop__order_lines_validated"
# of a staging table: the customer of a row, which may be of an id that has been merged since
PERSON = "coalesce(identities.customer_id, {table}.customer_id)"
IDENTITIES = (
    "left join intermediate.int_customer_identities as identities on {table}.customer_id = identities.given_customer_id"
)


def sources_of(warehouse: Warehouse, relation: str) -> list[str]:
    """The names of the sources of a staging table's rows."""
    found = warehouse.read(f"select distinct source_name from {relation} where source_name is not null order by 1")
    return list(found["source_name"].to_pylist())


def raw_columns(warehouse: Warehouse, name: str, stream: str) -> dict[str, str]:
    """The columns of a raw table as they are written there, by their plain names."""
    found = warehouse.read(
        f"""select column_name from information_schema.columns
        where lower(table_schema) = 'raw_{name}' and lower(table_name) = '{stream}' order by column_name"""
    )
    names = found["column_name"].to_pylist()
    return {plain(column): column for column in names if not column.lower().startswith(("_airbyte", "_ab_"))}


def first_of(columns: Mapping[str, str], headers: Sequence[str]) -> str | None:
    """The first of these headers that there is, as it is written there."""
    return next((columns[name] for name in map(plain, headers) if name in columns), None)


def plain(header: str) -> str:
    """In small letters, words with underscores between them."""
    return "_".join("".join(letter if letter.isalnum() else " " for letter in header.casefold()).split())


def quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
