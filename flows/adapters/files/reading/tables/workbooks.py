"""Sheets of a workbook as text, each cell as a CSV file would have it."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TypeAlias

from flows.errors import BadInput

Cell: TypeAlias = str | float | bool | datetime | date | time | timedelta
_WRITTEN_DATE = re.compile(r"\s*\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}(,?\s+\d{1,2}:\d\d.*)?\s*")
MAX_SHARE_OF_TEXTS = 0.05  # beside cells that are dates: a note above the table or below it


@dataclass(frozen=True)
class Sheet:
    """One that somebody sees and that is not empty. Its rows are as wide as each other, the first that of the file."""

    name: str
    rows: Sequence[Sequence[str]]


def read_sheets(file: Path, shown: Path, wanted: str | None = None) -> list[Sheet]:
    """The sheets of an .xlsx, .xls, .xlsb or .ods file, or the `wanted` one. `shown`: what the user calls the file.

    Raises:
        BadInput: when it cannot be opened, has no such sheet, or dates that the spreadsheet may have read wrongly.
    """
    try:
        import python_calamine as calamine
    except ImportError:
        raise BadInput(
            f"{shown} is a workbook, and python-calamine, which reads those, is not installed. Run `make run` once, or"
            " save the sheet as CSV."
        ) from None
    try:
        book = calamine.load_workbook(str(file))
    except calamine.PasswordError:
        raise BadInput(f"{shown} is protected by a password. Save it without one, or the sheet as CSV.") from None
    except (calamine.CalamineError, OSError) as error:
        raise BadInput(f"{shown} looks like a workbook and cannot be opened: {error}. Save the sheet as CSV.") from None
    visible = [
        sheet.name for sheet in book.sheets_metadata
        if sheet.visible == calamine.SheetVisibleEnum.Visible and sheet.typ == calamine.SheetTypeEnum.WorkSheet
    ]  # fmt: skip
    if wanted and wanted not in book.sheet_names:
        raise BadInput(f"{shown} has no sheet {wanted!r}. It has: {', '.join(map(repr, book.sheet_names))}.")
    sheets = []
    for name in [wanted] if wanted else visible:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        while rows and not any(cell != "" for cell in rows[-1]):
            rows.pop()
        if rows:
            _require_one_kind_of_dates(rows, f"{shown}, sheet {name!r}")
            sheets.append(Sheet(name, [[_as_text(cell) for cell in row] for row in rows]))
    if not sheets:
        raise BadInput(f"{shown} has no sheet with anything in it.")
    return sheets


def write_csv(rows: Iterable[Sequence[str]], target: Path) -> None:
    with target.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)


def _as_text(cell: Cell) -> str:
    """Dates in ISO 8601, whole numbers without a point, others with one."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, datetime):  # a spreadsheet counts days, so that seconds come out a little off
        rounded = (cell + timedelta(milliseconds=500)).replace(microsecond=0)
        return rounded.isoformat(sep=" ")
    return str(cell)


def _require_one_kind_of_dates(rows: Sequence[Sequence[Cell]], place: str) -> None:
    """A spreadsheet that expects days first, or months first, takes 03/04/2024 for a date, the wrong one, and leaves
    13/04/2024 as text: who finds both in one column cannot trust either."""
    dates: dict[int, int] = defaultdict(int)
    for cells in rows:
        for position, cell in enumerate(cells):
            if isinstance(cell, date):  # a datetime is one
                dates[position] += 1
    for position in dates:
        texts = [*_dates_written_as_text(rows, position)]
        if len(texts) > MAX_SHARE_OF_TEXTS * dates[position]:
            number, text = texts[0]
            raise BadInput(
                f"{place}, row {number}: {text!r} is text, and {dates[position]:,} cells of its column are dates."
                " A spreadsheet that expects another order of day and month turns some dates round and leaves the rest"
                " as text. Export the orders again as CSV and read that file, without opening it in a spreadsheet."
            )


def _dates_written_as_text(rows: Sequence[Sequence[Cell]], position: int) -> Iterator[tuple[int, str]]:
    for number, cells in enumerate(rows, 1):
        cell = cells[position]
        if isinstance(cell, str) and _WRITTEN_DATE.fullmatch(cell):
            yield number, cell
