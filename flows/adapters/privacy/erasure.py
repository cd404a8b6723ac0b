"""Erases people from a warehouse: every row about them is removed, and a keyed hash remains to recognise them.

`raw.erasing` holds their ids and addresses during an erasure, so that the next call finishes it after an interruption.
`raw.erasures` holds hashes only, keyed with `raw.erasure_key`."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.privacy.identities import followed, listed, names_there, shared_addresses, words_of
from flows.errors import BadInput
from flows.ports.warehouse import Warehouse
from flows.sources.connections import Connection, Connections
from flows.sources.mappings import Kind

# columns that hold a customer's id or address; a test finds tables that have one under another name
PERSONAL_COLUMNS = ("customer_id", "given_customer_id", "written_id", "email", "link", "identifier")
# columns that quote what stands in a file
QUOTING_COLUMNS = ("content", "example", "unreadable_text")
ERASING, ERASURES, KEY = "raw.erasing", "raw.erasures", "raw.erasure_key"
VALIDATED: dict[Kind, tuple[str, str]] = {
    "order_lines": ("staging.stg_shop__order_lines_validated", "order_line_key"),
    "contacts": ("staging.stg_shop__contacts_validated", "contact_key"),
}
THEIRS = f"in (select identifier from {ERASING})"


@dataclass(frozen=True)
class Erased:
    """The number of rows of a relation that were removed or blanked."""

    relation: str
    rows: int


def normalised(name: str) -> str:
    """A customer id or an e-mail address as staging writes it."""
    trimmed = name.strip()
    return trimmed.lower() if "@" in trimmed else trimmed


def all_names(warehouse: Warehouse, connections: Connections, names: Iterable[str]) -> set[str]:
    """All ids and addresses of the people who are named by ids or e-mail addresses, as far as these are theirs alone.

    Raises:
        BadInput: when an address that is given belongs to several customers.
    """
    given = {normalised(name) for name in names} - {""}
    if shared := {name: n for name, n in shared_addresses(warehouse, given).items() if "@" in name}:
        raise BadInput(
            "Nobody was erased, because these addresses are of several customers: "
            + ", ".join(f"{address} of {customers}" for address, customers in sorted(shared.items()))
            + ". Name the customer ids instead."
        )
    return followed(warehouse, connections, given)


def note(warehouse: Warehouse, names: Iterable[str]) -> None:
    """Adds names to the list of pending erasures: after an interruption the next call finishes it."""
    warehouse.merge(ERASING, pa.table({"identifier": sorted(names)}), ["identifier"])


def erase_noted(warehouse: Warehouse, connections: Connections, at: datetime) -> list[Erased]:
    """Removes all data of the people on the list, and stores hashes of their names.

    Raises:
        BadInput: when raw rows were replaced since they were last read, so that rows cannot be assigned to people.
    """
    names = warehouse.read(f"select identifier from {ERASING}").column("identifier").to_pylist()
    _remember(warehouse, names, at)
    found = [
        *_erase_raw(warehouse, connections),
        *_erase_built(warehouse),
        *_erase_unreadable(warehouse, set(names)),
    ]
    warehouse.change("ending the erasure", [f"drop table {ERASING}"])
    return [erased for erased in found if erased.rows]


def erase_again(warehouse: Warehouse, connections: Connections, at: datetime) -> list[Erased]:
    """Erases again what a sync has brought back of erased people, and finishes an interrupted erasure."""
    found = erase_noted(warehouse, connections, at) if warehouse.exists(ERASING) else []
    if not warehouse.exists(ERASURES):
        return found
    key, known = _key(warehouse), set(warehouse.read(f"select hash from {ERASURES}").column("hash").to_pylist())
    back = {name for name in names_there(warehouse, connections) if _hash(key, normalised(name)) in known}
    if not back:
        return found
    note(warehouse, followed(warehouse, connections, {normalised(name) for name in back} | back))
    return found + erase_noted(warehouse, connections, at)


def _remember(warehouse: Warehouse, names: Sequence[str], at: datetime) -> None:
    if not warehouse.exists(KEY):
        warehouse.merge(KEY, pa.table({"key": [secrets.token_hex(32)]}), ["key"])
    key = _key(warehouse)
    hashes = pa.table(
        {
            "hash": [_hash(key, name) for name in names],
            "erased_at": pa.array([at.replace(tzinfo=None)] * len(names), pa.timestamp("us")),
        }
    )
    warehouse.merge(ERASURES, hashes, ["hash"])


def _key(warehouse: Warehouse) -> bytes:
    return bytes.fromhex(warehouse.row(f'select min("key") from {KEY}')[0])


def _hash(key: bytes, name: str) -> str:
    return hmac.new(key, name.encode(), hashlib.sha256).hexdigest()


def _erase_raw(warehouse: Warehouse, connections: Connections) -> Iterator[Erased]:
    """Rows of files are blanked, because their line numbers are stored; records of other sources are removed."""
    for kind in VALIDATED:
        for name, connection in connections.connections.items():
            if connection.connector == "csv" and kind in connection.streams:
                yield from _blank_rows(warehouse, name, kind)
    for name, connection in connections.connections.items():
        if connection.connector != "csv":
            yield from _erase_records(warehouse, name, connection)


def _blank_rows(warehouse: Warehouse, name: str, kind: Kind) -> Iterator[Erased]:
    relation, key = VALIDATED[kind]
    raw = f"raw_{name}.{kind}"
    if not warehouse.exists(raw):
        return
    of_source = f"{relation} where source_name = '{name}'"
    if not warehouse.exists(relation) or not warehouse.row(f"select count(*) from {of_source}")[0]:
        # of an earlier run with other sources: no run reads it, and its rows cannot be assigned to people
        yield Erased(f"{raw}, which was dropped as a whole: the last run did not read it", warehouse.drop_raw(raw))
        return
    whose = f"source_name = '{name}' and (customer_id {THEIRS} or email {THEIRS})"
    [validated] = warehouse.row(f"select count(*) from {relation} where {whose}")
    keys = (
        f"select {key} from {relation} as validated where {whose} and exists (select 1 from {raw} as landed"
        f" where landed._airbyte_raw_id = validated.{key} and landed._airbyte_extracted_at = validated.extracted_at)"
    )
    [there] = warehouse.row(f"select count(*) from ({keys}) as keys")
    if there != validated:
        raise BadInput(
            f"{raw} has been replaced since the last run that came to its end, so its rows cannot be assigned"
            " to people. Run again: that run finishes the erasure."
        )
    if validated:
        warehouse.blank_rows(name, kind, keys)
    yield Erased(raw, validated)


def _erase_records(warehouse: Warehouse, name: str, connection: Connection) -> Iterator[Erased]:
    # collected first: records can no longer be assigned to people once others are removed
    found = [
        warehouse.read(f"select distinct {stream} as stream, _airbyte_raw_id as record_key from {model} where {whose}")
        for model, stream, whose in _personal_records(connection)
        if warehouse.exists(model)
    ]
    if not found:
        return
    keys, statements = pa.concat_tables(found), []
    for stream in connection.streams:
        of_stream = keys.filter(pc.equal(keys["stream"], stream)).column("record_key").to_pylist()
        if of_stream:
            statements.append(f"delete from raw_{name}.{stream} where _airbyte_raw_id in ({listed(of_stream)})")
        yield Erased(f"raw_{name}.{stream}", len(of_stream))
    if statements:
        warehouse.change(f"erasing records of {name}", statements)


def _personal_records(connection: Connection) -> Iterator[tuple[str, str, str]]:
    """The relations that assign records to people: a relation, its stream, and a condition for the rows to erase."""
    if connection.personal_records:
        yield f"staging.{connection.personal_records}", "stream", f"customer_id {THEIRS} or email {THEIRS}"
        return
    (stream,) = connection.streams
    for meaning in (connection.order_lines, connection.contacts, connection.email_events):
        if meaning is not None and meaning.model:
            names = [column for column in ("customer_id", "email") if column in meaning.columns]
            about = " or ".join(f"{name} {THEIRS} or lower(trim({name})) {THEIRS}" for name in names)
            yield f"staging.{meaning.model}", f"'{stream}'", about


def _erase_built(warehouse: Warehouse) -> Iterator[Erased]:
    """Removes rows from every table that is not a source's."""
    for relation, columns in _tables_with(warehouse, PERSONAL_COLUMNS):
        if relation.startswith("raw_") or relation == ERASING:
            continue
        about = " or ".join(
            f"{column} {THEIRS} or ({column} like '%@%' and lower(trim({column})) {THEIRS})" for column in columns
        )
        [rows] = warehouse.row(f"select count(*) from {relation} where {about}")
        if rows:
            warehouse.change(f"erasing from {relation}", [f"delete from {relation} where {about}"])
        yield Erased(relation, rows)


def _erase_unreadable(warehouse: Warehouse, names: set[str]) -> Iterator[Erased]:
    """Blanks what could not be read where it contains one of the names as a word."""
    for relation, columns in _tables_with(warehouse, QUOTING_COLUMNS):
        blanked = 0
        for column in columns:
            read = warehouse.read(f"select distinct {column} as quoted from {relation} where {column} is not null")
            theirs = [
                text for text in read.column("quoted").to_pylist() if names & set(map(normalised, words_of(text)))
            ]
            if theirs:
                statement = f"update {relation} set {column} = '(erased)' where {column} in ({listed(theirs)})"
                warehouse.change(f"erasing from {relation}", [statement])
            blanked += len(theirs)
        yield Erased(relation, blanked)


def _tables_with(warehouse: Warehouse, columns: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Tables with any of the columns, and which of them they have."""
    found = warehouse.read(
        f"""select lower(columns.table_schema || '.' || columns.table_name) as relation,
            lower(columns.column_name) as column_name
        from information_schema.columns as columns
        inner join information_schema.tables as tables
            on columns.table_schema = tables.table_schema and columns.table_name = tables.table_name
        where tables.table_type = 'BASE TABLE' and lower(columns.column_name) in ({listed(columns)})
        order by 1, 2"""
    ).to_pylist()
    for relation in dict.fromkeys(row["relation"] for row in found):
        yield relation, [row["column_name"] for row in found if row["relation"] == relation]
