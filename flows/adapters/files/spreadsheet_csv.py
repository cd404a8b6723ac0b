"""CSV files that people may open in a spreadsheet; each is replaced atomically."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # without it, Excel misreads accents
_BEGINS_A_FORMULA = r"^([=+\-@\t\r\n])"


def write_csv(rows: pa.Table, file: Path, delimiter: str = ",", for_excel: bool = True) -> None:
    """Writes all rows, in UTF-8, under their columns' names."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    with draft.open("wb") as out:
        if for_excel:
            out.write(BYTE_ORDER_MARK)
        pa.csv.write_csv(rows, out, pa.csv.WriteOptions(delimiter=delimiter))
    draft.replace(file)


def safe_for_spreadsheets(rows: pa.Table) -> pa.Table:
    """Escapes text from outside with an apostrophe, so that a spreadsheet does not run it as a formula."""
    for position, field in enumerate(rows.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            harmless = pc.replace_substring_regex(rows.column(position), _BEGINS_A_FORMULA, r"'\1")
            rows = rows.set_column(position, field.name, harmless)
    return rows


def begins_a_formula(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which of the texts a spreadsheet would run; NULL stays NULL."""
    return pc.match_substring_regex(texts, _BEGINS_A_FORMULA)
