"""Which columns of a file may be the ones that were not recognised, by what their values look like."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from flows.adapters.duckdb.sql import literal, quote
from flows.adapters.files.reading.tables.text_files import TextFile

ROWS_LOOKED_AT = 5_000
MAX_CANDIDATES = 4

_DATE = (
    r"(\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}[. -]+[[:alpha:]]{3,}"
    r"|[[:alpha:]]{3,9}\.? +\d{1,2},? +\d{4}).*"
)
_CODE = r"([A-Za-z]{3})?"  # of a currency
_NUMBER = rf"{_CODE}\W{{0,3}}\d[\d.,' \x{{a0}}]*\W{{0,3}}{_CODE}"
_FRACTION = rf".*\d[.,]\d{{1,2}}\W{{0,3}}{_CODE}"


@dataclass(frozen=True)
class Seen:
    """A column as its first rows show it. `filled` and `different` count values, the shares are of these."""

    header: str
    filled: int
    different: int
    example: str
    dates: float
    numbers: float
    fractions: float
    emails: float


def look_at(con: duckdb.DuckDBPyConnection, file: TextFile) -> list[Seen]:
    """What the values of each column look like, in the file's order."""
    con.execute(f"create or replace temp table looked_at as from {file.relation} limit {ROWS_LOOKED_AT}")
    seen = []
    for header in file.header:
        value = f"trim({quote(header)})"
        share = f"count(*) filter (regexp_full_match({value}, {{}})) / greatest(count(*), 1)"
        row = con.execute(
            f"""select count(*), count(distinct {value}), coalesce(min_by({value}, rowid), ''),
                {share.format(literal(_DATE))}, {share.format(literal(_NUMBER))}, {share.format(literal(_FRACTION))},
                count(*) filter ({value} like '%_@_%') / greatest(count(*), 1)
            from looked_at where {value} <> ''"""
        ).fetchone()
        assert row is not None  # an aggregate always yields a row
        seen.append(Seen(header, *row))
    return seen


def candidates(seen: Sequence[Seen], ours: str) -> list[Seen]:
    """The columns that may be the one we call `ours`, likeliest first."""
    fits, rank = _FITS.get(ours, (lambda _: False, lambda _: 0))
    return sorted(filter(fits, seen), key=rank)[:MAX_CANDIDATES]


def _is_date(column: Seen) -> bool:
    return column.dates >= 0.8


def _is_address(column: Seen) -> bool:
    return column.emails >= 0.5


def _is_amount(column: Seen) -> bool:
    return column.numbers >= 0.8 and column.different > 1 and not _is_date(column)


def _is_customer(column: Seen) -> bool:
    """Whether values come back, as customers do, and there are as many as customers are."""
    comes_back = column.different >= 5 and 0.02 * column.filled < column.different < column.filled
    return _is_address(column) or (comes_back and not column.fractions and not _is_date(column))


# our column → whether another may be it, and what sorts those
_FITS: Mapping[str, tuple[Callable[[Seen], bool], Callable[[Seen], Any]]] = {
    "ordered_at": (_is_date, lambda column: -column.filled),
    "amount": (_is_amount, lambda column: (-column.fractions, -column.different)),
    "email": (_is_address, lambda column: -column.emails),
    "customer_id": (_is_customer, lambda column: (not _is_address(column), -column.different)),
}
