"""Columns that nothing was read from, and that look as if they said which lines are no sales."""

import re
from collections.abc import Mapping, Sequence

from flows.adapters.duckdb.sql import quote
from flows.adapters.files.reading.questions import Answer, Unclear
from flows.adapters.files.reading.tables.text_rows import TextRows
from flows.sources.connections import OrderLineColumn
from flows.sources.words import spaced

MAX_VALUES = 20
MAX_SHOWN = 5
_STATUSES: tuple[OrderLineColumn, ...] = ("status", "payment_status", "fulfilment_status")
# what takes a sale back, whatever the values are
_NO_SALE = re.compile(
    r"\bcancel(l?ed|lations?)?\b|storn|\bann?ul|\bvoid|\brefund(s|ed)?\b|\breturn(s|ed)?\b|\bretour|\bruck(gabe|send|erst"
    r"|zahl|buch)|erstatt|gutschrift|rembours|reembols|devol|rimbors|terugbetaal|\bchargeback|\bdisputed?\b|\bdeleted\b"
)
# what may, where there are few values
_STATUS = re.compile(r"status|zustand|\bcleared\b|\b(order|payment|invoice) state\b|belegart|\b(document|doc) type\b")
# of whom or what else it is
_OTHER = re.compile(
    r"customer|kunde|client|member|buyer|loyal|\btax|\bvat\b|steuer|newsletter|marketing|mail|subscri|polic|address|url"
)


def require_no_other_status(rows: TextRows, known: Sequence[str], columns: Mapping[OrderLineColumn, str]) -> None:
    """That no column which may say that lines are no sales is left out without a word. `known`: headers that were
    looked at already; `columns`: our column name → its header.

    Raises:
        Unclear: naming the column, its values, and what to write.
    """
    for header in rows.header:
        words = spaced(header)
        if header in known or _OTHER.search(words) or not (_NO_SALE.search(words) or _STATUS.search(words)):
            continue
        values = _values(rows, header)
        if len(values) > 1 and (_NO_SALE.search(words) or len(values) <= MAX_VALUES):
            raise _question(header, values, columns)


def _question(header: str, values: Mapping[str, int], columns: Mapping[OrderLineColumn, str]) -> Unclear:
    shown = [f"{value!r} ({count:,} lines)" for value, count in values.items() if value][:MAX_SHOWN]
    readings: list[tuple[OrderLineColumn, str]] = []
    if free := [name for name in _STATUSES if name not in columns and len(values) <= MAX_VALUES]:
        readings.append((free[0], "its values say which lines are sales; the run asks about those it does not know"))
    if len(values) <= MAX_VALUES:
        readings.append(("line_type", "its values say which lines take back what others sold"))
    else:
        readings.append(("cancelled_at", "lines that have any value there are no sales"))
    amount: tuple[OrderLineColumn, str] = ("refunded_amount", "money that was given back")
    if all(re.fullmatch(r"[\W\d]*", value) for value in values):
        readings.insert(0 if any("." in value or "," in value for value in values) else len(readings), amount)
    return Unclear(
        f"The column {header!r} may say that lines are no sales, and was not understood: {', '.join(shown)}.",
        [
            *(Answer("columns", {**columns, ours: header}, said) for ours, said in readings if ours not in columns),
            Answer("columns", dict(columns), "it says something else"),
        ],
    )


def _values(rows: TextRows, header: str) -> dict[str, int]:
    """Values, a blank among them, and in how many lines they are; not more than are looked at."""
    value = f"coalesce(trim({quote(header)}), '')"
    return dict(
        rows.con.execute(
            f"""select {value} as value, count(*) as lines from {rows.table} group by value
            order by lines desc, value limit {MAX_VALUES + 1}"""
        ).fetchall()
    )
