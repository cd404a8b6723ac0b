"""`tableau/marketing.twb` with its data: packaged with the extract for a laptop, or connected to Snowflake.

The committed workbook is the one that analysts edit. Only the element `<connection>` within each `<named-connection>`
is changed; every other byte stays the same.

    python -m flows.adapters.tableau.workbook    makes a workbook saved by Tableau Desktop fit to commit: its
    connections lead to the extract again, its pictures of customers are removed, and Tableau of 2024.2 opens it too
"""

import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from flows.adapters.tableau.extract import SCHEMA
from flows.errors import BadInput, SettingsError
from flows.settings import REPOSITORY

WORKBOOK = REPOSITORY / "tableau" / "marketing.twb"
EXTRACT_IN_PACKAGE = "Data/marketing.hyper"

_NAMED_CONNECTION = re.compile(rb"(<named-connection\b[^<]*>\s*)<connection\b.*?(\s*</named-connection>)", re.DOTALL)
_THUMBNAILS = re.compile(rb"\s*<thumbnails\b.*?(</thumbnails>|/>)", re.DOTALL)
# What Tableau of 2026 writes otherwise: its version, one flag for all changes of the format before it, and an element
# that older versions do not know
_VERSION = re.compile(rb"""(<workbook\b[^>]*?\b(?:original-)?version=)(["'])26\.\d+\2""")
_FLAGS = re.compile(rb"<ManifestByVersion\s*/>")
_EXPLAIN_DATA = re.compile(rb"\s*<explain-data\b[^>]*?(/>|>.*?</explain-data>)", re.DOTALL)
_FLAGS_IN_USE = (
    "AccessibleZoneTabOrder",
    "SetMembershipControl",
    "SheetIdentifierTracking",
    "WindowsPersistSimpleIdentifiers",
)
Translation = Callable[[bytes], bytes]
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the earliest in a zip: packages of the same files have the same bytes


@dataclass(frozen=True)
class SnowflakeConnection:
    """Where Tableau finds the marts in production, without password or key: viewers are prompted, or credentials are
    stored in Tableau at publication.

    server: ACCOUNT.snowflakecomputing.com.
    authentication: Tableau's name for it: auth-keypair, oauth, or "Username Password".
    """

    server: str
    database: str
    warehouse: str
    role: str
    schema: str = SCHEMA
    authentication: str = "auth-keypair"


def extract_workbook(workbook: bytes) -> bytes:
    """The workbook with every connection to the extract that is next to it in a package.

    Raises:
        BadInput: when it is not a workbook, or has no connections to change.
    """
    return _connected(
        workbook,
        {
            "authentication": "auth-none",
            "author-locale": "en_GB",
            "class": "hyper",
            "dbname": EXTRACT_IN_PACKAGE,
            "default-settings": "yes",
            "schema": SCHEMA,
            "sslmode": "",
            "username": "",
        },
    )


def committable(workbook: bytes) -> bytes:
    """The workbook without local paths and personal data: Desktop saves the path of its data, and pictures of every
    sheet. In the format that Tableau wrote before 2026, which all versions open. Raises as `extract_workbook` does."""
    return _THUMBNAILS.sub(b"", _before_2026(extract_workbook(workbook)))


def _before_2026(workbook: bytes) -> bytes:
    flags = "\n    ".join(f"<{flag}/>" for flag in _FLAGS_IN_USE).encode()
    for _ in range(2):  # version and original-version
        workbook = _VERSION.sub(rb"\1\g<2>18.1\2", workbook)
    return _EXPLAIN_DATA.sub(b"", _FLAGS.sub(flags, workbook))


def snowflake_workbook(workbook: bytes, connection: SnowflakeConnection) -> bytes:
    """The workbook with every connection to Snowflake.

    Raises:
        BadInput: when it is not a workbook, or has no connections to change.
        SettingsError: when a part of the connection is empty, or the server is not the name of one.
    """
    for name in ("server", "database", "warehouse", "role", "schema"):
        if not getattr(connection, name):
            raise SettingsError(f"the workbook's connection to Snowflake lacks its {name}. Set it.")
    if not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.snowflakecomputing\.(com|cn)", connection.server):
        raise SettingsError(
            f"{connection.server!r} is not a server of Snowflake that a workbook can name."
            " It looks like ACCOUNT.snowflakecomputing.com, without https:// and without a path."
        )
    return _connected(
        workbook,
        {
            "authentication": connection.authentication,
            "class": "snowflake",
            "dbname": connection.database,
            "odbc-connect-string-extras": "",
            "one-time-sql": "",
            "schema": connection.schema,
            "server": connection.server,
            "service": connection.role,  # Tableau's name for the role
            "username": "",
            "warehouse": connection.warehouse,
            "workgroup-auth-mode": "prompt",
        },
    )


def write_packaged_workbook(workbook: Path, extract: Path, file: Path, translate: Translation = bytes) -> None:
    """Writes `file`, a .twbx of the workbook and its extract, which is replaced atomically. Apart from the extract, it
    does not depend on when or where it is written. `translate`: into the readers' language.

    Raises:
        BadInput: when it is not a workbook, or a file is missing.
    """
    text = translate(extract_workbook(_read(workbook)))
    if not extract.is_file():
        raise BadInput(f"{extract} is missing, so {file.name} would open without data. Write the extract first.")
    draft = file.with_suffix(".draft.twbx")
    with ZipFile(draft, "w", ZIP_DEFLATED) as package:
        with package.open(_entry(file.with_suffix(".twb").name), "w") as entry:
            entry.write(text)
        with package.open(_entry(EXTRACT_IN_PACKAGE), "w", force_zip64=True) as entry, extract.open("rb") as source:
            shutil.copyfileobj(source, entry)
    draft.replace(file)


def write_snowflake_workbook(
    workbook: Path, connection: SnowflakeConnection, file: Path, translate: Translation = bytes
) -> None:
    """Writes `file`, a .twb connected to Snowflake, which is replaced atomically. Raises as `snowflake_workbook`
    does. `translate`: into the readers' language."""
    _write(translate(snowflake_workbook(_read(workbook), connection)), file)


def _connected(workbook: bytes, attributes: dict[str, str]) -> bytes:
    written = " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())
    element = f"<connection {written}/>".encode()
    expected = _named_connections(workbook)
    connected, swapped = _NAMED_CONNECTION.subn(lambda match: match[1] + element + match[2], workbook)
    if swapped != expected or _named_connections(connected) != expected:
        raise BadInput(
            f"the workbook has {expected} named connections, of which {swapped} could be changed."
            " Save it from Tableau as .twb again, and check its <named-connections>."
        )
    return connected


def _named_connections(workbook: bytes) -> int:
    try:
        root = ET.fromstring(workbook)  # noqa: S314  our own file
    except ET.ParseError as error:
        raise BadInput(f"the workbook is not XML ({error}). Save it from Tableau as .twb, not as .twbx.") from None
    found = len(root.findall("./datasources/datasource/connection/named-connections/named-connection/connection"))
    if not found:
        raise BadInput("the workbook names no connection, so it has no data to show. Save it from Tableau as .twb.")
    return found


def _read(workbook: Path) -> bytes:
    try:
        return workbook.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"{workbook} is missing. `git checkout` restores the committed one.") from None


def _write(text: bytes, file: Path) -> None:
    draft = file.with_suffix(".draft.twb")
    draft.write_bytes(text)
    draft.replace(file)


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, _EARLIEST)
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    entry.create_system = 3  # otherwise it depends on the system
    return entry


if __name__ == "__main__":
    _write(committable(_read(WORKBOOK)), WORKBOOK)
