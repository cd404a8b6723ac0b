"""Parquet and JSON, which know their columns: every value as the text that a CSV file would have."""

import contextlib
from pathlib import Path

import duckdb

from flows.adapters.duckdb.sql import literal
from flows.adapters.files.reading.tables.text_files import TextFile
from flows.errors import BadInput

PARQUET = b"PAR1"


def open_parquet(file: Path, shown: Path) -> TextFile:
    """Raises BadInput when it cannot be read."""
    source = f"read_parquet({literal(file)}, binary_as_string = true)"
    return _table(file, shown, source, "columns(*)::varchar", "a Parquet file")


def open_json(file: Path, shown: Path) -> TextFile:
    """An object a line, or a list of them; what is nested stays as it is written.

    Raises:
        BadInput: when it cannot be read.
    """
    source = f"read_json({literal(file)}, maximum_depth = 1, sample_size = -1, compression = 'auto_detect')"
    return _table(file, shown, source, "columns(*) ->> '$'", "JSON")


def _table(file: Path, shown: Path, source: str, as_text: str, kind: str) -> TextFile:
    relation = f"(select {as_text} from {source})"
    with contextlib.closing(duckdb.connect()) as con:
        try:
            kinds = {name: kind for name, kind, *_ in con.execute(f"describe from {source}").fetchall()}
        except duckdb.Error as error:
            raise BadInput(f"{shown} cannot be read as {kind}: {str(error).splitlines()[0]}") from None
    header = tuple(kinds)
    if len(header) < 2:
        raise BadInput(
            f"{shown} is {kind} with the single field {', '.join(header)!r}. Expected an order, or a line of one, in"
            " each record."
        )
    notes = [f"{shown.name} was read as {kind}"]
    moments = [name for name, of in kinds.items() if of == "TIMESTAMP WITH TIME ZONE"]
    if moments:
        notes.append(
            f"{shown.name} has {', '.join(moments)} in UTC, so that days are those of UTC; `timezone:` of an entry sets"
            " another zone"
        )
    return TextFile(shown, file, "", header, tuple(notes), first_line=1, typed=relation)
