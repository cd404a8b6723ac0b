"""Lands CSV files in the laptop's warehouse: every value as text, in the shape of Airbyte's tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from flows.adapters.duckdb.sql import literal, quote, transaction
from flows.adapters.files.reading.consent import CONSENT_COLUMNS
from flows.adapters.files.reading.describing import (
    NEEDED_OF_CONTACTS,
    NEEDED_OF_ORDER_LINES,
    describe_contacts,
    describe_order_lines,
    map_contacts,
    map_order_lines,
)
from flows.adapters.files.reading.file_columns import (
    all_columns,
    common_columns,
    describe_missing,
    lacking,
    names_of,
    require_needed,
)
from flows.adapters.files.reading.fuller_columns import fuller_columns
from flows.adapters.files.reading.header_row import HeaderNames
from flows.adapters.files.reading.tables import Tables
from flows.adapters.files.reading.text_files import (
    MAX_LINE_BYTES,
    WESTERN_EUROPE,
    TextFile,
    find_files,
    open_text_file,
)
from flows.adapters.files.reading.text_rows import FILE_COLUMN, TextRows
from flows.errors import BadInput
from flows.sources.connections import Connections, Contacts, OrderLineColumn, OrderLines
from flows.sources.mappings import Kind, Landing, RowMapping
from flows.sources.platforms import as_platform, describe_recognised, headers_of_order_lines, other_headers
from flows.sources.words import plain

# of each kind, where records stand that could not be read, and which rows come from which lines
UNREADABLE = {"order_lines": "raw.unreadable_lines", "contacts": "raw.unreadable_contacts"}
SPANS = {"order_lines": "raw.landed_spans", "contacts": "raw.landed_contact_spans"}

_MONEY: tuple[OrderLineColumn, ...] = ("order_total", "amount", "unit_price")


class _NeedsCopy(Exception):
    """A file that DuckDB reads only as a copy from this `encoding`, with one kind of line ends."""

    def __init__(self, file: TextFile, encoding: str) -> None:
        self.file, self.encoding = file, encoding


@dataclass(frozen=True)
class CsvLanding:
    """What is read once, and lands wherever `con` says. `scratch` is a folder for UTF-8 copies of files in other
    encodings; the caller removes it."""

    con: duckdb.DuckDBPyConnection
    known: Connections
    extracted_at: datetime
    scratch: Path

    def order_lines(self, pattern: str, connection: str, stream: OrderLines) -> Landing:
        """Replaces what the warehouse holds of a connection's order lines by the content of the files.

        Raises:
            BadInput: naming file, line or column, and what to write in airbyte/connections.yml.
        """
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
        """Replaces what the warehouse holds of a connection's contacts by the content of the files.

        Raises:
            BadInput: naming file, line or column, and what to write in airbyte/connections.yml.
        """
        names = HeaderNames.of(_each(stream.columns) or self.known.recognised_headers.contacts, NEEDED_OF_CONTACTS)
        files = self._open(find_files(pattern, "CONTACTS"), names, stream)
        columns = map_contacts(all_columns(files), stream, self.known.recognised_headers, files[0].original, connection)
        require_needed(files, columns, NEEDED_OF_CONTACTS)

        def describe(rows: TextRows) -> Sequence[RowMapping]:
            return describe_contacts(rows, connection, stream, columns, self.extracted_at.date())

        landing = self._land("contacts", files, connection, describe, bool(stream.columns))
        if set(CONSENT_COLUMNS) & set(columns):
            return landing
        unknown = "no column says who has opted out: nobody is held back from a list of whom to contact"
        return replace(landing, notes=(*landing.notes, unknown))

    def _open(self, files: Sequence[Path], names: HeaderNames, stream: OrderLines | Contacts) -> list[TextFile]:
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
        con, table = self.con, _text_table(connection, kind)
        while True:
            try:
                with transaction(con):
                    _create_tables(con, connection, kind, files, self.extracted_at)
                    for file, name in zip(files, names_of(files), strict=True):
                        _land_file(con, connection, kind, file, name)
                    rows = _count(con, table)
                    if not rows:
                        raise BadInput(f"{files[0].original} has a header and no readable line below it.")
                    mappings = tuple(describe(TextRows(con, table, FILE_COLUMN)))
                    unreadable = _count(con, UNREADABLE[kind])
                break
            except _NeedsCopy as needs_copy:
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


def _create_tables(
    con: duckdb.DuckDBPyConnection, connection: str, kind: Kind, files: Sequence[TextFile], extracted_at: datetime
) -> None:
    con.execute(f'create schema if not exists "raw_{connection}"')
    columns = ", ".join(f"{quote(name)} varchar" for name in (*all_columns(files), FILE_COLUMN))
    con.execute(f"create or replace table {_text_table(connection, kind)} ({columns})")
    # numbering rows while reading halves the speed; DuckDB numbers them anyway, in the order of the file
    con.execute(
        f"""create or replace view "raw_{connection}".{kind} as
        select *, lpad(cast(rowid as varchar), 12, '0') as _airbyte_raw_id,
            timestamptz '{extracted_at.isoformat()}' as _airbyte_extracted_at,
            '{{"changes":[]}}' as _airbyte_meta, 0::bigint as _airbyte_generation_id
        from {_text_table(connection, kind)}"""
    )
    con.execute(
        f"""create schema if not exists raw;
        create or replace table {UNREADABLE[kind]} (file varchar, line bigint, reason varchar, content varchar);
        create or replace table {SPANS[kind]} (file varchar, first_row bigint, last_row bigint, first_line bigint)"""
    )


def _land_file(con: duckdb.DuckDBPyConnection, connection: str, kind: Kind, file: TextFile, name: str) -> None:
    first_row = _count(con, _text_table(connection, kind))
    con.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    if file.typed:  # what is no CSV is read whole or not at all
        con.execute("create temp table reject_errors (line bigint, error_type varchar, csv_line varchar)")
    try:
        con.execute(
            f"insert into {_text_table(connection, kind)} by name"
            f" select *, {literal(name)} as {FILE_COLUMN} from {file.relation}"
        )
    except duckdb.InvalidInputException as error:
        if file.typed is None and not file.is_copy:  # the usual cause is that its lines end in different ways
            raise _NeedsCopy(file, "utf-8") from None
        raise BadInput(_why_unreadable(file, error)) from None
    if _count(con, "reject_errors where error_type = 'INVALID ENCODING'"):
        raise _NeedsCopy(file, WESTERN_EUROPE)
    con.execute(
        f"""insert into {UNREADABLE[kind]}
        select ?, line, lower(any_value(error_type)), any_value(csv_line) from reject_errors group by line""",
        [file.original.name],
    )
    con.execute(
        f"""insert into {SPANS[kind]}
        with starts as (  -- rows follow each other from the first line on, and after every unreadable line
            select $4 as first_line, 0 as skipped
            union all
            select line + 1, row_number() over (order by line) from (select distinct line from reject_errors)
        )
        select $1, $2 + first_line - $4 - skipped as first_row,
            lead($2 + first_line - $4 - skipped, 1, $3) over (order by first_line) - 1 as last_row, first_line
        from starts
        qualify first_row <= last_row""",
        [file.original.name, first_row, _count(con, _text_table(connection, kind)), file.first_line],
    )


def _why_unreadable(file: TextFile, error: duckdb.Error) -> str:
    said = str(error).splitlines()[0]
    if "Maximum line size" in str(error):
        return f"{file.original} has a line of more than {MAX_LINE_BYTES // 1_000_000} MB: {said[:200]}"
    if file.typed:
        return f"{file.original} cannot be read to its end: {said[:200]}"
    return (
        f"{file.original} is no table that can be read. A quotation mark that is never closed is the usual cause: save"
        f" the file again as CSV. DuckDB says: {said[:200]}"
    )


def _what_was_recognised(columns: Mapping[Any, str], header: Sequence[str]) -> Iterator[str]:
    renamed = [f"{theirs} as {ours}" for ours, theirs in columns.items() if theirs != ours]
    if renamed:
        yield "recognised " + ", ".join(renamed)
    unused = [name for name in header if name not in columns.values()]
    if unused:
        yield "did not use " + ", ".join(unused)


def _text_table(connection: str, kind: Kind) -> str:
    return f'"raw_{connection}".{kind}_as_text'


def _count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = con.execute(f"select count(*) from {relation}").fetchone()
    assert row is not None  # count(*) always yields a row
    return int(row[0])


def _each(columns: Mapping[Any, str]) -> dict[str, tuple[str]]:
    return {ours: (theirs,) for ours, theirs in columns.items()}
