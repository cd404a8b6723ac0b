"""Parquet and JSON, which know their columns: every value as the text that a CSV file would have."""

import contextlib
from pathlib import Path

import duckdb

from flows.adapters.duckdb.sql import literal
from flows.adapters.files.reading.text_files import TextFile
from flows.errors import BadInput

PARQUET = b"PAR1"


def open_parquet(file: Path, shown: Path) -> TextFile:
    """Raises BadInput when it cannot be read."""
    source = f"read_parquet({literal(file)}, binary_as_string = true)"
    return _table(file, shown, f"(select columns(*)::varchar from {source})", "a Parquet file")


def open_json(file: Path, shown: Path) -> TextFile:
    """An object a line, or a list of them; what is nested stays as it is written.

    Raises:
        BadInput: when it cannot be read.
    """
    source = f"read_json({literal(file)}, maximum_depth = 1, sample_size = -1, compression = 'auto_detect')"
    return _table(file, shown, f"(select columns(*) ->> '$' from {source})", "JSON")


def _table(file: Path, shown: Path, relation: str, kind: str) -> TextFile:
    with contextlib.closing(duckdb.connect()) as con:
        try:
            header = tuple(column[0] for column in con.execute(f"describe from {relation}").fetchall())
        except duckdb.Error as error:
            raise BadInput(f"{shown} cannot be read as {kind}: {str(error).splitlines()[0]}") from None
    if len(header) < 2:
        raise BadInput(
            f"{shown} is {kind} with the single field {', '.join(header)!r}. Expected an order, or a line of one, in"
            " each record."
        )
    return TextFile(shown, file, "", header, (f"{shown.name} was read as {kind}",), first_line=1, typed=relation)
