"""Of several columns whose headers say the same, the one that holds it: a header alone may name an empty column."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from flows.adapters.duckdb.sql import quote
from flows.adapters.files.reading.tables.text_rows import TextRows
from flows.sources.connections import Column
from flows.sources.mappings import TIMESTAMP_COLUMNS
from flows.sources.words import plain

Name = TypeVar("Name", bound=Column)

NUMBERS = ("amount", "order_total", "unit_price", "quantity", "discount", "refunded_amount")
# a column with less of what is meant than this share of what another one has of it is passed over
MIN_SHARE = 0.5
# … but who a customer is, is not changed for their address because many are guests
MIN_SHARE_OF_IDS = 0.05


def fuller_columns(
    rows: TextRows, header: Sequence[str], columns: Mapping[Name, str], recognised: Mapping[Name, Sequence[str]]
) -> tuple[dict[Name, str], list[str]]:
    """Our column name → header, with the first recognised header of `header` that is not nearly empty; and what was
    passed over, in words."""
    choices = {ours: _choices(ours, header, columns, recognised) for ours in columns}
    asked = [(ours, theirs) for ours, several in choices.items() if len(several) > 1 for theirs in several]
    if not asked:
        return dict(columns), []
    counted = ", ".join(f"count(*) filter ({_holds(ours, theirs)})" for ours, theirs in asked)
    row = rows.con.execute(f"select {counted} from {rows.table}").fetchone()
    assert row is not None  # an aggregate always yields a row
    held = dict(zip(asked, row, strict=True))
    chosen, notes = dict(columns), []
    for ours, several in choices.items():
        if len(several) < 2:
            continue
        fullest = max(held[ours, theirs] for theirs in several)
        share = MIN_SHARE_OF_IDS if ours == "customer_id" else MIN_SHARE
        chosen[ours] = next(theirs for theirs in several if held[ours, theirs] >= share * fullest)
        if chosen[ours] != columns[ours]:
            notes.append(f"{columns[ours]} is nearly empty: {chosen[ours]} is {ours}")
    return chosen, notes


def _holds(ours: str, theirs: str) -> str:
    """SQL of whether a column holds what is meant."""
    value = quote(theirs)
    if ours in TIMESTAMP_COLUMNS:
        return f"regexp_matches({value}, '[0-9]{{4}}|[0-9][./-][0-9]|[[:alpha:]]{{3}}')"
    return f"regexp_matches({value}, '[0-9]')" if ours in NUMBERS else f"trim({value}) <> ''"


def _choices(
    ours: Name, header: Sequence[str], columns: Mapping[Name, str], recognised: Mapping[Name, Sequence[str]]
) -> list[str]:
    """The mapped header, and the recognised ones behind it that are of no other column."""
    by_plain_name = {plain(name): name for name in reversed(header)}
    known = [by_plain_name[plain(name)] for name in recognised.get(ours, ()) if plain(name) in by_plain_name]
    taken = {theirs for other, theirs in columns.items() if other != ours}
    return list(dict.fromkeys((columns[ours], *(name for name in known if name not in taken))))
