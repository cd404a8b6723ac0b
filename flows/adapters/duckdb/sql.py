"""What SQL for DuckDB is written with, wherever that is."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb


def quote(name: str) -> str:
    """A column, table or schema for use in SQL, whatever characters its name has."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """A text or a path for use in SQL."""
    return "'" + str(text).replace("'", "''") + "'"


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All that the block does, or nothing of it."""
    con.execute("begin")
    try:
        yield
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")
