"""A sync on the laptop: reads a connection's source into the warehouse's tables."""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from flows.adapters.airbyte.cdk import sync_state
from flows.adapters.airbyte.cdk.columns import declared_columns
from flows.adapters.airbyte.cdk.landing import Batches, StreamLanding, table_of
from flows.adapters.airbyte.cdk.messages import Catalog, Complete, Record, State
from flows.adapters.airbyte.cdk.process import Source, SourceProcess, source_process
from flows.adapters.airbyte.cdk.sync_state import SyncState
from flows.ports.syncs import SyncFailed
from flows.sources.connections import Connection, Stream

BATCH_RECORDS = 50_000


@dataclass(frozen=True)
class SyncedStream:
    """`rows`: number of records received; `bytes`: size of their messages."""

    rows: int
    bytes: int


@dataclass(frozen=True)
class Synced:
    """The result of a successful sync."""

    connection: str
    job_id: str
    started_at: datetime
    duration_seconds: float
    streams: Mapping[str, SyncedStream]
    notes: tuple[str, ...]

    @property
    def rows(self) -> int:
        return sum(stream.rows for stream in self.streams.values())

    @property
    def bytes(self) -> int:
        return sum(stream.bytes for stream in self.streams.values())


def sync(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    required: Mapping[str, frozenset[str]],
    started_at: datetime,
    batch_records: int = BATCH_RECORDS,
) -> Synced:
    """Reads a connection's streams into `raw_<name>.<stream>`, and the state of each into `raw.sync_state`.

    `required` names the columns that staging reads of a stream.

    However it ends, nothing is lost or duplicated: the next sync continues from what was committed. On a failure, the
    records of streams that can be merged are kept, and streams that were read to their end.

    Raises:
        SyncFailed: in the source's own words, with the stream, or with the column that is missing.
    """
    start = time.perf_counter()
    with _settings_of_a_sync(con):
        catalog = _discover(source)
        sync_state.create_table(con)
        notes: list[str] = []
        batches = Batches(source.name, int(started_at.timestamp() * 1000), started_at, batch_records)
        landings: dict[str, StreamLanding] = {}
        try:
            for name, stream in source.connection.streams.items():
                columns = declared_columns(name, catalog[name]["json_schema"])
                needed = required.get(name, frozenset()) | _needed_to_merge(stream)
                _require_declared(source, name, needed - columns.keys())
                before = _where_to_go_on(con, source.name, name, stream, started_at, notes)
                landings[name] = StreamLanding(con, name, stream, columns, needed, before, batches)
            configured = _configured(source.connection, catalog)
            with source_process(source, "read", catalog=configured, state=_states(landings)) as process:
                _land(process, landings)
        finally:
            for landing in landings.values():
                landing.drop_staged()
    return Synced(
        connection=source.name,
        job_id=str(uuid.uuid4()),
        started_at=started_at,
        duration_seconds=time.perf_counter() - start,
        streams={stream: SyncedStream(landing.rows, landing.bytes) for stream, landing in landings.items()},
        notes=(*notes, *(note for landing in landings.values() for note in landing.notes)),
    )


def _discover(source: Source) -> Mapping[str, Mapping[str, Any]]:
    name, connection, manifest = source.name, source.connection, source.manifest
    streams: dict[str, Mapping[str, Any]] = {}
    with source_process(source, "discover") as process:
        for message in process.messages():
            if isinstance(message, Catalog):
                streams = {stream["name"]: stream for stream in message.streams}
    if missing := [stream for stream in connection.streams if stream not in streams]:
        raise SyncFailed(
            f"{name}: the source has no stream {', '.join(missing)}, which airbyte/connections.yml lists; {manifest}"
            f" has {', '.join(streams) or 'none'}.",
            may_pass=False,
        )
    for stream, how in connection.streams.items():
        if how.cursor and "incremental" not in streams[stream]["supported_sync_modes"]:
            raise SyncFailed(
                f"{name}: the stream {stream} cannot be read from where the last sync ended. Write sync_mode:"
                f" full_refresh_overwrite in airbyte/connections.yml, or give it an `incremental_sync` in {manifest}.",
                may_pass=False,
            )
    return streams


def _needed_to_merge(stream: Stream) -> frozenset[str]:
    return frozenset([*stream.primary_key, stream.cursor]) if stream.cursor else frozenset()


def _require_declared(source: Source, stream: str, missing: frozenset[str]) -> None:
    if missing:
        raise SyncFailed(
            f"{source.name}.{stream}: the schema in {source.manifest} does not declare {', '.join(sorted(missing))},"
            " which is needed. Nothing was read. Declare it there, or leave it out of the `columns` in"
            " airbyte/connections.yml.",
            may_pass=False,
        )


def _where_to_go_on(
    con: duckdb.DuckDBPyConnection, name: str, stream_name: str, stream: Stream, at: datetime, notes: list[str]
) -> SyncState:
    """The saved state, or none where it would skip records that the table does not have."""
    saved = sync_state.load(con, name, stream_name)
    if saved.state is None or stream.cursor is None:
        return SyncState(None, saved.generation)
    rows = _rows_there(con, name, stream_name)
    if rows is None:
        notes.append(f"{name}.{stream_name}: its table is gone, so everything is read again")
    elif sync_state.lies_ahead(saved.state, stream.cursor, at):
        notes.append(
            f"{name}.{stream_name}: the last sync saw a {stream.cursor} later than tomorrow. Continuing there would"
            " skip what changes until then, so everything is read again; correct that record in the source"
        )
    elif rows:
        return saved
    return SyncState(None, saved.generation)


def _rows_there(con: duckdb.DuckDBPyConnection, name: str, stream: str) -> int | None:
    """None: the table does not exist."""
    try:
        ((count,),) = con.execute(f"select count(*) from {table_of(name, stream)}").fetchall()
    except duckdb.CatalogException:
        return None
    return int(count)


def _configured(connection: Connection, catalog: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Airbyte's ConfiguredAirbyteCatalog."""
    return {
        "streams": [
            {
                "stream": catalog[name],
                "sync_mode": "incremental" if stream.cursor else "full_refresh",
                "destination_sync_mode": "append_dedup" if stream.cursor else "overwrite",
                "cursor_field": [stream.cursor] if stream.cursor else [],
                "primary_key": [[key] for key in stream.primary_key],
            }
            for name, stream in connection.streams.items()
        ]
    }


def _states(landings: Mapping[str, StreamLanding]) -> Sequence[Mapping[str, Any]]:
    return [
        {"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": landing.state}}
        for name, landing in landings.items()
        if landing.state
    ]


def _land(process: SourceProcess, landings: Mapping[str, StreamLanding]) -> None:
    try:
        for message in process.messages():
            match message:
                case Record(stream, line):
                    landings[stream].add(line)
                case State(stream, state):
                    landings[stream].state = state
                case Complete(stream):
                    landings[stream].complete = True
    except SyncFailed:
        _commit(landings)
        raise
    if problems := _commit(landings):
        raise SyncFailed("\n".join(problems))


def _commit(landings: Mapping[str, StreamLanding]) -> list[str]:
    """Commits what can be committed; returns the problems of the rest."""
    problems = []
    for landing in landings.values():
        with suppress(SyncFailed):  # it is held back from then on, with a reason
            landing.stage()
        if landing.held_back is None:
            landing.commit()
        if problem := landing.held_back or landing.unfinished:
            problems.append(problem)
    return problems


@contextmanager
def _settings_of_a_sync(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Times without an offset are UTC, as Airbyte reads them; what exceeds the memory limit goes to DuckDB's files."""
    (before,) = con.execute("select current_setting('TimeZone'), current_setting('memory_limit')").fetchall()
    con.execute("set TimeZone = 'UTC'; set memory_limit = '512MB'")
    try:
        yield
    finally:
        con.execute("set TimeZone = ?", [before[0]])
        con.execute("set memory_limit = ?", [before[1]])
