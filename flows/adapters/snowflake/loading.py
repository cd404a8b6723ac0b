"""Arrow data into Snowflake: parquet files to a stage, COPY into a temporary table, one transaction at the end.

A load can be interrupted anywhere and run again: readers see the old content until the last statement, files that are
on the stage are not sent again, and loaded content is not loaded again (`raw.load_manifest`)."""

import hashlib
import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from flows.adapters.duckdb.sql import quote
from flows.errors import BadInput, PipelineError, WarehouseUnreachable

log = logging.getLogger(__name__)

STAGE = "raw.loads"
MANIFEST = "raw.load_manifest"
PART_ROWS = 1_000_000  # some 20 to 60 MB of parquet: a size that Snowflake loads well
UPLOADS_AT_ONCE = 4

Execute = Callable[[str], Sequence[tuple[Any, ...]]]


@dataclass(frozen=True)
class Part:
    """A parquet file of a load; its name is the digest of its content."""

    file: Path
    rows: int

    @property
    def bytes(self) -> int:
        return self.file.stat().st_size


@dataclass(frozen=True)
class Load:
    """The content of a relation. `extra`: columns with one value for all rows, as type and value in SQL."""

    relation: str
    schema: pa.Schema
    parts: tuple[Part, ...]
    extra: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def id(self) -> str:
        """An id that is the same for the same content and columns."""
        content = [*self.schema.names, *self.extra, *(part.file.stem for part in self.parts)]
        return hashlib.sha256("\n".join(content).encode()).hexdigest()[:32]

    @property
    def columns(self) -> list[str]:
        return [quoted(name) for name in self.schema.names]

    @property
    def temporary(self) -> str:
        return f"{self.relation}__load"


def write_parts(rows: pa.RecordBatchReader, folder: Path, part_rows: int = PART_ROWS) -> tuple[Part, ...]:
    """The rows as parquet files in `folder`, a part in memory at a time."""
    return tuple(_write(pa.Table.from_batches(batches), folder) for batches in _together(rows, part_rows))


def _together(batches: Iterable[pa.RecordBatch], part_rows: int) -> Iterator[list[pa.RecordBatch]]:
    together: list[pa.RecordBatch] = []
    for batch in batches:
        if together and sum(b.num_rows for b in together) + batch.num_rows > part_rows:
            yield together
            together = []
        together.append(batch)
    if together:
        yield together


def _write(table: pa.Table, folder: Path) -> Part:
    draft = Path(tempfile.mkstemp(suffix=".draft", dir=folder)[1])
    pq.write_table(table, draft, compression="zstd")
    with draft.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()[:32]
    return Part(draft.replace(folder / f"{digest}.parquet"), table.num_rows)


def quoted(name: str) -> str:
    """A column name as Airbyte and we write it: in capitals, whatever other characters it has."""
    return quote(name.upper())


def sql_type(kind: pa.DataType) -> str:
    """Snowflake's type for one of Arrow's."""
    if pa.types.is_decimal(kind):
        return f"number({kind.precision}, {kind.scale})"
    for fits, name in (
        (pa.types.is_boolean, "boolean"), (pa.types.is_integer, "number(38, 0)"), (pa.types.is_floating, "double"),
        (pa.types.is_date, "date"), (pa.types.is_timestamp, "timestamp_ntz"),
    ):  # fmt: skip
        if fits(kind):
            return name
    return "varchar"


def replace_all(execute: Execute, loads: Sequence[Load], loaded_at: datetime) -> None:
    """Replaces the rows of every relation by its load: all of them or none. Columns that are new are added; missing
    ones stay, as NULL."""
    execute(
        f"create table if not exists {MANIFEST} (load_id varchar, relation varchar, row_count number(38, 0),"
        " part_count number(38, 0), byte_count number(38, 0), loaded_at timestamp_ntz, is_current boolean)"
    )
    changed = [load for load in loads if not _is_loaded(execute, load)]
    for load in loads:
        if load not in changed:
            log.info("%s: the same %s rows as before, not loaded again", load.relation, f"{load.rows:,}")
    if not changed:
        return
    for load in changed:
        _stage(execute, load)
        _make_table(execute, load)
    execute("begin")
    try:
        for load in changed:
            columns = ", ".join([*load.columns, *map(quoted, load.extra)])
            values = ", ".join([*load.columns, *(value for _, value in load.extra.values())])
            execute(f"delete from {load.relation}")
            execute(f"insert into {load.relation} ({columns}) select {values} from {load.temporary}")
            _require_arrived(execute, load, load.relation)
            execute(f"update {MANIFEST} set is_current = false where relation = '{load.relation}' and is_current")
            execute(
                f"insert into {MANIFEST}"
                " (load_id, relation, row_count, part_count, byte_count, loaded_at, is_current)"
                f" select '{load.id}', '{load.relation}', {load.rows}, {len(load.parts)},"
                f" {sum(part.bytes for part in load.parts)}, '{loaded_at:%Y-%m-%d %H:%M:%S.%f}'::timestamp_ntz, true"
            )
        execute("commit")
    except BaseException:
        with suppress(PipelineError):  # without a connection there is no transaction
            execute("rollback")
        raise
    for load in changed:
        _clean_up(execute, load)


def merge(execute: Execute, load: Load, keys: Sequence[str], update: bool) -> None:
    """Adds the rows whose keys are not there yet, in one statement; replaces those that are, with `update`."""
    _make_table(execute, load)
    if not load.rows:
        return
    _stage(execute, load)
    same = " and ".join(f"old.{quoted(key)} is not distinct from new.{quoted(key)}" for key in keys)
    others = [name for name in load.columns if name not in map(quoted, keys)]
    changes = ", ".join(f"{name} = new.{name}" for name in others)
    matched = f" when matched then update set {changes}" if update and changes else ""
    execute(
        f"merge into {load.relation} as old using {load.temporary} as new on {same}{matched}"
        f" when not matched then insert ({', '.join(load.columns)})"
        f" values ({', '.join(f'new.{name}' for name in load.columns)})"
    )
    _clean_up(execute, load)


def _is_loaded(execute: Execute, load: Load) -> bool:
    """Whether the relation has exactly this content.

    Raises:
        BadInput: when it was filled by something else, whose rows a load would delete.
    """
    [[there]] = execute(f"select count(*) from {load.relation}") if _columns(execute, load.relation) else [(None,)]
    current = execute(f"select load_id, row_count from {MANIFEST} where relation = '{load.relation}' and is_current")
    if there and there not in [rows for _, rows in current]:
        raise BadInput(
            f"{load.relation} holds {there:,} rows that are not from a file, as Airbyte leaves them, and loading one"
            " would delete them. Leave out ORDERS= to use them, give the file another SOURCE=, or drop the table."
        )
    return there is not None and current == [(load.id, there)]


def _stage(execute: Execute, load: Load) -> None:
    """Loads the rows into a temporary table of the session, and counts them."""
    columns = ", ".join(f"{quoted(column.name)} {sql_type(column.type)}" for column in load.schema)
    place = f"@{STAGE}/{load.relation}/{load.id}"
    execute(f"create stage if not exists {STAGE}")
    execute(f"create or replace temporary table {load.temporary} ({columns})")
    if not load.parts:
        return
    for part in load.parts:
        log.info("%s: sending %s rows", load.relation, f"{part.rows:,}")
        execute(f"put 'file://{part.file}' {place} auto_compress=false overwrite=false parallel={UPLOADS_AT_ONCE}")
    files = ", ".join(f"'{part.file.name}'" for part in load.parts)
    execute(
        f"copy into {load.temporary} from {place} files = ({files})"
        " file_format = (type = parquet use_logical_type = true null_if = ()) match_by_column_name = case_insensitive"
        " on_error = abort_statement"
    )
    _require_arrived(execute, load, load.temporary)


def _require_arrived(execute: Execute, load: Load, table: str) -> None:
    """The connector repeats a statement whose response was lost, and Snowflake nearly always recognises it."""
    [[arrived]] = execute(f"select count(*) from {table}")
    if arrived != load.rows:
        raise WarehouseUnreachable(
            f"{arrived:,} rows instead of {load.rows:,} arrived in {table}, and {load.relation} stays as it was."
            " Run again: the load starts from scratch."
        )


def _make_table(execute: Execute, load: Load) -> None:
    wanted = {column.name: sql_type(column.type) for column in load.schema}
    wanted |= {name: kind for name, (kind, _) in load.extra.items()}
    there = _columns(execute, load.relation)
    if not there:
        columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in wanted.items())
        execute(f"create table if not exists {load.relation} ({columns})")
        return
    for name, kind in wanted.items():
        if name.upper() not in there:
            execute(f"alter table {load.relation} add column {quoted(name)} {kind}")


def _columns(execute: Execute, relation: str) -> set[str]:
    schema, table = relation.upper().split(".")
    found = execute(
        f"select column_name from information_schema.columns where table_schema = '{schema}' and table_name = '{table}'"
    )
    return {row[0] for row in found}


def _clean_up(execute: Execute, load: Load) -> None:
    execute(f"drop table if exists {load.temporary}")
    execute(f"remove @{STAGE}/{load.relation}/")  # with leftovers of an interrupted load
