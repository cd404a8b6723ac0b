"""The laptop's warehouse: one DuckDB file, one shop at a time."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import duckdb
import pyarrow as pa

from flows.adapters.duckdb.sql import literal, quote, transaction
from flows.adapters.files.reading.landing import CsvLanding
from flows.adapters.files.reading.tables.text_rows import FILE_COLUMN
from flows.errors import BadInput, WarehouseBusy
from flows.sources.connections import Connections, KindOfFile
from flows.sources.mappings import ERASED, Kind, Landing
from functions.prediction_record import RELATION, PredictionRecord


@dataclass(frozen=True)
class DuckDBWarehouse:
    """Tables in `file`. Every call opens the file and closes it again, so that dbt can open it in between.
    `reads_only`: DuckDB itself refuses to write."""

    file: Path
    scratch: Path
    is_of_other_shop: bool = False
    reads_only: bool = False

    @property
    def place(self) -> str:
        return str(self.file)

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for the length of a `with` block.

        Raises:
            WarehouseBusy: when another process has the file open.
            BadInput: when there is none to read.
        """
        if self.reads_only and not self.file.exists():
            raise BadInput(f"There is no warehouse in {self.file.parent} yet: `make run` first.")
        self.file.parent.mkdir(parents=True, exist_ok=True)
        try:
            con = self._open()
        except duckdb.IOException as error:
            if "lock" not in str(error):
                raise
            raise WarehouseBusy(
                f"{self.file} is open in another program (another run, a notebook, a database browser)."
                " Close it there and run again."
            ) from None
        try:
            yield con
        finally:
            con.close()

    def _open(self) -> duckdb.DuckDBPyConnection:
        if not self.is_of_other_shop:
            return duckdb.connect(self.file, read_only=self.reads_only)
        con = duckdb.connect()
        con.execute(f"attach {literal(self.file)} as warehouse; use warehouse")  # the name that its views refer to
        return con

    @contextmanager
    def held_open(self) -> Iterator[None]:
        with self.connect():  # DuckDB shares it with every other connection of this process
            yield

    def read(self, query: str) -> pa.Table:
        with self.connect() as con:
            return con.sql(query).to_arrow_table()

    def row(self, query: str) -> tuple[Any, ...]:
        return tuple(self.read(query).to_pylist()[0].values())

    def merge(self, relation: str, rows: pa.Table, keys: Sequence[str]) -> None:
        same = " and ".join(f"old.{key} is not distinct from new.{key}" for key in keys)
        with self.connect() as con, transaction(con):
            con.register("new_rows", rows)
            con.execute(f"create schema if not exists {relation.split('.')[0]}")
            con.execute(f"create table if not exists {relation} as from new_rows limit 0")
            con.execute(f"delete from {relation} as old using new_rows as new where {same}")
            con.execute(f"insert into {relation} by name from new_rows")

    def change(self, doing: str, statements: Sequence[str]) -> None:  # noqa: ARG002
        with self.connect() as con, transaction(con):
            for statement in statements:
                con.execute(statement)

    def blank_rows(self, connection: str, kind: Kind, keys: str) -> None:
        table = f'"raw_{connection}".{kind}_as_text'
        with self.connect() as con:
            columns = ", ".join(
                f"{quote(name)} = '{ERASED}'" for name in con.table(table).columns if name != FILE_COLUMN
            )
            con.execute(f"update {table} set {columns} where rowid in (select cast(row_key as bigint)"
                        f" from ({keys}) as keys (row_key))")  # fmt: skip

    def drop_raw(self, relation: str) -> int:
        schema, name = relation.split(".")
        [rows] = self.row(f"select count(*) from {relation}")
        self.change("-", [f"drop view {relation}", f"drop table {quote(schema)}.{name}_as_text"])
        return int(rows)

    def other_shops(self) -> Sequence[Self]:
        files = sorted(self.file.parent.glob(f"{self.file.stem}.*{self.file.suffix}"))
        return [type(self)(file, self.scratch, is_of_other_shop=True) for file in files]

    def purge_deleted(self) -> str:
        """Rewrites the file: deleted rows would stay in its free blocks."""
        draft = self.file.with_suffix(".rewritten")
        draft.unlink(missing_ok=True)
        with duckdb.connect() as con:
            con.execute(f"attach {literal(self.file)} as warehouse; attach {literal(draft)} as rewritten")
            con.execute("copy from database warehouse to rewritten")
            con.execute("detach rewritten; detach warehouse")
        draft.replace(self.file)
        return f"{self.file} was rewritten: no deleted row is left in free blocks"

    def synced(self, kind: KindOfFile, connection: str, connections: Connections, read_at: datetime) -> Landing:  # noqa: ARG002
        if kind == "order_lines":
            raise BadInput(f"SOURCE={connection} needs ORDERS= too: Airbyte's server does not sync to a laptop.")
        raise BadInput(f"The {kind} of {connection} are a file: name it with {kind.upper()}=.")

    def scores_with(self, chosen: str) -> str:
        return chosen

    def prepare_scoring(self, version: str, folder: Path) -> Mapping[str, str]:  # noqa: ARG002
        return {"model_folder": str(folder)}

    def takes_predictions(self) -> bool:
        return self.file.exists() and self.exists(RELATION)

    def add_predictions(self, records: Sequence[PredictionRecord]) -> None:
        rows = pa.Table.from_pylist([record.model_dump() for record in records])
        with self.connect() as con:
            con.register("new_rows", rows)
            con.execute(
                f"""insert into {RELATION} by name
                select distinct on (prediction_id) * from new_rows
                where prediction_id not in (select prediction_id from {RELATION})"""
            )

    def exists(self, relation: str) -> bool:
        schema, name = relation.split(".")
        found = self.read(
            f"select 1 from information_schema.tables where table_schema = '{schema}' and table_name = '{name}'"
        )
        return bool(found.num_rows)

    def claim_for_shop(self, shop: str) -> str | None:
        """Makes this the warehouse of that shop, so that no table ever mixes two.

        Another shop's warehouse is moved to `warehouse.<shop>.duckdb` and comes back when that shop is run
        again. Returns a notice for the user if one was moved.
        """
        note = None
        if self.file.exists() and (other := self._shop()) != shop:
            aside = self._file_of_shop(other or "unknown")
            self.file.replace(aside)
            note = f"the warehouse held {other}; it is now {aside.name}"
        if not self.file.exists() and self._file_of_shop(shop).exists():
            self._file_of_shop(shop).replace(self.file)
        with self.connect() as con:
            con.execute("create schema if not exists raw")
            con.execute("create table if not exists raw.shop (shop varchar)")
            con.execute("insert into raw.shop select $1 where not exists (from raw.shop)", [shop])
        self._shop_file.write_text(shop, encoding="utf-8")
        return note

    def current_shop(self) -> str | None:
        """The shop that this is the warehouse of, also while another process has it open; None before the first run."""
        return self._shop_file.read_text(encoding="utf-8") if self._shop_file.exists() else None

    @property
    def _shop_file(self) -> Path:
        return self.file.with_name(".shop")

    def land(
        self, kind: KindOfFile, pattern: str, connection: str, connections: Connections, extracted_at: datetime
    ) -> Landing:
        self.scratch.mkdir(parents=True, exist_ok=True)
        with self.connect() as con, tempfile.TemporaryDirectory(dir=self.scratch) as copies:
            return CsvLanding(con, connections, extracted_at, Path(copies)).land(kind, pattern, connection)

    def _shop(self) -> str | None:
        if not self.exists("raw.shop"):
            return None
        shops: list[str] = self.read("select shop from raw.shop").column("shop").to_pylist()
        return shops[0] if shops else None

    def _file_of_shop(self, shop: str) -> Path:
        return self.file.with_name(f"{self.file.stem}.{shop}{self.file.suffix}")
