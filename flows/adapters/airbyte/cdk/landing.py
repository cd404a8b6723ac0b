"""Lands the records of one stream in its table, in the shape of Airbyte's destination-snowflake 4."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa

from flows.adapters.airbyte.cdk import sync_state
from flows.adapters.airbyte.cdk.columns import (
    UNDECLARED,
    converted,
    listed,
    may_not_fit,
    meta,
    pointer,
    read_json,
)
from flows.adapters.airbyte.cdk.sync_state import SyncState
from flows.adapters.duckdb.sql import quote, transaction
from flows.ports.syncs import SyncFailed
from flows.sources.connections import Stream

log = logging.getLogger(__name__)

_BATCH_BYTES = 32 << 20
ENOUGH_CHANGES = 100  # so many changed records without any value of a needed column are not an accident
_AIRBYTES = {
    "_airbyte_raw_id": "varchar",
    "_airbyte_extracted_at": "timestamp with time zone",
    "_airbyte_meta": "json",
    "_airbyte_generation_id": "bigint",
}


@dataclass(frozen=True)
class Batches:
    """The parameters shared by all streams of a sync. `sync_id` grows from sync to sync; a batch has at most
    `records`."""

    connection: str
    sync_id: int
    started_at: datetime
    records: int


def table_of(connection: str, stream: str) -> str:
    """The SQL name of a stream's table."""
    return f"{quote(f'raw_{connection}')}.{quote(stream)}"


class StreamLanding:
    """Takes records line by line, stages them in batches, and commits a batch with the state that came before it.

    A batch may contain records from after that state: the next sync brings them again, which replaces them.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        name: str,
        stream: Stream,
        columns: Mapping[str, str],
        required: frozenset[str],
        before: SyncState,
        batches: Batches,
    ) -> None:
        self.name = name
        self.rows = 0
        self.bytes = 0
        self.state = before.state
        self.complete = False
        self._con = con
        self._stream = stream
        self._batches = batches
        self._columns = dict(columns)
        self._undeclared: set[str] = set()
        # an incremental read may bring only a few incomplete records; a full read must have every column
        self._enough = 1 if before.state is None else ENOUGH_CHANGES
        self._unseen = required
        self._overwrites = stream.sync_mode == "full_refresh_overwrite"
        self._generation = before.generation + 1 if self._overwrites else before.generation
        self._broken: str | None = None
        self._lines: list[bytes] = []
        self._waiting_bytes = 0
        self._misfits: Counter[str] = Counter()
        self._notes: dict[str, None] = {}  # in order, each once
        self._table = table_of(batches.connection, name)
        self._staged = f"temp.{quote(f'{name} staged')}"
        self._make_staged()

    @property
    def notes(self) -> Iterator[str]:
        yield from self._notes
        for column, count in self._misfits.items():
            yield (
                f"{self._label}: {count:,} values of {column} are no {self._columns[column]} and landed as NULL;"
                " _airbyte_meta says where"
            )

    @property
    def held_back(self) -> str | None:
        """The reason why nothing of this stream may be committed now; None: it may."""
        if self._broken:
            return self._broken
        if self.rows >= self._enough and self._unseen:
            return (
                f"{self._label}: none of {self.rows:,} records has {', '.join(sorted(self._unseen))}, which is needed."
                " Nothing of the stream was kept. Ask for the field in the manifest, or leave it out of the `columns`"
                " in airbyte/connections.yml."
            )
        return self.unfinished if self._overwrites else None

    @property
    def unfinished(self) -> str | None:
        """The message for a stream that was not read to its end; None: it was."""
        if self.complete:
            return None
        return f"{self._label}: the source ended without saying that it read the stream to its end. Run again."

    def add(self, line: bytes) -> None:
        """Takes a record; a batch that is full goes to DuckDB and, where it may, into the table.

        Raises:
            SyncFailed: when the batch has a record without its primary key.
        """
        self.rows += 1
        self.bytes += len(line)
        self._lines.append(line)
        self._waiting_bytes += len(line)
        if len(self._lines) >= self._batches.records or self._waiting_bytes >= _BATCH_BYTES:
            self.stage()
            if not self._overwrites and not self.held_back:
                self.commit()
            log.info("%s: %s records so far", self._label, f"{self.rows:,}")

    def stage(self) -> None:
        """Gives the waiting lines to DuckDB.

        Raises:
            SyncFailed: when a record has no primary key.
        """
        if not self._lines:
            return
        first = self.rows - len(self._lines)
        lines = pa.table({"line": pa.array(self._lines, pa.string()), "seq": pa.array(range(first, self.rows))})
        self._lines, self._waiting_bytes = [], 0
        self._con.register("cdk_lines", lines)
        try:
            self._see_columns()
            self._con.execute(self._read_lines())
        finally:
            self._con.unregister("cdk_lines")
        self._count_misfits(first)
        self._require_keys(first)

    def commit(self) -> None:
        """Moves staged records and their state into the table, in one transaction."""
        with transaction(self._con):
            self._con.execute(f"create schema if not exists {quote(f'raw_{self._batches.connection}')}")
            before = self._types_of_table()
            rows = f"select {listed([*self._columns, *_AIRBYTES])} from {self._staged}"
            if self._overwrites:
                self._note_changes(before)
                self._con.execute(f"create or replace table {self._table} as {rows}")
            else:
                self._con.execute(f"create table if not exists {self._table} as {rows} limit 0")
                self._note_changes(before)
                if before:
                    self._change_table(before)
                self._merge()
            # the state of a full refresh is useless for the next one, which reads everything again
            state = None if self._overwrites else self.state
            sync_state.save(
                self._con,
                self._batches.connection,
                self.name,
                SyncState(state, self._generation),
                self._batches.started_at,
            )
        self._make_staged()

    def drop_staged(self) -> None:
        self._con.execute(f"drop table if exists {self._staged}")

    @property
    def _label(self) -> str:
        return f"{self._batches.connection}.{self.name}"

    def _make_staged(self) -> None:
        columns = {**self._columns, **_AIRBYTES}
        defined = ", ".join(f"{quote(name)} {kind}" for name, kind in columns.items())
        self._con.execute(f"create or replace temp table {quote(f'{self.name} staged')} ({defined}, _seq bigint)")

    def _see_columns(self) -> None:
        keys = self._con.execute("select distinct unnest(json_keys(line, '/record/data')) from cdk_lines").fetchall()
        seen = frozenset(key for (key,) in keys)
        self._unseen -= seen
        known = {name.lower() for name in (*self._columns, *_AIRBYTES, "_seq")}
        for name in sorted(seen - self._columns.keys()):
            if name.lower() in known:
                self._note(f"the field {name} was left out: a column of that name is there already")
                continue
            known.add(name.lower())
            self._columns[name] = UNDECLARED
            self._undeclared.add(name)
            self._con.execute(f"alter table {self._staged} add column {quote(name)} {UNDECLARED}")

    def _read_lines(self) -> str:
        names = list(self._columns)
        pointers = ", ".join(["'/record/emitted_at'", *map(pointer, names)])
        texts = ", ".join(f"fields[{at}] ->> '$' as t{at}" for at in range(2, len(names) + 2))
        values = {
            name: (f"v{at}", self._columns[name], f"t{at}", f"fields[{at}]") for at, name in enumerate(names, start=2)
        }
        read = ", ".join(f"{read_json(kind, text, value)} as {v}" for v, kind, text, value in values.values())
        misfits = {
            name: f"{v} is null and {text} is not null"
            for name, (v, kind, text, _) in values.items()
            if may_not_fit(kind)
        }
        return f"""insert into {self._staged} ({listed([*names, *_AIRBYTES])}, _seq)
            select {"".join(f"{v}, " for v, *_ in values.values())}
                cast(uuid() as varchar), to_timestamp(cast(fields[1] as double) / 1000),
                {meta(self._batches.sync_id, misfits)}, {self._generation}, seq
            from (
                select *, {read or "null"}
                from (
                    select seq, fields, {texts or "null"}
                    from (select seq, json_extract(line, [{pointers}]) as fields from cdk_lines)
                )
            )"""

    def _count_misfits(self, first: int) -> None:
        counts = self._con.execute(
            f"""select field, count(*) from (
                select unnest(json_extract_string(_airbyte_meta, '$.changes[*].field')) as field from {self._staged}
                where _seq >= {first} and contains(cast(_airbyte_meta as varchar), '"NULLED"')
            ) group by all"""
        ).fetchall()
        self._misfits.update(dict(counts))

    def _require_keys(self, first: int) -> None:
        if self._overwrites:
            return
        keys = listed(self._stream.primary_key)
        without = " or ".join(f"{quote(key)} is null" for key in self._stream.primary_key)
        count = self._count(f"{self._staged} where _seq >= {first} and ({without})")
        if count:
            self._broken = (
                f"{self._label}: {count:,} records have no {keys}, the primary key by which they are merged. Name"
                " another `primary_key` in airbyte/connections.yml, or sync the stream as full_refresh_overwrite."
            )
            raise SyncFailed(self._broken)

    def _types_of_table(self) -> dict[str, str]:
        """By name in small letters; empty when there is no table yet."""
        found = self._con.execute(
            "select lower(column_name), lower(data_type) from information_schema.columns"
            " where table_catalog = current_database() and table_schema = ? and table_name = ?",
            [f"raw_{self._batches.connection}", self.name],
        ).fetchall()
        return dict(found)

    def _note_changes(self, before: Mapping[str, str]) -> None:
        for name, kind in self._columns.items():
            old = before.get(name.lower())
            if old is None and name in self._undeclared:
                self._note(
                    f"the records have a field {name} that the manifest's schema does not declare; it landed as text."
                    " Airbyte's destination leaves such fields out: declare it to have it in Snowflake too"
                )
            elif old is None and before:
                self._note(f"there is a new column {name} ({kind})")
            elif old is not None and old != kind:
                self._note(f"the column {name} was {old} and is {kind} now")

    def _change_table(self, before: Mapping[str, str]) -> None:
        for name, kind in {**self._columns, **_AIRBYTES}.items():
            column, old = quote(name), before.get(name.lower())
            if old is None:
                self._con.execute(f"alter table {self._table} add column {column} {kind}")
            elif old != kind:
                value = converted(column, old, kind)
                lost = self._count(f"{self._table} where {column} is not null and {value} is null")
                if lost:
                    self._note(f"{lost:,} older values of {name} are no {kind} and became NULL")
                self._con.execute(f"alter table {self._table} alter column {column} type {kind} using {value}")

    def _merge(self) -> None:
        """Keeps the newest record of each key: by cursor, then by arrival. A record without a cursor is the oldest."""
        keys, cursor = self._stream.primary_key, quote(self._stream.cursor or "")
        same = " and ".join(f"there.{quote(key)} = new.{quote(key)}" for key in keys)
        columns = listed([*self._columns, *_AIRBYTES])
        self._con.execute(
            f"""create or replace temp table newest as
            select {columns} from {self._staged}
            qualify row_number() over (partition by {listed(keys)} order by {cursor} desc nulls last, _seq desc) = 1"""
        )
        self._con.execute(
            f"""delete from temp.newest as new using {self._table} as there
            where {same} and there.{cursor} is not null
                and (new.{cursor} is null or new.{cursor} < there.{cursor})"""
        )
        self._con.execute(f"delete from {self._table} as there using temp.newest as new where {same}")
        self._con.execute(f"insert into {self._table} by name from temp.newest")
        self._con.execute("drop table temp.newest")

    def _count(self, rows: str) -> int:
        # fetchone() would leave the result open, and DuckDB 2 then refuses the next statement
        ((count,),) = self._con.execute(f"select count(*) from {rows}").fetchall()
        return int(count)

    def _note(self, words: str) -> None:
        self._notes[f"{self._label}: {words}"] = None
