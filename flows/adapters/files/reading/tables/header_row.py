"""The header's row in a table: below a title, a blank line or `sep=;`, before the rows."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from flows.sources.words import plain

DELIMITERS = (",", ";", "\t", "|")
MAX_ROWS_ABOVE = 50  # of titles and notes
_SEPARATOR_LINE = re.compile(r'"?sep=(?P<delimiter>[^"\r\n])"?\r?\n?$', re.IGNORECASE)


@dataclass(frozen=True)
class HeaderNames:
    """What the headers of a kind of rows are called, as `plain` writes them. `needed`: of each group, a table that
    holds such rows has one at least."""

    needed: Sequence[frozenset[str]] = ()
    known: frozenset[str] = frozenset()

    @classmethod
    def of(cls, names: Mapping[Any, Iterable[str]], needed: Sequence[Sequence[str]]) -> "HeaderNames":
        """From our column name → headers, and the groups of our columns of which one each is needed."""
        by_column = {ours: frozenset(map(plain, theirs)) for ours, theirs in names.items()}
        groups = [frozenset().union(*(by_column.get(ours, frozenset()) for ours in group)) for group in needed]
        return cls(groups, frozenset().union(*by_column.values()))

    def rank(self, cells: Iterable[str]) -> tuple[int, int]:
        """How many of the needed groups these headers cover, and how many of them are known."""
        found = {plain(cell) for cell in cells}
        return sum(bool(group & found) for group in self.needed), len(self.known & found)

    def cover_all(self, cells: Iterable[str]) -> bool:
        return self.rank(cells)[0] == len(self.needed)


@dataclass(frozen=True)
class HeaderRow:
    """`skipped`: how many records stand above it, blank lines among them. `title`: what they say."""

    delimiter: str
    skipped: int
    cells: tuple[str, ...]
    title: str = field(default="", compare=False)


def find_header(text: str, names: HeaderNames, delimiter: str | None = None) -> HeaderRow:
    """The header of a file, from its beginning: the row with most of the names that are known; if there is none, the
    first that has as many cells as most rows."""
    separator_line = _SEPARATOR_LINE.match(text.split("\n", 1)[0] + "\n")
    if separator_line and not delimiter:
        delimiter = separator_line["delimiter"]
    candidates = [_best_row(text, names, each) for each in ((delimiter,) if delimiter else DELIMITERS)]
    return max(candidates, key=lambda row: (names.rank(row.cells), len(row.cells)))


def _best_row(text: str, names: HeaderNames, delimiter: str) -> HeaderRow:
    rows: list[list[str]] = []
    with suppress(csv.Error):  # what is no table with this delimiter has no header either
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows += ([cell.strip() for cell in cells] for cells in islice(reader, MAX_ROWS_ABOVE + 1))
    filled = [
        (above, cells) for above, cells in enumerate(rows) if any(cells) and not cells[0].lower().startswith("sep=")
    ]
    if not filled:
        return HeaderRow(delimiter, 0, ())
    width = Counter(len(cells) for _, cells in filled).most_common(1)[0][0]
    skipped, cells = max(filled, key=lambda row: (*names.rank(row[1]), len(row[1]) == width, -row[0]))
    title = " ".join(" ".join(filter(None, cells)) for above, cells in filled if above < skipped)
    return HeaderRow(delimiter, skipped, tuple(cells), title)
