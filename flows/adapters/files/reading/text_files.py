"""From what the user named to UTF-8 text files with a header: existence, kind, encoding, delimiter."""

import codecs
import csv
import glob
import gzip
import io
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flows.errors import BadInput

DELIMITERS = (",", ";", "\t", "|")
_NOT_TEXT = {
    b"PK\x03\x04": "an Excel workbook or zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "a parquet file",
    b"%PDF": "a PDF",
    b"SQLite": "a database",
}


@dataclass(frozen=True)
class TextFile:
    """A file that DuckDB can read: `readable` is the file itself or a UTF-8 copy of it."""

    original: Path
    readable: Path
    delimiter: str
    header: tuple[str, ...]
    notes: tuple[str, ...]


def find_files(pattern: str, variable: str = "ORDERS") -> list[Path]:
    """The files that a path or glob names, in name order. `variable`: what the user calls it.

    Raises:
        BadInput: when there is none, or one of them is a folder or empty.
    """
    expanded = str(Path(pattern).expanduser())
    files = sorted(Path(name) for name in glob.glob(expanded)) or [Path(expanded)]
    for file in files:
        if not file.exists():
            raise BadInput(f"{variable}={pattern}: there is no such file. Looked in {Path.cwd()}.")
        if file.is_dir():
            raise BadInput(
                f"{variable}={pattern}: {file} is a folder. Name its files, for example {variable}='{file}/*.csv'."
            )
        if file.stat().st_size == 0:
            raise BadInput(f"{file} is empty: it has not even a header.")
    return files


def open_text_file(file: Path, scratch: Path, delimiter: str | None = None, encoding: str | None = None) -> TextFile:
    """Looks at the start of a file and makes a UTF-8 copy in `scratch` where its encoding is another.

    `encoding` is tried as given; without it UTF-16 is recognised and UTF-8 assumed.

    Raises:
        BadInput: when it is not text, has no header, or one whose columns cannot be told apart.
    """
    notes = []
    with _open(file) as stream:
        start = _read_start(file, stream)
    found = encoding or _encoding_of(file, start)
    readable = file
    if found != "utf-8":
        readable = _utf8_copy(file, scratch, found)
        notes.append(f"{file.name} was read as {found}")
    with _open(readable) as stream:
        start = _read_start(readable, stream)
    text = start.decode("utf-8-sig", errors="replace")
    first_line = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = delimiter or max(DELIMITERS, key=first_line.count)
    header = tuple(name.strip() for name in next(csv.reader([first_line], delimiter=delimiter), []))
    if len(header) < 2:
        raise BadInput(
            f"{file} line 1: {first_line[:80]!r} is a single column. Expected a header with columns separated by a"
            " comma, semicolon, tab or bar; for another separator write `delimiter:` in airbyte/connections.yml."
        )
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise BadInput(f"{file} line 1: the column {twice!r} is there twice. Rename one of them.")
    if delimiter != ",":
        notes.append(f"{file.name} is separated by {'tabs' if delimiter == chr(9) else repr(delimiter)}")
    return TextFile(file, readable, delimiter, header, tuple(notes))


def _open(file: Path) -> BinaryIO:
    opener: Callable[..., BinaryIO] = gzip.open if file.suffix == ".gz" else open  # type: ignore[assignment]
    return opener(file, "rb")


def _read_start(file: Path, stream: BinaryIO) -> bytes:
    try:
        return stream.read(1 << 16)
    except (gzip.BadGzipFile, EOFError) as error:
        raise BadInput(f"{file} is named .gz but cannot be unpacked: {error}") from None


def _encoding_of(file: Path, start: bytes) -> str:
    for magic, kind in _NOT_TEXT.items():
        if start.startswith(magic):
            raise BadInput(f"{file} is {kind}, not text. Export the orders as CSV.")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start.count(0) > len(start) // 4:
        return "utf-16-le" if start[1:200:2].count(0) > start[0:200:2].count(0) else "utf-16-be"
    if b"\0" in start:
        raise BadInput(f"{file} holds NUL bytes, so it is not text. Export the orders as CSV.")
    return "utf-8"


def _utf8_copy(file: Path, scratch: Path, encoding: str) -> Path:
    # files of the same name may come from several folders
    copy = Path(tempfile.mkdtemp(dir=scratch)) / f"{file.name.removesuffix('.gz')}.utf8.csv"
    with (
        io.TextIOWrapper(_open(file), encoding, errors="replace", newline="") as source,
        copy.open("w", encoding="utf-8", newline="") as target,
    ):
        shutil.copyfileobj(source, target, 1 << 20)
    return copy
