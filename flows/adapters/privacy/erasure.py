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

from flows.adapters.privacy.identities import followed, listed, names_there, shared_addresses
from flows.adapters.privacy.personal_rows import (
    ERASING,
    VALIDATED,
    built_rows,
    keys_in_files,
    normalised,
    quoting_rows,
    record_keys,
)
from flows.errors import BadInput
from flows.ports.warehouse import Warehouse
from flows.sources.connections import Connection, Connections
from flows.sources.mappings import Kind

ERASURES, KEY = "raw.erasures", "raw.erasure_key"
THEIRS = f"in (select identifier from {ERASING})"


@dataclass(frozen=True)
class Erased:
    """The number of rows of a relation that were removed or blanked."""

    relation: str
    rows: int


def all_names(warehouse: Warehouse, connections: Connections, names: Iterable[str]) -> set[str]:
    """All ids and addresses of the people who are named by ids or e-mail addresses, as far as these are theirs alone.

    Raises:
        BadInput: when an address that is given belongs to several customers.
    """
    given = {normalised(name) for name in names} - {""}
    if shared := {name: n for name, n in shared_addresses(warehouse, given).items() if "@" in name}:
        raise BadInput(
            "Nothing was done, because these addresses are of several customers: "
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
        *_erase_quoted(warehouse, set(names)),
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


def erased_before(warehouse: Warehouse, names: Iterable[str]) -> list[datetime]:
    """When people with one of these names were erased, UTC: that much is known of them."""
    if not warehouse.exists(ERASURES):
        return []
    hashes = listed(_hash(_key(warehouse), name) for name in names)
    read = warehouse.read(f"select distinct erased_at from {ERASURES} where hash in ({hashes}) order by 1")
    found: list[datetime] = read.column("erased_at").to_pylist()
    return found


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
    raw = f"raw_{name}.{kind}"
    if not warehouse.exists(raw):
        return
    keys = keys_in_files(warehouse, name, kind, THEIRS)
    if keys is None:
        # of an earlier run with other sources: no run reads it, and its rows cannot be assigned to people
        yield Erased(f"{raw}, which was dropped as a whole: the last run did not read it", warehouse.drop_raw(raw))
        return
    [rows] = warehouse.row(f"select count(*) from ({keys}) as keys")
    if rows:
        warehouse.blank_rows(name, kind, keys)
    yield Erased(raw, rows)


def _erase_records(warehouse: Warehouse, name: str, connection: Connection) -> Iterator[Erased]:
    # collected first: records can no longer be assigned to people once others are removed
    found = {f"raw_{name}.{stream}": keys for stream, keys in record_keys(warehouse, connection, THEIRS).items()}
    statements = [f"delete from {raw} where _airbyte_raw_id in ({listed(keys)})" for raw, keys in found.items() if keys]
    if statements:
        warehouse.change(f"erasing records of {name}", statements)
    for raw, keys in found.items():
        yield Erased(raw, len(keys))


def _erase_built(warehouse: Warehouse) -> Iterator[Erased]:
    """Removes rows from every table that is not a source's."""
    for place in built_rows(warehouse, THEIRS):
        [rows] = warehouse.row(f"select count(*) from {place.relation} where {place.condition}")
        if rows:
            statement = f"delete from {place.relation} where {place.condition}"
            warehouse.change(f"erasing from {place.relation}", [statement])
        yield Erased(place.relation, rows)


def _erase_quoted(warehouse: Warehouse, names: set[str]) -> Iterator[Erased]:
    """Blanks what could not be read where it contains one of the names as a word."""
    for relation, column, texts in quoting_rows(warehouse, names):
        if texts:
            statement = f"update {relation} set {column} = '(erased)' where {column} in ({listed(texts)})"
            warehouse.change(f"erasing from {relation}", [statement])
        yield Erased(relation, len(texts))
