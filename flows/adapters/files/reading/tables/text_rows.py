"""A table of text whose rows come from one file or several, as what finds formats looks at it."""

from dataclasses import dataclass
from typing import Any

import duckdb

from flows.adapters.duckdb.sql import quote

FILE_COLUMN = "_ab_source_file_url"  # as Airbyte's source of files calls it

File = str | None
# file → an example of each shape of a column's values → how many have it
Shapes = dict[File, dict[str, int]]


@dataclass(frozen=True)
class TextRows:
    """`file_column`: which file a row is from; None where that is not known."""

    con: duckdb.DuckDBPyConnection
    table: str
    file_column: str | None = None

    @property
    def header(self) -> list[str]:
        names = [name for name, *_ in self.con.execute(f"select * from {self.table} limit 0").description or ()]
        return [name for name in names if name != self.file_column]

    @property
    def file(self) -> str:
        """SQL of the file that a row is from."""
        return quote(self.file_column) if self.file_column else "cast(null as varchar)"

    def by_file(self, columns: str) -> dict[File, tuple[Any, ...]]:
        """File → what aggregates say of its rows."""
        rows = self.con.execute(f"select {self.file}, {columns} from {self.table} group by 1 order by 1").fetchall()
        return {file: tuple(values) for file, *values in rows}

    def shapes(self, column: str, alike: str) -> Shapes:
        """The shapes of a column's values that are not blank. Values of one shape differ in digits of `alike` only."""
        rows = self.con.execute(
            f"""select file, min(value), sum(times)::bigint from (
                select {self.file} as file, trim({quote(column)}) as value, count(*) as times
                from {self.table} group by all
            ) where value <> ''
            group by file, translate(value, '{alike}', '{"9" * len(alike)}') order by 1, 3 desc, 2"""
        ).fetchall()
        shapes: Shapes = {}
        for file, example, count in rows:
            shapes.setdefault(file, {})[example] = count
        return shapes


def pooled(shapes: Shapes) -> dict[str, int]:
    """The shapes of all files together."""
    together: dict[str, int] = {}
    for of_file in shapes.values():
        for example, count in of_file.items():
            together[example] = together.get(example, 0) + count
    return together
