"""Syncs of the laptop: a connection's source, run by Airbyte's CDK, into the laptop's warehouse."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flows.adapters.airbyte.cdk.process import Source
from flows.adapters.airbyte.cdk.sync import sync
from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.errors import SettingsError
from flows.ports.syncs import SyncFailed, SyncRun
from flows.sources.connections import Connections

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CdkSyncs:
    """`manifests`: the folder of the connections' manifests."""

    warehouse: DuckDBWarehouse
    connections: Connections
    manifests: Path
    clock: Callable[[], datetime]

    def sync(self, wanted: str, streams: Sequence[str] = ()) -> SyncRun:  # noqa: ARG002
        """Runs one sync of the connection with that name, all streams of which must exist.

        Raises:
            SyncFailed: in the source's own words; with the run's last known state.
            SettingsError: when a variable that the connection's `config` names is not set.
        """
        connection, started_at = self.connections.connection(wanted), self.clock()
        if connection.manifest is None:
            raise SettingsError(
                f"{wanted} is a connector of Airbyte's catalogue, which a laptop does not run: set AIRBYTE_URL, or"
                " bring its orders as a file (ORDERS=)."
            )
        config = connection.filled_config()
        source = Source(wanted, connection, config, self.manifests / connection.manifest, self.warehouse.scratch)
        required = {name: frozenset(stream.needed) for name, stream in connection.streams.items()}
        log.info("reading %s", wanted)
        try:
            with self.warehouse.connect() as con:
                synced = sync(con, source, required, started_at)
        except SyncFailed as failure:
            seconds = (self.clock() - started_at).total_seconds()
            job_id = f"{wanted} {started_at:%Y-%m-%dT%H:%M:%S.%f}"
            run = SyncRun(job_id, wanted, wanted, "failed", started_at, seconds, None, None, attached=False)
            raise SyncFailed(str(failure), run) from None
        brought = ", ".join(f"{stream.rows:,} {name}" for name, stream in synced.streams.items() if stream.rows)
        return SyncRun(
            job_id=synced.job_id,
            connection_id=wanted,
            connection=wanted,
            status="succeeded",
            started_at=started_at,
            duration_seconds=synced.duration_seconds,
            rows=synced.rows,
            bytes=synced.bytes,
            attached=False,
            notes=(f"{wanted}: {brought or 'nothing new'}", *synced.notes),
        )
