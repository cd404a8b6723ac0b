"""How a file writes dates and numbers, from a sample of its values."""

from typing import Any

import duckdb

from flows.adapters.duckdb.sql import quote
from flows.errors import BadInput
from flows.sources.mappings import ISO, NumberFormat

_DAYS_FIRST = ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y")
_MONTHS_FIRST = ("%m/%d/%Y", "%m.%d.%Y", "%m-%d-%Y", "%m/%d/%y")
_YEARS_FIRST = ("%Y/%m/%d", "%Y.%m.%d", "%Y%m%d")
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S")
TIMESTAMP_FORMATS = tuple(day + time for day in (*_YEARS_FIRST, *_DAYS_FIRST, *_MONTHS_FIRST) for time in _TIMES)

# characters that numbers are dressed up with; they mean nothing once the decimal sign is known
_NOISE = " \u00a0\u202f'£$€¥"
# as dbt's staging reads offsets, macros/dialect/parse_timestamp.sql; a date without a time has none
_PLAIN = (
    r"regexp_replace(regexp_replace(written, '(:\d\d(?:\.\d+)?)\s*([+-]\d\d)$', '\1\2:00'),"
    r" '(:\d\d(?:\.\d+)?)\s*([+-]\d\d):?(\d\d)$', '\1\2:\3')"
)
_SAMPLE = "using sample reservoir(20000 rows) repeatable (1)"


def find_timestamp_format(
    con: duckdb.DuckDBPyConnection, table: str, column: str, declared: str | None
) -> tuple[str, bool]:
    """(strptime format or "iso", whether any value carries a UTC offset) of a text column.

    A declared format is taken at its word.

    Raises:
        BadInput: when no format fits most values, or two fit equally well and mean different days.
    """
    quoted = quote(column)
    con.execute(
        f"create or replace temp table dates as select trim({quoted}) as written from"
        f" (select {quoted} from {table} where trim({quoted}) <> '' {_SAMPLE})"
    )
    total, iso, offsets, example = _row(
        con.execute(
            f"select count(*), count(coalesce(try_cast(written as timestamp), try_cast({_PLAIN} as timestamptz))),"
            r" count_if(regexp_matches(written, ':\d\d(\.\d+)?\s*(Z|UTC|[+-]\d\d(:?\d\d)?)$')), min(written) from dates"
        )
    )
    if not total:
        raise BadInput(f"The column {column!r} holds no dates: every value is blank.")
    if declared:
        return declared, declared == ISO and offsets > 0
    if iso == total:  # no other format can fit more, and trying them takes a second
        return ISO, offsets > 0
    tests = ", ".join(f"count(try_strptime(written, '{fmt}'))" for fmt in TIMESTAMP_FORMATS)
    counts = _row(con.execute(f"select {tests} from dates"))
    best = max(iso, *counts)
    if best < total / 2:
        raise BadInput(
            f"The dates in column {column!r} were not understood, for example {example!r}. Write their format in"
            ' airbyte/connections.yml, for example timestamp_format: "%d/%m/%Y %H:%M".'
        )
    if iso == best:
        return ISO, offsets > 0
    fits = [fmt for fmt, count in zip(TIMESTAMP_FORMATS, counts, strict=True) if count == best]
    if len(fits) > 1:
        fits = _tell_apart(con, table, quoted, fits)
    if len(fits) > 1:
        raise BadInput(
            f"The dates in column {column!r}, such as {example!r}, can be read in two ways:"
            f" {' or '.join(fits)}. Write the right one in airbyte/connections.yml as timestamp_format."
        )
    return fits[0], False


def _tell_apart(con: duckdb.DuckDBPyConnection, table: str, quoted: str, formats: list[str]) -> list[str]:
    tests = ", ".join(f"count(try_strptime(trim({quoted}), '{fmt}'))" for fmt in formats)
    counts = _row(con.execute(f"select {tests} from {table}"))
    return [fmt for fmt, count in zip(formats, counts, strict=True) if count == max(counts)]


def find_number_format(
    con: duckdb.DuckDBPyConnection, table: str, columns: list[str], decimal: str | None
) -> NumberFormat:
    """How the given text columns write numbers; `decimal` is "point", "comma" or None for: find out.

    Raises:
        BadInput: when a comma or point may be a decimal sign or a thousands separator.
    """
    written = " union all ".join(
        f"select translate({quote(c)}, '{_NOISE.replace(chr(39), chr(39) * 2)}', '') as n, {quote(c)} as w"
        f" from (select {quote(c)} from {table} {_SAMPLE})"
        for c in columns
    )
    point = r"^[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?$"
    comma = r"^[+-]?(\d{1,3}(\.\d{3})+|\d+)?(,\d+)?$"
    only_point, only_comma, both, dressed, example = _row(
        con.execute(
            f"""select
                count_if(n like '%.%' and regexp_matches(n, '{point}') and not regexp_matches(n, '{comma}')),
                count_if(n like '%,%' and regexp_matches(n, '{comma}') and not regexp_matches(n, '{point}')),
                count_if(
                    (n like '%,%' or n like '%.%') and regexp_matches(n, '{point}') and regexp_matches(n, '{comma}')
                ),
                count_if(n like '%,%' or n <> w),
                min(w) filter (n like '%,%' or n like '%.%')
            from ({written})"""
        )
    )
    if decimal is None and both and not only_point and not only_comma and dressed:
        raise BadInput(
            f"The numbers in {', '.join(columns)}, such as {example!r}, may use a comma or a point as decimal sign."
            " Write decimal: point or decimal: comma in airbyte/connections.yml."
        )
    if (decimal or ("comma" if only_comma > only_point else "point")) == "comma":
        return NumberFormat(",." + _NOISE, ".")
    return NumberFormat("," + _NOISE, "") if dressed else NumberFormat()


def _row(result: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    row = result.fetchone()
    assert row is not None  # an aggregate always yields a row
    return tuple(row)
