"""Syncs as part of a flow, by Airbyte's server or by its CDK on the laptop. Each is recorded, whether it succeeds or
not."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import pyarrow as pa

from flows.errors import TryAgain
from flows.orchestration import alert, keep_table, task, waits_for_warehouse
from flows.ports.syncs import SyncFailed, SyncRun, Syncs
from flows.ports.warehouse import Warehouse
from flows.settings import Settings
from flows.sources.selection import Sources
from flows.wiring import Wiring, syncs
from functions.clock import now

log = logging.getLogger(__name__)

RELATION = "raw.sync_runs"
COLUMNS = pa.schema([
    ("job_id", pa.string()),
    ("connection_id", pa.string()),
    ("connection", pa.string()),
    ("status", pa.string()),
    ("started_at", pa.timestamp("us")),  # UTC, like recorded_at
    ("duration_seconds", pa.float64()),
    ("rows_synced", pa.int64()),
    ("bytes_synced", pa.int64()),
    ("was_attached", pa.bool_()),
    ("recorded_at", pa.timestamp("us")),
])  # fmt: skip


def sync_sources(wiring: Wiring, sources: Sources, settings: Settings) -> list[SyncRun]:
    """Syncs what this run reads, unless Airbyte does so on a schedule of its own. To be called in a flow. With
    SYNC_FAILED=stale a failure is a warning, and a note of the run that is returned for it.

    Raises:
        SyncFailed: naming every connection that was not synced, and why, once all are on record.
    """
    found = syncs(wiring)
    if found is None:  # Airbyte keeps a schedule of its own
        return []
    connections = wiring.connections.connections
    names = found.instead or sources.synced
    wanted = {name: tuple(connections[name].streams) if name in connections else () for name in names}
    goes_on = settings.sync_failed == "stale"
    return sync_connections(wiring.warehouse, found.by, wanted, goes_on=goes_on) if wanted else []


def sync_connections(
    warehouse: Warehouse,
    server: Syncs,
    wanted: Mapping[str, tuple[str, ...]],
    clock: Callable[[], datetime] = now,
    goes_on: bool = False,
) -> list[SyncRun]:
    """Syncs connections side by side, and waits for all of them. To be called in a flow.

    `wanted`: by a connection's name or id, the streams that it must have. Every job that is known of ends up in
    raw.sync_runs and in the artifact "airbyte-syncs", whether it succeeded or not. `goes_on`: after a failure
    too, with what earlier syncs have brought.

    Raises:
        SyncFailed: naming every connection that was not synced, and why, once all are on record.
    """
    ended = sync_connection.side_by_side([(server, name, streams) for name, streams in wanted.items()])
    outcomes = dict(zip(wanted, ended, strict=True))
    failures = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, BaseException)}
    runs = [run for run in map(_run_of, outcomes.values()) if run]
    if runs:
        publish_syncs(runs)
        record_syncs(warehouse, runs, clock())
    if failures and not goes_on:
        for name, failure in failures.items():
            log.warning("%s was not synced: %s", name, failure)
        reasons = "\n  ".join(f"{name}: {failure}" for name, failure in failures.items())
        raise SyncFailed(
            f"{len(failures)} of {len(wanted)} connections were not synced:\n  {reasons}",
            may_pass=all(map(_may_pass, failures.values())),
        )
    stale = {name: f"{name} was not synced, so its data is as old as before: {failures[name]}" for name in failures}
    alert("syncs", list(stale.values()))
    succeeded = [outcome for outcome in outcomes.values() if isinstance(outcome, SyncRun)]
    return succeeded + [_not_synced(name, note) for name, note in stale.items()]


@task(run_name="sync {connection}")
def sync_connection(server: Syncs, connection: str, streams: tuple[str, ...]) -> SyncRun:
    return server.sync(connection, streams)


@task
def publish_syncs(runs: Sequence[SyncRun]) -> None:
    keep_table(
        "airbyte-syncs",
        [_row(run) | {"started_at": str(run.started_at or "")} for run in runs],
        "What was synced for this run",
    )


@task(retry=waits_for_warehouse)
def record_syncs(warehouse: Warehouse, runs: Sequence[SyncRun], recorded_at: datetime) -> None:
    """A job that is recorded already, for example while it was running, is updated."""
    rows = [_row(run) | {"recorded_at": _naive(recorded_at)} for run in runs]
    by_job = {row["job_id"]: row for row in rows}  # a connection may be wanted by its name and by its id
    warehouse.merge(RELATION, pa.Table.from_pylist(list(by_job.values()), COLUMNS), ["job_id"])


def _may_pass(failure: BaseException) -> bool:
    return isinstance(failure, TryAgain) or (isinstance(failure, SyncFailed) and failure.may_pass)


def _not_synced(connection: str, note: str) -> SyncRun:
    """What a report says of a sync that failed."""
    return SyncRun("", "", connection, "failed", None, None, None, None, attached=False, notes=(note,))


def _run_of(outcome: object) -> SyncRun | None:
    if isinstance(outcome, SyncFailed):
        return outcome.run
    return outcome if isinstance(outcome, SyncRun) else None


def _row(run: SyncRun) -> dict[str, object]:
    return {
        "job_id": str(run.job_id),
        "connection_id": run.connection_id,
        "connection": run.connection,
        "status": run.status,
        "started_at": _naive(run.started_at) if run.started_at else None,
        "duration_seconds": run.duration_seconds,
        "rows_synced": run.rows,
        "bytes_synced": run.bytes,
        "was_attached": run.attached,
    }


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
