"""How each column of a table of text writes moments, file by file where its files do not write alike."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import get_args

from flows.adapters.duckdb.sql import literal, quote
from flows.adapters.files.reading.dates.shapes import (
    MAX_OTHERS,
    ORDERS,
    Fit,
    Order,
    Rewrite,
    choose_order,
    has_offset,
    kind_of,
    main_kinds,
    meanings_of,
    month_format,
    readings,
    rewrites_for,
    rewritten,
)
from flows.adapters.files.reading.dates.sql import moment_sql
from flows.adapters.files.reading.questions import Answer, Unclear
from flows.adapters.files.reading.tables.text_rows import File, TextRows, pooled
from flows.errors import BadInput
from flows.sources.mappings import ISO, OFFSETS, TimestampFormat

EARLIEST = date(1990, 1, 1)  # as dbt's staging rejects what is earlier
_ANY_DIGIT = "012345678"
_SAMPLE = 50_000
_ISO_VALUE = r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?"


class _Mixed(Exception):
    """Values of one column that no single order of day and month fits."""


@dataclass(frozen=True)
class _Column:
    rows: TextRows
    name: str
    latest: date

    @property
    def value(self) -> str:
        return f"trim({quote(self.name)})"


def find_timestamp_formats(
    rows: TextRows, column: str, declared: str | None, read_on: date
) -> dict[File, TimestampFormat]:
    """File → how it writes the moments of a column. `declared`: an order of day and month, or a format. Dates are
    plausible from 1990 until the day after `read_on`.

    Raises:
        BadInput: when all values are blank.
        Unclear: when no format fits most values, or two fit equally well and mean different days.
    """
    column_ = _Column(rows, column, read_on + timedelta(days=1))
    seen = rows.by_file(
        f"count(*) filter ({column_.value} <> ''), count(*) filter (regexp_full_match({column_.value}, '{_ISO_VALUE}'))"
    )
    if not sum(values for values, _ in seen.values()):
        raise BadInput(f"The column {column!r} holds no dates: every value is blank.")
    order = next((order for order in get_args(Order) if order == declared), None)
    if declared and order is None:
        return dict.fromkeys(seen, _declared(column_, declared))
    if all(values == iso for values, iso in seen.values()):
        return dict.fromkeys(seen, TimestampFormat())
    if found := _from_sample(column_, order, sum(values for values, _ in seen.values())):
        return dict.fromkeys(seen, found)
    shapes = rows.shapes(column, _ANY_DIGIT)
    try:
        found = _read(column_, pooled(shapes), order)
        if all(_fits_most(found, of_file) for of_file in shapes.values()):
            return dict.fromkeys(seen, found)
    except _Mixed:
        pass
    return {file: _read_file(column_, file, shapes.get(file, {}), order) for file in seen}


def _fits_most(form: TimestampFormat, shapes: Mapping[str, int]) -> bool:
    """Whether nearly all values of a file are of shapes that the format reads."""
    fits = sum(
        count for example, count in shapes.items() if set(meanings_of(example, form.rewrites)) & set(form.formats)
    )
    return fits >= (1 - MAX_OTHERS) * sum(shapes.values())


def _from_sample(column: _Column, order: Order | None, values: int) -> TimestampFormat | None:
    """Of a long column, the format that a sample has, if all values can be read in it; else all are looked at."""
    if values < 20 * _SAMPLE:
        return None
    percent = 100 * _SAMPLE / values
    sample = replace(
        column.rows,
        table=f"(select {quote(column.name)} from {column.rows.table} using sample {percent} percent (system, 1))",
        file_column=None,
    )
    try:
        shapes = pooled(sample.shapes(column.name, _ANY_DIGIT))
        found = _read(replace(column, rows=sample), shapes, order) if shapes else None
    except (_Mixed, Unclear):
        return None
    is_unread = f"{column.value} <> '' and {moment_sql(column.value, found)} is null" if found else "true"
    return None if _example(column, is_unread) else found


def _read_file(column: _Column, file: File, shapes: Mapping[str, int], order: Order | None) -> TimestampFormat:
    if not shapes:  # all blank
        return TimestampFormat()
    name = column.rows.file
    where = f"{name} is null" if file is None else f"{name} = {literal(file)}"
    of_file = replace(column, rows=replace(column.rows, table=f"(from {column.rows.table} where {where})"))
    try:
        return _read(of_file, shapes, order)
    except _Mixed:
        problem = (
            "are written in several ways, as if a spreadsheet had changed some of them: export them again, or choose"
        )
        raise _question(of_file, problem, _by_order(shapes), rewrites_for(shapes)) from None
    except Unclear as unclear:
        raise Unclear(f"{file}: {unclear.problem}", unclear.answers) from None


def _read(column: _Column, shapes: Mapping[str, int], order: Order | None) -> TimestampFormat:
    rewrites = rewrites_for(shapes)
    meanings = {example: readings(rewritten(example, rewrites)) for example in shapes}
    kinds = main_kinds({example: (meanings[example], count) for example, count in shapes.items()})
    if order is None and kinds == {"exchangeable", "plain"}:
        raise _Mixed  # what a spreadsheet took for dates has become others, perhaps with day and month exchanged
    kept = sorted((e for e in shapes if kind_of(meanings[e]) in kinds), key=lambda example: -shapes[example])
    if order is None and "exchangeable" in kinds:
        order = _order(column, _by_order(kept), rewrites)
    formats = [meanings[example].get(None) or meanings[example].get(order) for example in kept]
    found = TimestampFormat(
        tuple(dict.fromkeys(form for form in formats if form)),
        rewrites,
        any(has_offset(rewritten(example, rewrites)) for example in kept),
    )
    odd = max(
        (e for e in shapes if e not in kept), key=lambda example: shapes[example], default=kept[0] if kept else ""
    )
    _require_plausible(column, found, odd)
    return found


def _by_order(shapes: Iterable[str]) -> dict[Order, list[str]]:
    """Order → the formats of values whose day and month may be exchanged."""
    rewrites = rewrites_for(shapes)
    exchangeable = [meaning for e in shapes if len(meaning := readings(rewritten(e, rewrites))) > 1]
    return {
        order: list(dict.fromkeys(meaning[order] for meaning in exchangeable if order in meaning)) for order in ORDERS
    }


def _order(column: _Column, formats: Mapping[Order, Sequence[str]], rewrites: Sequence[Rewrite]) -> Order:
    moments = {
        order: moment_sql(column.value, TimestampFormat(of_order, rewrites, has_offset=True))
        for order, of_order in formats.items()
        if of_order
    }
    among = (
        f"(select {', '.join(f'{moment} as {order}' for order, moment in moments.items())} from {column.rows.table})"
    )
    fitting = {order: f"filter ({order} between '{EARLIEST}' and '{column.latest}')" for order in moments}
    counted = ", ".join(
        f"count(*) {fits}, coalesce(datediff('day', min({order}) {fits}, max({order}) {fits}), 0)"
        for order, fits in fitting.items()
    )
    any_fits = " or ".join(f"{order} between '{EARLIEST}' and '{column.latest}'" for order in moments)
    row = column.rows.con.execute(f"select count(*) filter ({any_fits}), {counted} from {among}").fetchone()
    assert row is not None  # an aggregate always yields a row
    total, *counts = row
    if not total:  # which is refused with what to do
        return next(iter(moments))
    fits = dict.fromkeys(ORDERS, Fit(0, 0))
    fits |= {order: Fit(*counts[2 * n : 2 * n + 2]) for n, order in enumerate(moments)}
    chosen = choose_order(fits, total, all("." in form for of in formats.values() for form in of))
    if chosen == "mixed":
        raise _Mixed
    if chosen == "either":
        possible = {order: formats[order] for order, fit in fits.items() if fit.values == total and formats[order]}
        raise _question(column, "can be read in two ways", possible, rewrites)
    return chosen


def _question(
    column: _Column, problem: str, formats: Mapping[Order, Sequence[str]], rewrites: Sequence[Rewrite]
) -> Unclear:
    """With an example that means another day in each order."""
    possible = {order: TimestampFormat(of, rewrites, True) for order, of in formats.items() if of}
    first, second = [moment_sql(column.value, form) for form in list(possible.values())[:2]]
    example = _example(column, f"{first} <> {second}") or _example(column, f"{first} is not null")
    days = {
        order: column.rows.con.execute(f"select cast({moment_sql(literal(example), form)} as date)").fetchone()
        for order, form in possible.items()
    }
    return Unclear(
        f"The dates in column {column.name!r}, such as {example!r}, {problem}.",
        [
            Answer("timestamp_format", order, f"{example} is {_spelt(day[0])}")
            for order, day in days.items()
            if day and day[0]
        ],
    )


def _example(column: _Column, where: str) -> str:
    row = column.rows.con.execute(f"select min({column.value}) from {column.rows.table} where {where}").fetchone()
    return str(row[0]) if row and row[0] is not None else ""


def _spelt(day: date | datetime) -> str:
    return f"{day.day} {day:%B %Y}"


def _declared(column: _Column, declared: str) -> TimestampFormat:
    with_offset = "%z" in declared or (
        declared == ISO
        and bool(_example(column, f"regexp_matches({column.value}, ':\\d\\d.*(Z|UTC|[+-]\\d\\d(:?\\d\\d)?)$')"))
    )
    form = declared.replace(" %z", "").replace("%z", "")
    found = TimestampFormat((form,), OFFSETS if with_offset else (), with_offset)
    _require_plausible(column, found, _example(column, f"{moment_sql(column.value, found)} is null"))
    return found


def _require_plausible(column: _Column, form: TimestampFormat, example: str) -> None:
    """Raises `Unclear` where most of the column is no plausible date in the format."""
    plausible_dates = f"between '{EARLIEST}' and '{column.latest + timedelta(days=730)}'"
    row = column.rows.con.execute(
        f"""select count(*), count(*) filter ({moment_sql("written", form)} {plausible_dates}) from (
            select {column.value} as written from {column.rows.table} where {column.value} <> ''
            using sample reservoir(20000 rows) repeatable (1)
        )"""
    ).fetchone()
    assert row is not None  # an aggregate always yields a row
    values, plausible = row
    if plausible < values / 2:
        month = month_format(rewritten(example, form.rewrites))
        if month is not None:
            raise Unclear(
                f"The dates in column {column.name!r}, such as {example!r}, name a month and no day. Churn is told by"
                " days: export the orders with the day of each, or name another column.",
                [Answer("timestamp_format", month, "all orders of a month on its first day")] if month else [],
            )
        raise Unclear(
            f"The dates in column {column.name!r} were not understood, for example {example!r}. Write their format in"
            " strptime codes, or name another column.",
            [Answer("timestamp_format", "%d/%m/%Y %H:%M", "for example")],
        )
