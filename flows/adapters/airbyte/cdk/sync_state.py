"""`raw.sync_state`: where each stream continues, saved in the transaction of the data that it covers."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

_CLOCKS_DIFFER = timedelta(days=1)


@dataclass(frozen=True)
class SyncState:
    """`state` is the source's own; None: read everything. `generation` counts how often the table was replaced."""

    state: Mapping[str, Any] | None
    generation: int


def create_table(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create schema if not exists raw")
    con.execute(
        """create table if not exists raw.sync_state
        (connection varchar, stream varchar, state json, generation_id bigint, saved_at timestamptz)"""
    )


def load(con: duckdb.DuckDBPyConnection, connection: str, stream: str) -> SyncState:
    rows = con.execute(
        "select state, generation_id from raw.sync_state where connection = ? and stream = ?", [connection, stream]
    ).fetchall()
    return SyncState(json.loads(rows[0][0]) if rows[0][0] else None, rows[0][1]) if rows else SyncState(None, 0)


def save(con: duckdb.DuckDBPyConnection, connection: str, stream: str, new: SyncState, at: datetime) -> None:
    con.execute("delete from raw.sync_state where connection = ? and stream = ?", [connection, stream])
    con.execute(
        "insert into raw.sync_state values (?, ?, ?, ?, ?)",
        [connection, stream, json.dumps(new.state) if new.state else None, new.generation, at],
    )


def lies_ahead(state: Mapping[str, Any], cursor: str, at: datetime) -> bool:
    """Whether the state skips all records until later than a day after `at`."""
    return any(moment > at + _CLOCKS_DIFFER for moment in _moments(state, cursor))


def _moments(value: Any, cursor: str, name: str = "") -> Iterator[datetime]:
    """Every point in time in a state, whatever its shape: by cursor, by slices, by partitions."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _moments(inner, cursor, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _moments(inner, cursor, name)
    elif (moment := _moment(value, is_cursor=name == cursor)) is not None:
        yield moment


def _moment(value: Any, is_cursor: bool) -> datetime | None:
    try:
        if is_cursor and str(value).isdigit():
            number = int(value)
            seconds = number / 1000 if number > 100_000_000_000 else number  # milliseconds, from 1973 on
            return datetime.fromtimestamp(seconds, UTC)
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None
