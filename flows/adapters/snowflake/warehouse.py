"""The warehouse in Snowflake: one database, one shop."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

import duckdb
import pyarrow as pa
import snowflake.connector
from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import SnowflakeCursor

from flows.adapters.files.reading.columns.fuller import fuller_columns
from flows.adapters.files.reading.describing import (
    describe_order_lines,
    describe_rows,
    map_contacts,
    map_order_lines,
    map_products,
)
from flows.adapters.files.reading.landing import CsvLanding, Meaning
from flows.adapters.files.reading.raw_tables import SPANS, UNREADABLE
from flows.adapters.files.reading.tables.text_rows import FILE_COLUMN, TextRows
from flows.adapters.models.registry import MODEL
from flows.adapters.snowflake import udf as snowflake_udf
from flows.adapters.snowflake.account import SnowflakeAccount
from flows.adapters.snowflake.errors import to_domain_error
from flows.adapters.snowflake.loading import Load, merge, quoted, replace_all, write_parts
from flows.errors import BadInput, PipelineError, WarehouseUnreachable
from flows.sources.connections import Connections, KindOfFile, RecognisedHeaders
from flows.sources.mappings import ERASED, Kind, Landing, RowMapping
from flows.sources.platforms import as_platform, describe_recognised, other_headers
from functions.churn_api.contract import FEATURES
from functions.prediction_record import RELATION, PredictionRecord

SAMPLE_ROWS = 50_000
SAMPLE_OF_A_FILE = 5_000


@dataclass(frozen=True)
class SnowflakeWarehouse:
    """Tables in the account's database. The connection opens at the first call and stays for the next ones."""

    account: SnowflakeAccount
    scratch: Path
    scoring: Literal["external_function", "udf"]
    _open: list[SnowflakeConnection] = field(default_factory=list, repr=False, compare=False)

    @property
    def place(self) -> str:
        return f"{self.account.database} in Snowflake's account {self.account.account}"

    def held_open(self) -> AbstractContextManager[None]:
        return nullcontext()  # the connection stays open anyway

    def read(self, query: str) -> pa.Table:
        with self._cursor("a query") as cursor:
            cursor.execute(query, timeout=self._patience)
            return _as_on_the_laptop(cursor.fetch_arrow_all(force_return_table=True))

    def row(self, query: str) -> tuple[Any, ...]:
        return tuple(self.read(query).to_pylist()[0].values())

    def merge(self, relation: str, rows: pa.Table, keys: Sequence[str]) -> None:
        self._merge(relation, rows, keys, update=True)

    def change(self, doing: str, statements: Sequence[str]) -> None:
        execute = partial(self._execute, doing)
        execute("begin")
        try:
            for statement in statements:
                execute(statement)
            execute("commit")
        except BaseException:
            with suppress(PipelineError):  # whose connection is gone has no transaction left
                execute("rollback")
            raise

    def blank_rows(self, connection: str, kind: Kind, keys: str) -> None:
        relation = f"raw_{connection}.{kind}"
        schema, table = relation.upper().split(".")
        columns = self._execute(
            f"looking at {relation}",
            "select column_name, data_type from information_schema.columns"
            f" where table_schema = '{schema}' and table_name = '{table}'",
        )
        text = {name: data_type in ("TEXT", "VARCHAR") for name, data_type in columns}
        blanks = [
            f"{quoted(name)} = " + (f"'{ERASED}'" if is_text else "null")
            for name, is_text in text.items()
            if not name.startswith(("_AIRBYTE_", "_AB_"))
        ]
        statement = f"update {relation} set {', '.join(blanks)} where _airbyte_raw_id in ({keys})"
        self.change(f"blanking rows of {relation}", [statement])

    def drop_raw(self, relation: str) -> int:
        [rows] = self.row(f"select count(*) from {relation}")
        self.change(f"dropping {relation}", [f"drop table {relation}"])
        return int(rows)

    def other_shops(self) -> Sequence[Self]:
        return []

    def purge_deleted(self) -> str:
        return (
            f"{self.account.database} keeps deleted rows for Time Travel (DATA_RETENTION_TIME_IN_DAYS) and, of"
            " tables that are not transient (raw ones, marts.churn_predictions), another 7 days for Fail-safe"
        )

    def takes_predictions(self) -> bool:
        return self.exists(RELATION)

    def add_predictions(self, records: Sequence[PredictionRecord]) -> None:
        by_id = {record.prediction_id: record.model_dump() for record in records}
        self._merge(RELATION, pa.Table.from_pylist(list(by_id.values())), ["prediction_id"], update=False)

    def exists(self, relation: str) -> bool:
        schema, name = relation.upper().split(".")
        return bool(
            self._execute(
                f"looking for {relation}",
                f"select 1 from information_schema.tables where table_schema = '{schema}' and table_name = '{name}'",
            )
        )

    def claim_for_shop(self, shop: str) -> str | None:
        """Stores which shop the database belongs to.

        Raises:
            BadInput: when it belongs to another shop.
        """
        execute = partial(self._execute, "noting the shop in raw.shop")
        self._make_schema("raw")
        execute("create table if not exists raw.shop (shop varchar)")
        there = self.current_shop()
        if there is None:
            escaped = shop.replace("'", "''")
            execute(f"insert into raw.shop select '{escaped}'")
        elif there != shop:
            raise BadInput(
                f"The database {self.account.database} holds the shop {there}, and this run is about {shop}."
                " Each shop needs a database of its own: set SNOWFLAKE_DATABASE to another."
            )
        return None

    def current_shop(self) -> str | None:
        if not self.exists("raw.shop"):
            return None
        found = self._execute("reading raw.shop", "select shop from raw.shop")
        return str(found[0][0]) if found else None

    def land(
        self, kind: KindOfFile, pattern: str, connection: str, connections: Connections, extracted_at: datetime
    ) -> Landing:
        """The files are read on this machine, as for the laptop's warehouse, and loaded as parquet."""
        with self._scratch_folder() as folder, duckdb.connect(folder / "landing.duckdb") as con:
            landing = CsvLanding(con, connections, extracted_at, folder)
            landed = landing.land(kind, pattern, connection)
            self._load_landed(landing, landed, connection)
        return landed

    def _load_landed(self, landing: CsvLanding, landed: Landing, connection: str) -> None:
        kind, con, folder = landed.kind, landing.con, landing.scratch
        schema, airbyte = f"raw_{connection}", _airbyte_columns(landing.extracted_at)
        rows = con.sql(f'select * exclude ({", ".join(airbyte)}) from "{schema}".{kind}')
        loads = [_load(f"{schema}.{kind}", rows, folder, airbyte)]
        loads += [_load(side[kind], con.table(side[kind]), folder) for side in (UNREADABLE, SPANS)]
        self._make_schema("raw")
        self._make_schema(schema)
        replace_all(partial(self._execute, f"loading {schema}.{kind}"), loads, landing.extracted_at)

    def synced(self, kind: KindOfFile, connection: str, connections: Connections, read_at: datetime) -> Landing:
        """Formats are detected in a sample of the rows, as in files."""
        found = connections.connection(connection)
        if kind == "contacts":
            return self._synced_beside("contacts", connection, connections, found.contacts, map_contacts, read_at)
        if kind == "products":
            return self._synced_beside("products", connection, connections, found.products, map_products, read_at)
        return self._synced_order_lines(connection, connections, read_at)

    def _synced_order_lines(self, connection: str, connections: Connections, read_at: datetime) -> Landing:
        stream = connections.connection(connection).order_lines
        assert stream is not None  # checked by sources_of
        relation = f"raw_{connection}.order_lines"
        header = self._header_of(relation, connection)
        declared = stream.model_copy(update={"columns": {ours: name.upper() for ours, name in stream.columns.items()}})
        read_as, platform = as_platform(header, declared, connections.platforms)
        columns = map_order_lines(header, read_as, connections.recognised_headers, Path(relation), connection)
        with self._sample_of(relation, header) as con:
            rows, values = TextRows(con, "sample", _file_column(header)), connections.recognised_values
            others = other_headers(connections, read_as, platform)
            columns, passed_over = fuller_columns(rows, header, columns, others)
            mappings, notes = describe_order_lines(rows, connection, read_as, columns, values, read_at.date())
        recognised = describe_recognised(platform, read_as)
        return replace(self._synced("order_lines", relation, mappings), notes=(*recognised, *passed_over, *notes))

    def _synced_beside(
        self,
        kind: Literal["contacts", "products"],
        connection: str,
        connections: Connections,
        stream: Meaning | None,
        map_header: Callable[[Sequence[str], Meaning, RecognisedHeaders, Path, str], Mapping[Any, str]],
        read_at: datetime,
    ) -> Landing:
        assert stream is not None  # checked by sources_of
        relation = f"raw_{connection}.{kind}"
        header = self._header_of(relation, connection)
        declared = stream.model_copy(update={"columns": {ours: name.upper() for ours, name in stream.columns.items()}})
        columns = map_header(header, declared, connections.recognised_headers, Path(relation), connection)
        with self._sample_of(relation, header) as con:
            rows = TextRows(con, "sample", _file_column(header))
            mappings = describe_rows(rows, kind, connection, stream, columns, read_at.date())
        return self._synced(kind, relation, mappings)

    def _header_of(self, relation: str, connection: str) -> list[str]:
        schema, table = relation.upper().split(".")
        found = self._execute(
            f"looking at {relation}",
            "select column_name from information_schema.columns"
            f" where table_schema = '{schema}' and table_name = '{table}' order by ordinal_position",
        )
        header = [name for (name,) in found if not name.startswith("_AIRBYTE_")]
        if not header:
            raise BadInput(
                f"There is no {relation} in {self.account.database}: has Airbyte synced the connection {connection},"
                f" and may the role {self.account.role} use the schema and select from the table?"
                " Give a file instead, with ORDERS=, CONTACTS= or PRODUCTS=."
            )
        return header

    @contextmanager
    def _sample_of(self, relation: str, header: Sequence[str]) -> Iterator[duckdb.DuckDBPyConnection]:
        sampled = ", ".join(f"cast({quoted(name)} as varchar) as {quoted(name)}" for name in header)
        chosen = f"sample ({SAMPLE_ROWS} rows)"
        if file := _file_column(header):  # some rows of every file: each may be written in a way of its own
            numbered = f"row_number() over (partition by {quoted(file)} order by _airbyte_raw_id)"
            chosen = f"qualify {numbered} <= {SAMPLE_OF_A_FILE}"
        sample = self.read(f"select {sampled} from {relation} {chosen}")
        with duckdb.connect() as con:
            con.register("sample", sample.rename_columns(list(header)))
            yield con

    def _synced(self, kind: Kind, relation: str, mappings: tuple[RowMapping, ...]) -> Landing:
        """The synced table without files: dbt's tables about files are empty."""
        doing = f"looking at {relation}"
        [[rows]] = self._execute(doing, f"select count(*) from {relation}")
        self._execute(doing, f"create or replace table {UNREADABLE[kind]}"
                             " (file varchar, line number(38, 0), reason varchar, content varchar)")  # fmt: skip
        self._execute(doing, f"create or replace table {SPANS[kind]} (file varchar, first_row number(38, 0),"
                             " last_row number(38, 0), first_line number(38, 0))")  # fmt: skip
        return Landing(kind, files=(), rows=rows, unreadable=0, mappings=mappings, notes=())

    def scores_with(self, chosen: str) -> str:
        """The version that the API reports; with a UDF, the chosen one."""
        if self.scoring == "udf":
            return chosen
        example = {name: feature.example for name, feature in FEATURES.items()}
        [[version]] = self._execute(
            "asking marts.predict_churn for its model",
            "select coalesce(cast(answer:model_version as varchar), cast(answer:error as varchar)) from"
            f" (select marts.predict_churn(parse_json('{json.dumps(example)}')) as answer)",
        )
        return str(version)

    def prepare_scoring(self, version: str, folder: Path) -> Mapping[str, str]:
        """Where the API serves another version, a function inside Snowflake scores this once."""
        calls_the_api = self.scoring == "external_function"
        if not calls_the_api or self.scores_with(version) != version:
            execute = partial(self._execute, f"making {snowflake_udf.NAME}")
            place = f"@{snowflake_udf.STAGE}/{version}"
            packages = snowflake_udf.choose_packages(execute(snowflake_udf.AVAILABLE_PACKAGES))
            self._make_schema(snowflake_udf.STAGE.split(".")[0])
            execute(f"create stage if not exists {snowflake_udf.STAGE}")
            with self._scratch_folder() as scratch:
                for file in (folder / MODEL, snowflake_udf.write_code(scratch)):
                    execute(f"put 'file://{file}' {place} auto_compress=false overwrite=true")
            execute(snowflake_udf.create_function(place, packages))
            return {"scoring": "udf"} if calls_the_api else {}
        return {}

    def _merge(self, relation: str, rows: pa.Table, keys: Sequence[str], update: bool) -> None:
        self._make_schema("raw")
        self._make_schema(relation.split(".")[0])
        with self._scratch_folder() as folder:
            load = _load(relation, rows, folder)
            merge(partial(self._execute, f"merging rows into {relation}"), load, keys, update)

    @contextmanager
    def _scratch_folder(self) -> Iterator[Path]:
        self.scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            yield Path(folder)

    def _make_schema(self, schema: str) -> None:
        # checked first: a role that may use a schema can rarely create one
        found = self._execute(
            f"looking for the schema {schema}",
            f"select 1 from information_schema.schemata where schema_name = '{schema.upper()}'",
        )
        if not found:
            self._execute(f"creating the schema {schema}", f"create schema if not exists {schema}")

    def _execute(self, doing: str, statement: str) -> list[tuple[Any, ...]]:
        with self._cursor(doing) as cursor:
            cursor.execute(statement, timeout=self._patience)
            return list(cursor.fetchall())

    @property
    def _patience(self) -> int:
        """Snowflake's own time limit comes first; without a longer one here the connector's network timeout would."""
        return self.account.statement_timeout_seconds + 60

    @contextmanager
    def _cursor(self, doing: str) -> Iterator[SnowflakeCursor]:
        try:
            with to_domain_error(doing), self._connection().cursor() as cursor:
                yield cursor
        except WarehouseUnreachable:
            self._close()  # the state of the session is unknown: the next one is new
            raise

    def _connection(self) -> SnowflakeConnection:
        if not self._open or self._open[0].is_closed():
            self._close()
            with to_domain_error(f"connecting to {self.account.account} as {self.account.user}"):
                self._open.append(snowflake.connector.connect(**self.account.connection_arguments()))
        return self._open[0]

    def _close(self) -> None:
        while self._open:
            with suppress(snowflake.connector.errors.Error):
                self._open.pop().close()


def _file_column(header: Sequence[str]) -> str | None:
    """The path in Airbyte's metadata to the file of a row."""
    return FILE_COLUMN.upper() if FILE_COLUMN.upper() in header else None


def _airbyte_columns(extracted_at: datetime) -> dict[str, tuple[str, str]]:
    """The columns that Airbyte's destination adds to every row, except for its id."""
    return {
        "_airbyte_extracted_at": ("timestamp_tz", f"cast('{extracted_at.isoformat()}' as timestamp_tz)"),
        "_airbyte_meta": ("variant", """parse_json('{"changes":[]}')"""),
        "_airbyte_generation_id": ("number(38, 0)", "0"),
    }


def _load(
    relation: str,
    rows: pa.Table | duckdb.DuckDBPyRelation,
    folder: Path,
    extra: Mapping[str, tuple[str, str]] | None = None,
) -> Load:
    stream = pa.RecordBatchReader.from_stream(rows)
    names = [name.upper() for name in stream.schema.names]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInput(
            f"The columns of {relation} are written in capitals in Snowflake, and two of them are {twice} then."
            " Rename one of them in the file."
        )
    schema = pa.schema([column.with_name(name) for column, name in zip(stream.schema, names, strict=True)])
    renamed = pa.RecordBatchReader.from_batches(schema, (batch.rename_columns(names) for batch in stream))
    return Load(relation, schema, write_parts(renamed, folder), extra or {})


def _as_on_the_laptop(table: pa.Table) -> pa.Table:
    """Names in small letters, and DuckDB's types: Snowflake's depend on the values of each result."""
    return table.rename_columns([name.lower() for name in table.column_names]).cast(
        pa.schema([pa.field(column.name.lower(), _plain(column.type)) for column in table.schema])
    )


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0):
        return pa.int64()
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    if pa.types.is_date(kind):
        return pa.date32()  # without rows it is date64
    return kind
