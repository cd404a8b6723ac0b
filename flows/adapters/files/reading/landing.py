"""Lands CSV files in the laptop's warehouse: every value as text, in the shape of Airbyte's tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import duckdb

from flows.adapters.duckdb.sql import transaction
from flows.adapters.files.reading.columns.fuller import fuller_columns
from flows.adapters.files.reading.columns.of_files import (
    all_columns,
    common_columns,
    describe_missing,
    lacking,
    names_of,
    require_needed,
)
from flows.adapters.files.reading.consent import CONSENT_COLUMNS
from flows.adapters.files.reading.describing import (
    NEEDED_OF_CONTACTS,
    NEEDED_OF_ORDER_LINES,
    NEEDED_OF_PRODUCTS,
    describe_order_lines,
    describe_rows,
    map_contacts,
    map_order_lines,
    map_products,
)
from flows.adapters.files.reading.raw_tables import (
    UNREADABLE,
    NeedsCopy,
    count_rows,
    create_tables,
    insert_file,
    text_table,
)
from flows.adapters.files.reading.tables.header_row import HeaderNames
from flows.adapters.files.reading.tables.opening import Tables
from flows.adapters.files.reading.tables.text_files import (
    TextFile,
    find_files,
    open_text_file,
)
from flows.adapters.files.reading.tables.text_rows import FILE_COLUMN, TextRows
from flows.errors import BadInput
from flows.sources.connections import (
    Connections,
    Contacts,
    KindOfFile,
    OrderLineColumn,
    OrderLines,
    Products,
    RecognisedHeaders,
)
from flows.sources.mappings import Kind, Landing, RowMapping
from flows.sources.platforms import as_platform, describe_recognised, headers_of_order_lines, other_headers
from flows.sources.words import plain

Meaning = TypeVar("Meaning", Contacts, Products)
_MONEY: tuple[OrderLineColumn, ...] = ("order_total", "amount", "unit_price")


@dataclass(frozen=True)
class CsvLanding:
    """What is read once, and lands wherever `con` says. `scratch` is a folder for UTF-8 copies of files in other
    encodings; the caller removes it."""

    con: duckdb.DuckDBPyConnection
    known: Connections
    extracted_at: datetime
    scratch: Path

    def land(self, kind: KindOfFile, pattern: str, connection: str) -> Landing:
        """Replaces what the warehouse holds of a connection's rows of a kind by the content of the files.

        Raises:
            BadInput: naming file, line or column, and what to write in airbyte/connections.yml.
        """
        match getattr(self.known.connection(connection), kind):
            case OrderLines() as stream:
                return self.order_lines(pattern, connection, stream)
            case Contacts() as stream:
                return self.contacts(pattern, connection, stream)
            case Products() as stream:
                return self.products(pattern, connection, stream)
        raise AssertionError(f"{connection} brings no {kind}")  # checked by sources_of

    def order_lines(self, pattern: str, connection: str, stream: OrderLines) -> Landing:
        """See `land`."""
        names = HeaderNames.of(_each(stream.columns) or headers_of_order_lines(self.known), NEEDED_OF_ORDER_LINES)
        files = self._open(find_files(pattern), names, stream)
        header, headers = all_columns(files), self.known.recognised_headers
        read_as, platform = as_platform(header, stream, self.known.platforms)
        columns = map_order_lines(header, read_as, headers, files[0].original, connection)
        for name in _MONEY:  # that of some files only is left, where all have another
            if len(set(_MONEY) & set(columns)) > 1 and any(name in lacking(file, columns) for file in files):
                del columns[name]
        require_needed(files, columns, NEEDED_OF_ORDER_LINES)
        said = list(describe_recognised(platform, read_as))

        def describe(rows: TextRows) -> Sequence[RowMapping]:
            values, read_on = self.known.recognised_values, self.extracted_at.date()
            others = other_headers(self.known, read_as, platform)
            chosen, passed_over = fuller_columns(rows, common_columns(files), columns, others)
            mappings, notes = describe_order_lines(rows, connection, read_as, chosen, values, read_on)
            said.extend((*passed_over, *notes))
            return mappings

        landing = self._land("order_lines", files, connection, describe, bool(stream.columns))
        return replace(landing, notes=(*dict.fromkeys(said), *landing.notes))

    def contacts(self, pattern: str, connection: str, stream: Contacts) -> Landing:
        """See `land`."""
        landing = self._beside_orders("contacts", pattern, connection, stream, map_contacts, NEEDED_OF_CONTACTS)
        if set(CONSENT_COLUMNS) & set(landing.mappings[0].columns):
            return landing
        unknown = "no column says who has opted out: nobody is held back from a list of whom to contact"
        return replace(landing, notes=(*landing.notes, unknown))

    def products(self, pattern: str, connection: str, stream: Products) -> Landing:
        """See `land`."""
        return self._beside_orders("products", pattern, connection, stream, map_products, NEEDED_OF_PRODUCTS)

    def _beside_orders(
        self,
        kind: Literal["contacts", "products"],
        pattern: str,
        connection: str,
        stream: Meaning,
        map_header: Callable[[Sequence[str], Meaning, RecognisedHeaders, Path, str], Mapping[Any, str]],
        needed: Sequence[Sequence[Any]],
    ) -> Landing:
        headers = self.known.recognised_headers
        names = HeaderNames.of(_each(stream.columns) or getattr(headers, kind), needed)
        files = self._open(find_files(pattern, kind.upper()), names, stream)
        columns = map_header(all_columns(files), stream, headers, files[0].original, connection)
        require_needed(files, columns, needed)

        def describe(rows: TextRows) -> Sequence[RowMapping]:
            return describe_rows(rows, kind, connection, stream, columns, self.extracted_at.date())

        return self._land(kind, files, connection, describe, bool(stream.columns))

    def _open(
        self, files: Sequence[Path], names: HeaderNames, stream: OrderLines | Contacts | Products
    ) -> list[TextFile]:
        return Tables(names, self.scratch, stream.delimiter, stream.sheet).open(files)

    def _copy(self, file: TextFile, encoding: str) -> TextFile:
        names = HeaderNames(known=frozenset(map(plain, file.header)))  # the same row is the header again
        again = open_text_file(file.readable, file.original, self.scratch, names, file.delimiter, encoding)
        return replace(again, notes=tuple(dict.fromkeys((*file.notes, *again.notes))))

    def _land(
        self,
        kind: Kind,
        files: list[TextFile],
        connection: str,
        describe: Callable[[TextRows], Sequence[RowMapping]],
        is_declared: bool,
    ) -> Landing:
        """Writes `raw_<connection>.<kind>`, what could not be read of it, and which file and line a row came from: all
        of them or, on any failure, none. Lines are counted as records, the header being 1.
        """
        con, table = self.con, text_table(connection, kind)
        while True:
            try:
                with transaction(con):
                    create_tables(con, connection, kind, files, self.extracted_at)
                    for file, name in zip(files, names_of(files), strict=True):
                        insert_file(con, connection, kind, file, name)
                    rows = count_rows(con, table)
                    if not rows:
                        raise BadInput(f"{files[0].original} has a header and no readable line below it.")
                    mappings = tuple(describe(TextRows(con, table, FILE_COLUMN)))
                    unreadable = count_rows(con, UNREADABLE[kind])
                break
            except NeedsCopy as needs_copy:
                file = needs_copy.file
                copied = self._copy(file, needs_copy.encoding)
                files = [copied if each is file else each for each in files]
        notes = dict.fromkeys(note for file in files for note in file.notes)  # in order, each once
        recognised = () if is_declared else _what_was_recognised(mappings[0].columns, all_columns(files))
        return Landing(
            kind=kind,
            files=tuple(file.original for file in files),
            rows=rows,
            unreadable=unreadable,
            mappings=mappings,
            notes=(*notes, *describe_missing(files, mappings[0].columns), *recognised),
        )


def _what_was_recognised(columns: Mapping[Any, str], header: Sequence[str]) -> Iterator[str]:
    renamed = [f"{theirs} as {ours}" for ours, theirs in columns.items() if theirs != ours]
    if renamed:
        yield "recognised " + ", ".join(renamed)
    unused = [name for name in header if name not in columns.values()]
    if unused:
        yield "did not use " + ", ".join(unused)


def _each(columns: Mapping[Any, str]) -> dict[str, tuple[str]]:
    return {ours: (theirs,) for ours, theirs in columns.items()}
