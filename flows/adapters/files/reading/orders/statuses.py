"""Which values of a file's columns make a line a sale, a return, or neither."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
from pydantic import BaseModel

from flows.adapters.duckdb.sql import quote
from flows.adapters.files.reading.questions import Answer, Unclear
from flows.adapters.files.reading.tables.text_rows import TextRows
from flows.sources.connections import Flags, LineTypes, OrderLineColumn, OrderLines, RecognisedValues
from flows.sources.connections import Statuses as StatusValues
from flows.sources.words import sort_values

MAX_VALUES = 200
# whose values all have to be known; what a parcel does says little about the sale
_STRICT: tuple[OrderLineColumn, ...] = ("status", "payment_status")
_SIGNED: tuple[OrderLineColumn, ...] = ("amount", "order_total", "quantity", "unit_price")
_LENIENT: OrderLineColumn = "fulfilment_status"
_FLAGS: tuple[OrderLineColumn, ...] = ("is_cancelled", "is_test", "is_paid")


@dataclass(frozen=True)
class Statuses:
    """`columns` without those that turned out to say something else. Of each status column `sold`, the values of sales,
    and `refunded`, those of orders given back in full: sales if the refunded amount says how much was given back.
    `given_back`: where rows are changes of an order, the values of rows that give back what earlier rows sold.
    `line_types`: the values of `line_type`, by what they make a line."""

    columns: Mapping[OrderLineColumn, str]
    sold: Mapping[OrderLineColumn, Sequence[str]] = field(default_factory=dict)
    refunded: Mapping[OrderLineColumn, Sequence[str]] = field(default_factory=dict)
    given_back: Mapping[OrderLineColumn, Sequence[str]] = field(default_factory=dict)
    line_types: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def find_statuses(
    rows: TextRows,
    last: TextRows,
    columns: Mapping[OrderLineColumn, str],
    stream: OrderLines,
    recognised: RecognisedValues,
    is_declared: bool,
    inherited: Sequence[OrderLineColumn] = (),
) -> Statuses:
    """What the values of a table's status columns mean. `last`: of an order whose rows are its changes, the row that
    says how it ended; else the same rows. `is_declared`: the columns are those that somebody wrote down.
    `inherited`: those whose blanks have the value of another line.

    Raises:
        Unclear: naming values that nobody has listed, and how often they stand there.
    """
    con, table = rows.con, rows.table
    found = dict(columns)
    notes: list[str] = []
    sold: dict[OrderLineColumn, Sequence[str]] = {}
    refunded: dict[OrderLineColumn, Sequence[str]] = {}
    given_back: dict[OrderLineColumn, Sequence[str]] = {}
    line_types = _line_types(con, table, found, stream, recognised, is_declared)
    there = [name for name in (*_STRICT, _LENIENT, *_FLAGS) if name in found]
    is_log = last != rows
    gives_back = bool(there) and (
        is_log or "refunded_amount" in found or bool(line_types.get("returns")) or _has_negative(con, table, found)
    )
    for name in there:
        counts = _values(con, table, found[name])
        known = _as_statuses(name, recognised.flag) if name in _FLAGS else recognised.status
        meanings = sort_values(counts, stream.status, known)
        if is_log:
            counts = _values(con, last.table, found[name])  # what an order was before it ended says nothing
            if "refunded_amount" not in found:
                given_back[name] = [value for value, meaning in meanings.items() if meaning == "refunded"]
        unknown = {value: counts[value] for value, meaning in meanings.items() if meaning is None and value in counts}
        is_unknown = len(unknown) == len(counts) and not (is_declared and name in _FLAGS)
        if len(counts) > MAX_VALUES or (name not in _STRICT and is_unknown):
            if is_declared and len(counts) > MAX_VALUES:
                raise Unclear(f"The column {found[name]!r} has more than {MAX_VALUES} values: it is no {name}.", [])
            header = found.pop(name)
            if name == "is_cancelled" and counts and not _is_never_blank(con, table, header):
                found.setdefault("cancelled_at", header)  # the day, or why
            continue
        if unknown and name != _LENIENT:
            raise _question(name, found[name], unknown, "status", stream.status, "not_sold")
        if name == "is_paid" and "not_sold" not in meanings.values() and not _is_never_blank(con, table, found[name]):
            raise Unclear(
                f"The column {found[name]!r} is blank in some lines, which may be unpaid or paid otherwise. Take those"
                " out of the file that are no sales.",
                [Answer("columns", {ours: theirs for ours, theirs in found.items() if ours != name}, "all are sales")],
            )
        counted = {"sold", "partly_refunded", *(() if is_log and name in _STRICT else (None,))}
        if gives_back and "refunded_amount" not in found:
            counted.add("refunded")  # rows of their own give it back
        sold[name] = [value for value, meaning in meanings.items() if meaning in counted]
        if "refunded_amount" in found:
            refunded[name] = [value for value, meaning in meanings.items() if meaning == "refunded"]
        counting = [value for value in (*sold[name], *refunded.get(name, ())) if value in counts]
        notes += _what_counts(found[name], counts, meanings, counting, gives_back)
        if name in _STRICT and name not in inherited and (blank := _blanks(con, table, found[name])):
            notes.append(f"{found[name]} is blank in {blank:,} lines, which count as sold")
    if "cancelled_at" in found and _is_never_blank(con, table, found["cancelled_at"]):
        del found["cancelled_at"]  # a time at which an order can be cancelled, or the like
    return Statuses(found, sold, refunded, given_back, line_types, tuple(notes))


def _as_statuses(name: OrderLineColumn, flag: Flags) -> StatusValues:
    sold, not_sold = (flag.yes, flag.no) if name == "is_paid" else (flag.no, flag.yes)
    return StatusValues(sold=sold, not_sold=not_sold)


def _line_types(
    con: duckdb.DuckDBPyConnection,
    table: str,
    columns: dict[OrderLineColumn, str],
    stream: OrderLines,
    recognised: RecognisedValues,
    is_declared: bool,
) -> dict[str, Sequence[str]]:
    if "line_type" not in columns:
        return {}
    header = columns["line_type"]
    counts = _values(con, table, header)
    meanings = sort_values(counts, stream.line_type, recognised.line_type)
    unknown = {value: counts[value] for value, meaning in meanings.items() if meaning is None}
    if len(unknown) == len(counts) and not is_declared:
        del columns["line_type"]  # a type of something else
        return {}
    if unknown:
        raise _question("line_type", header, unknown, "line_type", stream.line_type, "other")
    types: dict[str, Sequence[str]] = {
        kind: [value for value, meaning in meanings.items() if meaning == kind] for kind in LineTypes.model_fields
    }
    payments = types.pop("payments")
    paid_for = "other" if types["sales"] else "sales"
    types[paid_for] = [*types[paid_for], *payments]
    return types


def _question(
    name: OrderLineColumn, header: str, unknown: Mapping[str, int], key: str, declared: BaseModel, instead: str
) -> Unclear:
    shown = sorted(unknown, key=lambda value: -unknown[value])[:20]
    counted = ", ".join(f"{value!r} ({unknown[value]:,} lines)" for value in shown)
    known = {each: list(values) for each, values in declared if values}
    counts = next(iter(type(declared).model_fields))
    answers = [
        Answer(key, known | {each: [*known.get(each, ()), *shown]}, meaning)
        for each, meaning in ((counts, "they all count"), (instead, "none of them does"))
    ]
    lists = ", ".join(type(declared).model_fields)
    return Unclear(
        f"The column {header!r} was taken for {name}, and it is not known what some of its values mean: {counted}."
        f" Sort them into lists ({lists}), or write `columns` without {name} if it says something else.",
        answers,
    )


def _what_counts(
    header: str,
    counts: Mapping[str, int],
    meanings: Mapping[str, str | None],
    sold: Sequence[str],
    gives_back: bool,
) -> Sequence[str]:
    def listed(values: Sequence[str]) -> str:
        return ", ".join(f"{value} ({counts[value]:,})" for value in values)

    left_out = [value for value in counts if value not in sold]
    less = ", less what was given back" if any("refunded" in (meanings[value] or "") for value in sold) else ""
    notes = [f"lines that count by {header}: {listed(sold) or 'none'}{less}"]
    if left_out:
        notes = [f"{notes[0]}; that do not: {listed(left_out)}"]
    partly = [value for value in sold if meanings[value] == "partly_refunded"]
    if partly and not gives_back:
        notes.append(f"{listed(partly)}: no column says how much was given back, so these count in full")
    return notes


def _values(con: duckdb.DuckDBPyConnection, table: str, header: str) -> dict[str, int]:
    """Each value that a column has, the most frequent first, and in how many lines; not more than are looked at."""
    column = quote(header)
    return dict(
        con.execute(
            f"""select trim({column}) as value, count(*) as lines from {table} where trim({column}) <> ''
            group by value order by lines desc, value limit {MAX_VALUES + 1}"""
        ).fetchall()
    )


def _has_negative(con: duckdb.DuckDBPyConnection, table: str, columns: Mapping[OrderLineColumn, str]) -> bool:
    names = [columns[name] for name in _SIGNED if name in columns]
    test = " or ".join(rf"regexp_matches({quote(name)}, '^\W*[-−–(]|[^.,-]-\s*$')" for name in names)
    return bool(con.execute(f"select 1 from {table} where {test} limit 1").fetchone())


def _blanks(con: duckdb.DuckDBPyConnection, table: str, header: str) -> int:
    found = con.execute(f"select count(*) from {table} where coalesce(trim({quote(header)}), '') = ''").fetchone()
    assert found is not None  # count(*) always yields a row
    return int(found[0])


def _is_never_blank(con: duckdb.DuckDBPyConnection, table: str, header: str) -> bool:
    return not con.execute(f"select 1 from {table} where coalesce(trim({quote(header)}), '') = '' limit 1").fetchone()
