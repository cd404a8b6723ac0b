"""From what the user named to UTF-8 text files with a header: existence, encoding, delimiter, lines above it."""

import bz2
import codecs
import glob
import gzip
import io
import lzma
import shutil
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa

from flows.adapters.duckdb.sql import literal, quote
from flows.adapters.files.reading.tables.header_row import HeaderNames, find_header
from flows.errors import BadInput
from flows.sources.words import plain

_NO_TABLE = {b"%PDF": "a PDF", b"SQLite": "a database", b"<": "a web page or XML"}
_COMPRESSED: dict[bytes, tuple[str, Callable[[Path], Any]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"\x28\xb5\x2f\xfd": ("zstd", partial(pa.input_stream, compression="zstd")),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ": ("xz", lzma.open),
}
_READ_BY_DUCKDB = ("none", "gzip", "zstd")
_UNPACKING_FAILED = (gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException, OSError)
MAX_LINE_BYTES = 8_000_000  # a note with pictures pasted into it; DuckDB's own limit is 2 MB
_BUFFER_BYTES = 32_000_000
WESTERN_EUROPE = "cp1252"  # what Windows programs write when they do not write Unicode


@dataclass(frozen=True)
class TextFile:
    """A file that DuckDB can read as text: `readable` is the file itself or a UTF-8 copy of it, `original` what the
    user calls it. `first_line`: the record of the file that is the first row. `typed`: the query of a file that is no
    CSV. `is_copy`: its lines end in one way."""

    original: Path
    readable: Path
    delimiter: str
    header: tuple[str, ...]
    notes: tuple[str, ...]
    first_line: int = 2
    compression: str = "none"
    typed: str | None = None
    is_copy: bool = False

    @property
    def relation(self) -> str:
        """Its rows, every value as text under the names of `header`, for a `from` of DuckDB's; unreadable records go to
        `reject_errors`."""
        names = ", ".join(map(quote, self.header))
        return self.typed or (
            f"read_csv({literal(self.readable)}, all_varchar = true, header = true, delim = {literal(self.delimiter)},"
            f" quote = '\"', escape = '\"', store_rejects = true, skip = {self.first_line - 2},"
            f" compression = '{self.compression}', max_line_size = {MAX_LINE_BYTES}, buffer_size = {_BUFFER_BYTES})"
            f" as rows ({names})"
        )


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


def read_start(file: Path, shown: Path) -> bytes:
    """The first bytes of what is in a file, unpacked if it is compressed.

    Raises:
        BadInput: when it cannot be unpacked.
    """
    try:
        with _open(file) as stream:
            return stream.read(1 << 16)
    except _UNPACKING_FAILED as error:
        raise BadInput(f"{shown} is compressed, and cannot be unpacked: {error}") from None


def open_text_file(
    file: Path,
    shown: Path,
    scratch: Path,
    names: HeaderNames,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> TextFile:
    """Looks at the start of a file and makes a UTF-8 copy in `scratch` where its encoding is another. `shown`: what the
    user calls it.

    `encoding` is tried as given, and the copy has one kind of line ends; without it UTF-16 is recognised and UTF-8
    assumed.

    Raises:
        BadInput: when it is not text, or has no header.
    """
    notes = []
    found = encoding or _encoding_of(shown, read_start(file, shown))
    readable, compression = file, _compression_of(file)
    if encoding or found != "utf-8" or compression not in _READ_BY_DUCKDB:
        readable, found = _utf8_copy(file, shown, scratch, found)
        compression = "none"
    if found != "utf-8":
        notes.append(f"{shown.name} was read as {found}")
    text = read_start(readable, shown).decode("utf-8-sig", errors="replace")
    row = find_header(text, names, delimiter)
    if len(row.cells) < 2:
        first_line = next((line for line in text.splitlines() if line.strip()), "")
        raise BadInput(
            f"{shown} line 1: {first_line[:80]!r} is a single column. Expected a header with columns separated by a"
            " comma, semicolon, tab or bar; for another separator write `delimiter:` in airbyte/connections.yml."
        )
    if row.title:
        notes.append(f"the header of {shown.name} is its line {row.skipped + 1}, below {row.title[:80]!r}")
    if row.delimiter != ",":
        notes.append(f"{shown.name} is separated by {'tabs' if row.delimiter == chr(9) else repr(row.delimiter)}")
    header = _told_apart(row.cells, shown, row.skipped + 1, names)
    return TextFile(
        original=shown,
        readable=readable,
        delimiter=row.delimiter,
        header=header,
        notes=tuple(notes),
        first_line=row.skipped + 2,
        compression=compression,
        is_copy=readable is not file,
    )


def _told_apart(cells: tuple[str, ...], shown: Path, line: int, names: HeaderNames) -> tuple[str, ...]:
    """A name for every column. Only one that we may look at must not be there more than once."""
    header: list[str] = []
    taken: dict[str, int] = {}
    for position, cell in enumerate(cells, 1):
        name = cell or f"column {position}"
        times = taken[name.lower()] = taken.get(name.lower(), 0) + 1  # DuckDB's names have no case
        if times > 1 and plain(cell) in names.known:
            raise BadInput(f"{shown} line {line}: the column {cell!r} is there twice. Rename one of them.")
        header.append(f"{name} ({times})" if times > 1 else name)
    return tuple(header)


def _compression_of(file: Path) -> str:
    with file.open("rb") as stream:
        start = stream.read(8)
    return next((name for magic, (name, _) in _COMPRESSED.items() if start.startswith(magic)), "none")


def _open(file: Path) -> BinaryIO:
    compression = _compression_of(file)
    opener = next((opener for name, opener in _COMPRESSED.values() if name == compression), None)
    return cast(BinaryIO, opener(file)) if opener else file.open("rb")


def _encoding_of(shown: Path, start: bytes) -> str:
    for magic, kind in _NO_TABLE.items():
        if start.lstrip().startswith(magic):
            raise BadInput(f"{shown} is {kind}, not a table. Export the orders as CSV.")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start.count(0) > len(start) // 4:
        return "utf-16-le" if start[1:200:2].count(0) > start[0:200:2].count(0) else "utf-16-be"
    if b"\0" in start:
        raise BadInput(f"{shown} holds NUL bytes, so it is not text. Export the orders as CSV.")
    return "utf-8"


def _utf8_copy(file: Path, shown: Path, scratch: Path, encoding: str) -> tuple[Path, str]:
    """The copy, and the encoding that it was: what is no UTF-8 is what Windows writes in Western Europe."""
    # files of the same name may come from several folders
    copy = Path(tempfile.mkdtemp(dir=scratch)) / f"{shown.name}.utf8.csv"
    try:
        with (
            io.TextIOWrapper(_open(file), encoding, errors="strict" if encoding == "utf-8" else "replace") as source,
            copy.open("w", encoding="utf-8", newline="\n") as target,
        ):
            shutil.copyfileobj(source, target, 1 << 20)
    except UnicodeDecodeError:
        return _utf8_copy(file, shown, scratch, WESTERN_EUROPE)
    except _UNPACKING_FAILED as error:
        raise BadInput(f"{shown} is compressed, and cannot be unpacked: {error}") from None
    return copy, encoding
