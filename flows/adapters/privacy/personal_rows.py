"""Where a warehouse has rows about people: what an erasure removes and an export shows.

`theirs` is a condition on a name, such as "in ('C1', 'ann@example.com')"."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.privacy.identities import listed, words_of
from flows.errors import BadInput
from flows.ports.warehouse import Warehouse
from flows.sources.connections import Connection
from flows.sources.mappings import Kind

# columns that hold a customer's id or address; a test finds tables that have one under another name
PERSONAL_COLUMNS = ("customer_id", "given_customer_id", "written_id", "email", "link", "identifier")
# columns that quote what stands in a file
QUOTING_COLUMNS = ("content", "example", "unreadable_text")
ERASING = "raw.erasing"
VALIDATED: dict[Kind, tuple[str, str]] = {
    "order_lines": ("staging.stg_shop__order_lines_validated", "order_line_key"),
    "contacts": ("staging.stg_shop__contacts_validated", "contact_key"),
}


@dataclass(frozen=True)
class PersonalRows:
    """Rows of a relation that are about people: those for which `condition` holds."""

    relation: str
    condition: str


def normalised(name: str) -> str:
    """A customer id or an e-mail address as staging writes it."""
    trimmed = name.strip()
    return trimmed.lower() if "@" in trimmed else trimmed


def keys_in_files(warehouse: Warehouse, name: str, kind: Kind, theirs: str) -> str | None:
    """A query of the keys of their rows in a connection's raw table, which exists; None: the last run did not read the
    table, so nothing assigns its rows to people.

    Raises:
        BadInput: when raw rows were replaced since they were last read.
    """
    relation, key = VALIDATED[kind]
    raw, of_source = f"raw_{name}.{kind}", f"{relation} where source_name = '{name}'"
    if not warehouse.exists(relation) or not warehouse.row(f"select count(*) from {of_source}")[0]:
        return None
    whose = f"source_name = '{name}' and (customer_id {theirs} or email {theirs})"
    keys = (
        f"select {key} from {relation} as validated where {whose} and exists (select 1 from {raw} as landed"
        f" where landed._airbyte_raw_id = validated.{key} and landed._airbyte_extracted_at = validated.extracted_at)"
    )
    [validated] = warehouse.row(f"select count(*) from {relation} where {whose}")
    [there] = warehouse.row(f"select count(*) from ({keys}) as keys")
    if there != validated:
        raise BadInput(
            f"{raw} has been replaced since the last run that came to its end, so its rows cannot be assigned"
            " to people. Run again: that run finishes an erasure that was begun, and an export finds them then."
        )
    return keys


def record_keys(warehouse: Warehouse, connection: Connection, theirs: str) -> dict[str, list[str]]:
    """The keys of their records in each stream of a source that is no file; empty where no run has read it."""
    found = [
        warehouse.read(f"select distinct {stream} as stream, _airbyte_raw_id as record_key from {model} where {whose}")
        for model, stream, whose in _personal_records(connection, theirs)
        if warehouse.exists(model)
    ]
    if not found:
        return {}
    keys = pa.concat_tables(found)
    return {
        stream: keys.filter(pc.equal(keys["stream"], stream)).column("record_key").to_pylist()
        for stream in connection.streams
    }


def _personal_records(connection: Connection, theirs: str) -> Iterator[tuple[str, str, str]]:
    """The relations that assign records to people: a relation, its stream, and a condition for the rows."""
    if connection.personal_records:
        yield f"staging.{connection.personal_records}", "stream", f"customer_id {theirs} or email {theirs}"
        return
    (stream,) = connection.streams
    for meaning in (connection.order_lines, connection.contacts, connection.email_events):
        if meaning is not None and meaning.model:
            names = [column for column in ("customer_id", "email") if column in meaning.columns]
            about = " or ".join(f"{name} {theirs} or lower(trim({name})) {theirs}" for name in names)
            yield f"staging.{meaning.model}", f"'{stream}'", about


def built_rows(warehouse: Warehouse, theirs: str, *, with_views: bool = False) -> Iterator[PersonalRows]:
    """In every table that is not a source's, and in views too where these are wanted."""
    for relation, columns in relations_with(warehouse, PERSONAL_COLUMNS, with_views=with_views):
        if not relation.startswith("raw_") and relation != ERASING:
            yield PersonalRows(
                relation,
                " or ".join(
                    f"{column} {theirs} or ({column} like '%@%' and lower(trim({column})) {theirs})"
                    for column in columns
                ),
            )


def quoting_rows(warehouse: Warehouse, names: set[str]) -> Iterator[tuple[str, str, list[str]]]:
    """A table, a column that quotes what stands in files, and the quotations with one of the names as a word."""
    for relation, columns in relations_with(warehouse, QUOTING_COLUMNS):
        for column in columns:
            read = warehouse.read(f"select distinct {column} as quoted from {relation} where {column} is not null")
            texts = read.column("quoted").to_pylist()
            yield relation, column, [text for text in texts if names & set(map(normalised, words_of(text)))]


def relations_with(
    warehouse: Warehouse, columns: Sequence[str], *, with_views: bool = False
) -> Iterator[tuple[str, list[str]]]:
    """Tables with any of the columns, and which of them they have."""
    types = ("BASE TABLE", "VIEW") if with_views else ("BASE TABLE",)
    found = warehouse.read(
        f"""select lower(columns.table_schema || '.' || columns.table_name) as relation,
            lower(columns.column_name) as column_name
        from information_schema.columns as columns
        inner join information_schema.tables as tables
            on columns.table_schema = tables.table_schema and columns.table_name = tables.table_name
        where tables.table_type in ({listed(types)}) and lower(columns.column_name) in ({listed(columns)})
        order by 1, 2"""
    ).to_pylist()
    for relation in dict.fromkeys(row["relation"] for row in found):
        yield relation, [row["column_name"] for row in found if row["relation"] == relation]
