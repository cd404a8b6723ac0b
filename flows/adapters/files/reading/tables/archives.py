"""What is inside a zip archive, unpacked one member at a time."""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from flows.errors import BadInput

ZIP = b"PK\x03\x04"
_OF_WORKBOOKS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")


def is_workbook(file: Path) -> bool:
    """Whether a zip archive is what Excel and LibreOffice save."""
    try:
        with zipfile.ZipFile(file) as archive:
            return not set(_OF_WORKBOOKS).isdisjoint(archive.namelist())
    except zipfile.BadZipFile:
        return False


def unpack(file: Path, shown: Path, scratch: Path) -> Iterator[tuple[Path, Path]]:
    """Of each file in a zip archive, what to call it and where its copy is.

    Raises:
        BadInput: when the archive is damaged, or locked with a password.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                name = PurePosixPath(member.filename)
                if member.is_dir() or "__MACOSX" in name.parts or name.name.startswith("."):
                    continue
                copy = Path(tempfile.mkdtemp(dir=scratch)) / f"member{name.suffix}"
                with archive.open(member) as source, copy.open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
                yield shown / name.name, copy
    except RuntimeError:  # what zipfile raises where a password is missing
        raise BadInput(f"{shown} is locked with a password. Unpack it, and name the files in it.") from None
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise BadInput(f"{shown} is a zip archive that cannot be unpacked: {error}") from None
