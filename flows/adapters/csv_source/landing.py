"""Lands CSV order lines in the laptop's warehouse: every value as text, in the shape of Airbyte's tables."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from flows.adapters.connections import OrderLineColumn, OrderLines
from flows.adapters.csv_source.formats import NumberFormat, find_number_format, find_timestamp_format, quote
from flows.adapters.csv_source.headers import map_columns
from flows.adapters.csv_source.text_files import TextFile, find_files, open_text_file
from flows.errors import BadInput

WESTERN_EUROPE = "cp1252"  # what Windows programs write when they do not write Unicode
NUMBER_COLUMNS: tuple[OrderLineColumn, ...] = ("amount", "unit_price", "quantity", "discount")


@dataclass(frozen=True)
class OrderLineMapping:
    """A connection's `order_lines` with every blank filled in: all that dbt's staging needs to know."""

    connection: str
    columns: Mapping[OrderLineColumn, str]
    timestamp_format: str
    timestamps_have_offset: bool
    number_format: NumberFormat
    timezone: str | None
    currency: str | None
    returns: Mapping[str, str] | None
    set_aside: Sequence[Mapping[str, str]]
    duplicates: str

    def as_dbt_variable(self) -> dict[str, Any]:
        """The value of dbt's variable `order_lines`."""
        return asdict(self)


@dataclass(frozen=True)
class Landing:
    """What landed: from files, or without any where Airbyte has brought the rows to the warehouse. `rows` and
    `unreadable` count records; headers are none."""

    files: tuple[Path, ...]
    rows: int
    unreadable: int
    mapping: OrderLineMapping
    notes: tuple[str, ...]


class _NotUtf8(Exception):
    def __init__(self, file: TextFile) -> None:
        self.file = file


def land_order_lines(
    con: duckdb.DuckDBPyConnection,
    pattern: str,
    connection: str,
    stream: OrderLines,
    recognised_headers: Mapping[OrderLineColumn, Sequence[str]],
    extracted_at: datetime,
    scratch: Path,
) -> Landing:
    """Replaces what the warehouse holds of a connection's order lines by the content of the files.

    `scratch` is a folder for UTF-8 copies of files in other encodings; the caller removes it.

    Writes `raw_<connection>.order_lines`, `raw.unreadable_lines` and `raw.landed_spans` (which file and line
    a row came from): all of them or, on any failure, none. Lines are counted as records, the header being 1.

    Raises:
        BadInput: naming file, line or column, and what to write in airbyte/connections.yml.
    """
    files = [open_text_file(file, scratch, stream.delimiter) for file in find_files(pattern)]
    _require_same_columns(files)
    columns = map_columns(files[0].header, stream.columns, recognised_headers, files[0].original, connection)
    while True:
        try:
            with _transaction(con):
                _create_tables(con, connection, files[0], extracted_at)
                for file in files:
                    _land_file(con, connection, file)
                rows, unreadable = _count(con, _text_table(connection)), _count(con, "raw.unreadable_lines")
                if not rows:
                    raise BadInput(f"{files[0].original} has a header and no readable line below it.")
                mapping = describe_order_lines(con, _text_table(connection), connection, stream, columns)
            break
        except _NotUtf8 as not_utf8:
            again = open_text_file(not_utf8.file.original, scratch, not_utf8.file.delimiter, WESTERN_EUROPE)
            files = [again if file is not_utf8.file else file for file in files]
    notes = dict.fromkeys(note for file in files for note in file.notes)  # in order, each once
    return Landing(
        files=tuple(file.original for file in files),
        rows=rows,
        unreadable=unreadable,
        mapping=mapping,
        notes=(*notes, *_what_was_recognised(stream, columns, files[0].header)),
    )


def _require_same_columns(files: Sequence[TextFile]) -> None:
    first = files[0]
    for file in files[1:]:
        if file.header != first.header:
            raise BadInput(
                f"{file.original} has other columns than {first.original}:\n  {', '.join(file.header)}\n"
                f"  {', '.join(first.header)}\nFiles read together need the same header; read the others on their own."
            )


@contextmanager
def _transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    con.execute("begin")
    try:
        yield
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")


def _create_tables(con: duckdb.DuckDBPyConnection, connection: str, file: TextFile, extracted_at: datetime) -> None:
    con.execute("create schema if not exists raw")
    con.execute(f'create schema if not exists "raw_{connection}"')
    columns = ", ".join(f"{quote(name)} varchar" for name in file.header)
    con.execute(f"create or replace table {_text_table(connection)} ({columns})")
    # numbering rows while reading halves the speed; DuckDB numbers them anyway, in the order of the file
    con.execute(
        f"""create or replace view {_table(connection)} as
        select *, lpad(cast(rowid as varchar), 12, '0') as _airbyte_raw_id,
            timestamptz '{extracted_at.isoformat()}' as _airbyte_extracted_at,
            '{{"changes":[]}}' as _airbyte_meta, 0::bigint as _airbyte_generation_id
        from {_text_table(connection)}"""
    )
    con.execute(
        """create or replace table raw.unreadable_lines (file varchar, line bigint, reason varchar, content varchar);
        create or replace table raw.landed_spans
            (file varchar, first_row bigint, last_row bigint, first_line bigint)"""
    )


def _land_file(con: duckdb.DuckDBPyConnection, connection: str, file: TextFile) -> None:
    path = str(file.readable).replace("'", "''")
    first_row = _count(con, _text_table(connection))
    con.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    con.execute(
        f"""insert into {_text_table(connection)}
        from read_csv('{path}', all_varchar = true, header = true, delim = '{file.delimiter}',
            quote = '"', escape = '"', store_rejects = true)"""
    )
    if _count(con, "reject_errors where error_type = 'INVALID ENCODING'"):
        raise _NotUtf8(file)
    con.execute(
        """insert into raw.unreadable_lines
        select ?, line, lower(any_value(error_type)), any_value(csv_line) from reject_errors group by line""",
        [file.original.name],
    )
    con.execute(
        """insert into raw.landed_spans
        with starts as (  -- rows follow each other from the first line on, and after every unreadable line
            select 2 as first_line, 0 as skipped
            union all
            select line + 1, row_number() over (order by line) from (select distinct line from reject_errors)
        )
        select $1, $2 + first_line - 2 - skipped as first_row,
            lead($2 + first_line - 2 - skipped, 1, $3) over (order by first_line) - 1 as last_row, first_line
        from starts
        qualify first_row <= last_row""",
        [file.original.name, first_row, _count(con, _text_table(connection))],
    )


def describe_order_lines(
    con: duckdb.DuckDBPyConnection,
    table: str,
    connection: str,
    stream: OrderLines,
    columns: Mapping[OrderLineColumn, str],
) -> OrderLineMapping:
    """What the columns of a table of text mean, with what the connection leaves open found from the values.

    Raises:
        BadInput: when they can be read in two ways; the message says what to write in airbyte/connections.yml.
    """
    timestamp_format, has_offset = find_timestamp_format(con, table, columns["ordered_at"], stream.timestamp_format)
    numbers = [columns[name] for name in NUMBER_COLUMNS if name in columns]
    return OrderLineMapping(
        connection=connection,
        columns=columns,
        timestamp_format=timestamp_format,
        timestamps_have_offset=has_offset,
        number_format=find_number_format(con, table, numbers, stream.decimal),
        timezone=stream.timezone,
        currency=stream.currency,
        returns=stream.returns.model_dump() if stream.returns else None,
        set_aside=[rule.model_dump() for rule in stream.set_aside],
        duplicates=stream.duplicates,
    )


def _what_was_recognised(
    stream: OrderLines, columns: Mapping[OrderLineColumn, str], header: Sequence[str]
) -> Iterator[str]:
    if stream.columns:
        return
    renamed = [f"{theirs} as {ours}" for ours, theirs in columns.items() if theirs != ours]
    if renamed:
        yield "recognised " + ", ".join(renamed)
    unused = [name for name in header if name not in columns.values()]
    if unused:
        yield "did not use " + ", ".join(unused)


def _table(connection: str) -> str:
    return f'"raw_{connection}".order_lines'


def _text_table(connection: str) -> str:
    return f'"raw_{connection}".order_lines_as_text'


def _count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = con.execute(f"select count(*) from {relation}").fetchone()
    assert row is not None  # count(*) always yields a row
    return int(row[0])
