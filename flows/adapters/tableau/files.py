"""Files in Tableau's formats for publishing: single tables, single sources, and a workbook's sheets."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa

from flows.adapters.tableau.hyper import new_database
from flows.errors import BadInput

USER_NAMESPACE = "http://www.tableausoftware.com/xml/user"


@dataclass(frozen=True)
class TableFile:
    """A .hyper with one table and its content: `columns_digest` is of names and types, in order."""

    file: Path
    schema: str
    table: str
    columns_digest: str
    rows_digest: str
    rows: int


def write_table(extract: Path, schema: str, table: str, file: Path) -> TableFile:
    """Writes one table of an extract to a file of its own, which is replaced atomically.

    Raises:
        BadInput: when the extract has no such table, or is not an extract.
    """
    from tableauhyperapi import HyperException, TableName, escape_string_literal

    draft = file.with_suffix(".draft.hyper")
    with new_database(draft, "draft") as (con, folder):
        here, there = TableName("draft", schema, table), TableName("extract", schema, table)
        stream = folder / "rows.arrows"
        try:
            con.catalog.attach_database(extract, "extract")
            con.catalog.create_schema(here.schema_name)
            con.execute_command(f"create table {here} as (select * from {there})")
            con.execute_command(
                f"copy (select * from {here} order by 1) to {escape_string_literal(str(stream))}"
                " with (format => 'arrowstream')"
            )
        except HyperException as problem:
            why = str(problem.main_message).partition("\n")[0].rstrip(": ")
            raise BadInput(f"{extract} cannot be read ({why}): `make run` writes it again.") from None
        with pa.ipc.open_stream(stream) as reader:
            rows = reader.read_all()
    draft.replace(file)
    return TableFile(
        file, schema, table, _short(str(rows.schema.remove_metadata()).encode()), _digest_of(rows), rows.num_rows
    )


def shown_sheets(workbook: Path) -> set[str]:
    """The worksheets and dashboards of a .twb, or of the one in a .twbx, that are not hidden."""
    root = _document(workbook)
    sheets = {str(sheet.get("name")) for kind in ("worksheets/worksheet", "dashboards/dashboard")
              for sheet in root.findall(kind)}  # fmt: skip
    hidden = {str(window.get("name")) for window in root.findall("windows/window") if window.get("hidden") == "true"}
    return sheets - hidden


def write_source(workbook: Path, table: str, file: Path) -> None:
    """Writes the data source of a workbook that reads one table as a .tds, which is replaced atomically.

    Raises:
        BadInput: when the workbook has no such source.
    """
    for source in _document(workbook).findall("datasources/datasource"):
        if any(_is_of(relation, table) for relation in source.iter("relation")):
            break
    else:
        raise BadInput(f"{workbook} has no data source that reads the table {table}.")
    name = source.attrib.pop("name", table)
    source.attrib.pop("caption", None)
    source.attrib.pop("hasconnection", None)
    source.set("formatted-name", name)
    source.set("inline", "true")
    source.attrib.setdefault("version", "18.1")
    _drop_what_needs_parameters(source)
    ElementTree.register_namespace("user", USER_NAMESPACE)  # the prefix that Tableau writes and some parsers require
    draft = file.with_suffix(".draft")
    draft.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(source).write(draft, encoding="utf-8", xml_declaration=True)
    draft.replace(file)


def _drop_what_needs_parameters(source: ElementTree.Element) -> None:
    """Parameters belong to the workbook: calculations that depend on one are left out."""
    for inner in source.findall("datasource-dependencies"):
        source.remove(inner)
    gone = {"[Parameters]."}
    while using := [c for c in source.findall("column") if any(name in _formula(c) for name in gone)]:
        for column in using:
            source.remove(column)
        gone |= {str(column.get("name")) for column in using}


def _formula(column: ElementTree.Element) -> str:
    return " ".join(str(calculation.get("formula", "")) for calculation in column.iter("calculation"))


def _is_of(relation: ElementTree.Element, table: str) -> bool:
    return str(relation.get("table", "")).upper().endswith(f"[{table.upper()}]")


def _document(workbook: Path) -> ElementTree.Element:
    if workbook.suffix == ".twb":
        return ElementTree.fromstring(workbook.read_bytes())  # noqa: S314  written by us
    with zipfile.ZipFile(workbook) as package:
        inner = next((name for name in package.namelist() if name.endswith(".twb")), None)
        if inner is None:
            raise BadInput(f"{workbook} has no .twb in it.")
        return ElementTree.fromstring(package.read(inner))  # noqa: S314  written by us


def _digest_of(rows: pa.Table) -> str:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows.combine_chunks())
    return _short(sink.getvalue())


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
