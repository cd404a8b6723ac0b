"""Worksheets queried from an extract by hyperd, compared with the same queries of the marts by DuckDB."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from tests.workbook.calculations import BadCalculation
from tests.workbook.document import Workbook
from tests.workbook.queries import Query, order, query
from tests.workbook.questions import MARTS, ORDERS, QUESTIONS

Row = dict[str, Any]


@contextmanager
def hyperd() -> Iterator[Any]:
    """A process of Tableau's engine, which is not built for every machine; it writes no log and calls nobody."""
    from tableauhyperapi import HyperProcess, Telemetry

    with HyperProcess(Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, parameters={"log_config": ""}) as process:
        yield process


class Queries:
    """One extract and the warehouse that it was made from. Nothing changes in either: each query runs once."""

    def __init__(self, process: Any, extract: Path, warehouse: DuckDBWarehouse):
        from tableauhyperapi import Connection, CreateMode

        self.connection = Connection(process.endpoint, extract, CreateMode.NONE)
        self.warehouse = warehouse
        self._answers: dict[str, list[Row]] = {}

    def types(self, schema: str, table: str) -> dict[str, str]:
        """The extract's own types of a table's columns, as hyperd calls them."""
        from tableauhyperapi import TableName

        columns = self.connection.catalog.get_table_definition(TableName(schema, table)).columns
        return {column.name.unescaped: str(column.type) for column in columns}

    @property
    def holds_rows(self) -> bool:
        return bool(self.of_the_marts("select * from {customers} limit 1"))

    def close(self) -> None:
        self.connection.close()

    def of_the_extract(self, queried: Query) -> list[Row]:
        names = [*queried.dimensions, *queried.measures]
        if queried.sql not in self._answers:
            rows = self.connection.execute_list_query(queried.sql)
            self._answers[queried.sql] = [_plain(dict(zip(names, row, strict=True))) for row in rows]
        return self._answers[queried.sql]

    def of_the_marts(self, question: str, parts: Mapping[str, str] | None = None) -> list[Row]:
        """`parts`: queries that stand for marts, by their names in questions.py."""
        sql = question.format(**(MARTS | dict(parts or {})))
        if sql not in self._answers:
            self._answers[sql] = [_plain(row) for row in self.warehouse.read(sql).to_pylist()]
        return self._answers[sql]


def problems(text: bytes, queried: Queries) -> list[str]:
    """Worksheets that say something else than they are meant to."""
    from tableauhyperapi import HyperException

    try:
        workbook = Workbook(text)
    except etree.XMLSyntaxError as error:
        return [f"no XML: {error}"]
    found = [f"nobody has written down what {name} asks" for name in workbook.sheets.keys() - QUESTIONS.keys()]
    for name in workbook.sheets.keys() & QUESTIONS.keys():
        try:
            asked_for = query(workbook.sheets[name])
            found += difference(
                name, asked_for, queried.of_the_extract(asked_for), queried.of_the_marts(QUESTIONS[name])
            )
            sorted_by = order(workbook.sheets[name])
            if (sorted_by is None) != (name not in ORDERS):
                found.append(f"{name} is {'not ' if sorted_by is None else ''}sorted by a measure")
            elif sorted_by and queried.of_the_extract(sorted_by) != queried.of_the_marts(ORDERS[name]):
                found.append(f"{name} is in another order")
        except (BadCalculation, HyperException, KeyError, ValueError) as error:
            found.append(f"{name} cannot be queried: {error}")
    return found


def difference(name: str, queried: Query, found: list[Row], expected: list[Row]) -> list[str]:
    """How an answer differs from what is expected: nothing, or one line about the first difference."""
    columns = {*queried.dimensions, *queried.measures}
    if expected and columns != set(expected[0]):
        return [f"{name} shows {sorted(columns - set(expected[0]))}, lacks {sorted(set(expected[0]) - columns)}"]
    if len(found) != len(expected):
        return [f"{name} has {len(found)} marks, {len(expected)} are expected"]

    def key(row: Row) -> str:
        return repr([row[dimension] for dimension in queried.dimensions])

    for one, other in zip(sorted(found, key=key), sorted(expected, key=key), strict=True):
        for column in columns:
            if one[column] != (pytest.approx(other[column]) if isinstance(other[column], float) else other[column]):
                return [f"{name}: {column} is {one[column]!r}, {other[column]!r} is expected, at {key(one)}"]
    return []


def _plain(row: Row) -> Row:
    """Numbers as float and dates as text: the two engines have types of their own."""

    def plain(value: Any) -> Any:
        if isinstance(value, bool) or value is None or isinstance(value, str):
            return value
        return float(value) if isinstance(value, int | float | Decimal) else str(value)[:19]

    return {name: plain(value) for name, value in row.items()}
