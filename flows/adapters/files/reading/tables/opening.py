"""The tables in the files that a user names: of workbooks the sheets, of archives the members that hold such rows."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flows.adapters.files.reading.tables.archives import ZIP, is_workbook, unpack
from flows.adapters.files.reading.tables.header_row import HeaderNames
from flows.adapters.files.reading.tables.text_files import TextFile, open_text_file, read_start
from flows.adapters.files.reading.tables.typed_files import PARQUET, open_json, open_parquet
from flows.adapters.files.reading.tables.workbooks import read_sheets, write_csv
from flows.errors import BadInput

_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class Tables:
    """What to look for: `names` of headers, a `delimiter` and a `sheet` that were declared. `scratch` is for copies."""

    names: HeaderNames
    scratch: Path
    delimiter: str | None = None
    sheet: str | None = None

    def open(self, files: Sequence[Path]) -> list[TextFile]:
        """Every table of the files, as text.

        Raises:
            BadInput: naming the file, what is in it, and what to do.
        """
        return [table for file in files for table in self._tables(file, file)]

    def _tables(self, file: Path, shown: Path) -> list[TextFile]:
        start = read_start(file, shown)
        if start.startswith(_OLD_WORKBOOK) or (start.startswith(ZIP) and is_workbook(file)):
            return self._chosen(self._sheets(file, shown), shown, "sheet", "Write `sheet:` in airbyte/connections.yml.")
        if start.startswith(ZIP):
            return self._chosen(self._members(file, shown), shown, "file", "Unpack it, and name the right one.")
        if start.startswith(PARQUET):
            return [open_parquet(file, shown)]
        if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[{")):
            return [open_json(file, shown)]
        return [open_text_file(file, shown, self.scratch, self.names, self.delimiter)]

    def _sheets(self, file: Path, shown: Path) -> Iterator[TextFile]:
        sheets = read_sheets(file, shown, self.sheet)
        for sheet in sheets:
            copy = Path(tempfile.mkdtemp(dir=self.scratch)) / "sheet.csv"
            write_csv(sheet.rows, copy)
            place = shown if len(sheets) == 1 else shown / sheet.name
            try:
                yield open_text_file(copy, place, self.scratch, self.names, ",")
            except BadInput:  # a sheet of notes
                if len(sheets) == 1:
                    raise

    def _members(self, file: Path, shown: Path) -> Iterator[TextFile]:
        refused: BadInput | None = None
        opened = 0
        for place, copy in unpack(file, shown, self.scratch):
            try:
                tables = self._tables(copy, place)
            except BadInput as error:  # a note, a picture
                refused = error
                continue
            opened += len(tables)
            yield from tables
        if not opened:
            raise refused or BadInput(f"{shown} is an archive with nothing in it.")

    def _chosen(self, tables: Iterator[TextFile], shown: Path, kind: str, advice: str) -> list[TextFile]:
        """Those whose headers have all that is needed; where none has, those that have most of it.

        Raises:
            BadInput: when they are tables of different kinds, which would count the same orders twice.
        """
        found = list(tables)
        if not found:
            raise BadInput(f"{shown} has no {kind} with a table in it.")
        ranks = [self.names.rank(table.header) for table in found]
        best = max(covered for covered, _ in ranks)
        chosen = [table for table, (covered, _) in zip(found, ranks, strict=True) if covered == best]
        widest = max((set(table.header) for table in chosen), key=len)
        if any(not set(table.header) <= widest for table in chosen):
            each = "\n  ".join(f"{table.original.name}: {', '.join(table.header)}" for table in chosen)
            raise BadInput(
                f"{shown} has {len(chosen)} tables of different columns that may be the one to read:\n  {each}\n"
                f"{advice}"
            )
        left = [table.original.name for table in found if table not in chosen]
        notes = (f"of {shown.name}, did not read the {kind}s {', '.join(map(repr, left))}",) if left else ()
        return [replace(chosen[0], notes=(*chosen[0].notes, *notes)), *chosen[1:]]
