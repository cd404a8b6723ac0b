"""Helpers to write SQL for DuckDB."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb


def quote(name: str) -> str:
    """A column, table or schema for use in SQL, whatever characters its name has."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """A text or a path for use in SQL."""
    return "'" + str(text).replace("'", "''") + "'"


def only_row(result: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    """The row of a query that always yields one, such as an aggregate."""
    row = result.fetchone()
    assert row is not None
    return tuple(row)


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """A transaction: everything in the block, or nothing."""
    con.execute("begin")
    try:
        yield
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")
