"""The raw tables that files land in, as Airbyte makes them: rows as text, what could not be read, and its lines."""

from collections.abc import Sequence
from datetime import datetime

import duckdb

from flows.adapters.duckdb.sql import literal, only_row, quote
from flows.adapters.files.reading.columns.of_files import all_columns
from flows.adapters.files.reading.tables.text_files import MAX_LINE_BYTES, WESTERN_EUROPE, TextFile
from flows.adapters.files.reading.tables.text_rows import FILE_COLUMN
from flows.errors import BadInput
from flows.sources.mappings import Kind

# of each kind, where records stand that could not be read, and which rows come from which lines
UNREADABLE = {
    "order_lines": "raw.unreadable_lines",
    "contacts": "raw.unreadable_contacts",
    "products": "raw.unreadable_products",
}
SPANS = {
    "order_lines": "raw.landed_spans",
    "contacts": "raw.landed_contact_spans",
    "products": "raw.landed_product_spans",
}


class NeedsCopy(Exception):
    """A file that DuckDB reads only as a copy from this `encoding`, with one kind of line ends."""

    def __init__(self, file: TextFile, encoding: str) -> None:
        self.file, self.encoding = file, encoding


def create_tables(
    con: duckdb.DuckDBPyConnection, connection: str, kind: Kind, files: Sequence[TextFile], extracted_at: datetime
) -> None:
    """Empty ones, with the columns of all files."""
    con.execute(f'create schema if not exists "raw_{connection}"')
    columns = ", ".join(f"{quote(name)} varchar" for name in (*all_columns(files), FILE_COLUMN))
    con.execute(f"create or replace table {text_table(connection, kind)} ({columns})")
    # numbering rows while reading halves the speed; DuckDB numbers them anyway, in the order of the file
    con.execute(
        f"""create or replace view "raw_{connection}".{kind} as
        select *, lpad(cast(rowid as varchar), 12, '0') as _airbyte_raw_id,
            timestamptz '{extracted_at.isoformat()}' as _airbyte_extracted_at,
            '{{"changes":[]}}' as _airbyte_meta, 0::bigint as _airbyte_generation_id
        from {text_table(connection, kind)}"""
    )
    con.execute(
        f"""create schema if not exists raw;
        create or replace table {UNREADABLE[kind]} (file varchar, line bigint, reason varchar, content varchar);
        create or replace table {SPANS[kind]} (file varchar, first_row bigint, last_row bigint, first_line bigint)"""
    )


def insert_file(con: duckdb.DuckDBPyConnection, connection: str, kind: Kind, file: TextFile, name: str) -> None:
    """Adds its rows, what could not be read of it, and which lines its rows are from.

    Raises:
        BadInput: when the file cannot be read.
        NeedsCopy: when only a copy of it can.
    """
    first_row = count_rows(con, text_table(connection, kind))
    con.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    if file.typed:  # what is no CSV is read whole or not at all
        con.execute("create temp table reject_errors (line bigint, error_type varchar, csv_line varchar)")
    try:
        con.execute(
            f"insert into {text_table(connection, kind)} by name"
            f" select *, {literal(name)} as {FILE_COLUMN} from {file.relation}"
        )
    except duckdb.InvalidInputException as error:
        if file.typed is None and not file.is_copy:  # the usual cause is that its lines end in different ways
            raise NeedsCopy(file, "utf-8") from None
        raise BadInput(_why_unreadable(file, error)) from None
    if count_rows(con, "reject_errors where error_type = 'INVALID ENCODING'"):
        raise NeedsCopy(file, WESTERN_EUROPE)
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
        [file.original.name, first_row, count_rows(con, text_table(connection, kind)), file.first_line],
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


def text_table(connection: str, kind: Kind) -> str:
    return f'"raw_{connection}".{kind}_as_text'


def count_rows(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(only_row(con.execute(f"select count(*) from {relation}"))[0])
