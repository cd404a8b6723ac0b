"""Everything that a warehouse and files keep about a person, as parts of one document. Nothing is changed.

It shows what an erasure removes, found in the same places (`personal_rows`), and views of it."""

import csv
import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from flows.adapters.dbt.descriptions import Description, Descriptions
from flows.adapters.files.outbox import FileOutbox
from flows.adapters.privacy.identities import listed
from flows.adapters.privacy.masking import masked, masked_text
from flows.adapters.privacy.personal_rows import (
    PERSONAL_COLUMNS,
    VALIDATED,
    PersonalRows,
    built_rows,
    keys_in_files,
    normalised,
    quoting_rows,
    record_keys,
    relations_with,
)
from flows.adapters.privacy.plain_headings import heading_of
from flows.ports.warehouse import Warehouse
from flows.sources.connections import Connections

Row = Mapping[str, Any]
OUR_OWN = ("_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_meta", "_airbyte_generation_id")
_ADDRESS = r"[^\s<>,;:=|()\[\]{}\"'@]+@[^\s<>,;:=|()\[\]{}\"'@]+"


@dataclass(frozen=True)
class Part:
    """Rows from one place. `heading`: what they are, in plain words; `description` and `columns`: what is documented
    about them."""

    place: str
    heading: str
    rows: Sequence[Row]
    description: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


def parts_of_warehouse(
    warehouse: Warehouse, connections: Connections, names: set[str], descriptions: Descriptions
) -> Iterator[Part]:
    """Their rows in every table and view, by relation: as received first, then what was made of them."""
    conditions: dict[str, list[str]] = {}
    for found in _places(warehouse, connections, names, descriptions):
        conditions.setdefault(found.relation, []).append(f"({found.condition})")
    show = only_theirs(names)
    for relation in sorted(conditions, key=lambda name: (not name.startswith("raw_"), not name.startswith("marts."))):
        read = warehouse.read(f"select * from {relation} where {' or '.join(conditions[relation])}")
        rows = [
            {name: show(value) for name, value in row.items() if name not in OUR_OWN and value is not None}
            for row in read.to_pylist()
        ]
        if rows:
            described = descriptions.of(relation) or Description()
            there = {name for row in rows for name in row}
            columns = {name: text for name, text in described.columns.items() if name in there and text}
            place = f"{relation} in {warehouse.place}"
            yield Part(place, heading_of(relation), rows, described.text, columns)


def _places(
    warehouse: Warehouse, connections: Connections, names: set[str], descriptions: Descriptions
) -> Iterator[PersonalRows]:
    theirs = f"in ({listed(names)})"
    for name, connection in connections.connections.items():
        if connection.connector == "csv":
            for kind in VALIDATED:
                raw = f"raw_{name}.{kind}"
                if kind in connection.streams and warehouse.exists(raw):
                    keys = keys_in_files(warehouse, name, kind, theirs)
                    whose = f"_airbyte_raw_id in ({keys})" if keys else _any_text(warehouse, raw, names)
                    yield PersonalRows(raw, whose)
            continue
        for stream, found in record_keys(warehouse, connection, theirs).items():
            if found:
                yield PersonalRows(f"raw_{name}.{stream}", f"_airbyte_raw_id in ({listed(found)})")
    tables = {relation for relation, _ in relations_with(warehouse, PERSONAL_COLUMNS)}
    for place in built_rows(warehouse, theirs, with_views=True):
        # a view that the project no longer has may not work any more
        if place.relation in tables or descriptions.of(place.relation):
            yield place
    for relation, column, texts in quoting_rows(warehouse, names):
        if texts:
            yield PersonalRows(relation, f"{column} in ({listed(texts)})")


def _any_text(warehouse: Warehouse, relation: str, names: set[str]) -> str:
    """For rows that no run assigns to people: those where a value is one of the names."""
    schema, table = relation.split(".")
    columns = warehouse.read(
        "select column_name from information_schema.columns"
        f" where lower(table_schema) = '{schema}' and lower(table_name) = '{table}'"
    ).column("column_name")
    small = f"in ({listed({name.lower() for name in names})})"
    quoted = ('"' + name.replace('"', '""') + '"' for name in columns.to_pylist())
    return " or ".join(f"lower(trim(cast({name} as varchar))) {small}" for name in quoted)


def parts_of_outbox(folder: Path, names: set[str]) -> Iterator[Part]:
    """Predictions that were served and are not in a warehouse yet."""
    show = only_theirs(names)
    if rows := [{name: show(value) for name, value in row.items()} for row in FileOutbox(folder).about(names)]:
        yield Part(str(folder), "Predictions that were served and wait to be stored", rows)


def part_of_file(place: str, content: bytes, names: set[str]) -> Part | None:
    """Their rows of a file that ends in .csv or .jsonl, which runs, campaigns and callers of the API have left."""
    text = content.decode("utf-8-sig", errors="replace")
    known = {*names, *(hashlib.sha256(name.encode()).hexdigest() for name in names), *_masked_ids(names)}
    show = only_theirs(names)
    rows = [show(row) for row in _records(place, text) if _names_one(row, known)]
    return Part(place, "A file for those who contact customers, or that was sent to be scored", rows) if rows else None


def _records(place: str, text: str) -> Iterator[Row]:
    if place.endswith(".jsonl"):
        for line in filter(str.strip, text.splitlines()):
            try:
                content = json.loads(line)
            except ValueError:
                content = None
            yield content if isinstance(content, dict) else {"line": line}
        return
    header = text.partition("\n")[0]
    yield from csv.DictReader(text.splitlines(), delimiter=max(",;", key=header.count), restkey="more")


def _names_one(value: Any, known: Collection[str]) -> bool:
    if isinstance(value, dict):
        return any(_names_one(part, known) for part in value.values())
    if isinstance(value, list):
        return any(_names_one(part, known) for part in value)
    return isinstance(value, str) and normalised(value.removeprefix("'")) in known


def _masked_ids(names: Collection[str]) -> list[str]:
    """Ids that are addresses, as lists show them."""
    ids: list[str] = masked(pa.table({"customer_id": sorted(names)})).column("customer_id").to_pylist()
    return ids


def only_theirs(names: Collection[str]) -> Callable[[Any], Any]:
    """A function that masks, in a value and all its parts, every e-mail address that is none of these names."""
    own = "|".join(rf"(?<![\w.@+-]){re.escape(name)}(?![\w@-]|\.\w)" for name in names if "@" in name)
    addresses = re.compile(f"(?P<own>{own or '(?!)'})|{_ADDRESS}", re.IGNORECASE)

    def show(value: Any) -> Any:
        if isinstance(value, str):
            return addresses.sub(lambda found: found[0] if found["own"] else masked_text(found[0]), value)
        if isinstance(value, dict):
            return {name: show(part) for name, part in value.items()}
        if isinstance(value, list):
            return [show(part) for part in value]
        return value

    return show
