"""How old the data of a run is."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from flows.adapters.marts.run_report import History
from flows.orchestration import alert, task, waits_for_warehouse
from flows.ports.warehouse import Warehouse
from flows.settings import Settings
from flows.sources.data_age import NOT_JUDGED, DataAge, judge_age
from flows.steps.sync import RELATION as SYNC_RUNS
from flows.wiring import Wiring

log = logging.getLogger(__name__)


@task(retry=waits_for_warehouse)
def check_age(wiring: Wiring, settings: Settings, history: History, at: datetime) -> DataAge:
    """How old the newest order and what each connection brought are; dbt's `source freshness` asks the tables that are
    synced, because those of files are as old as this run; a catalogue may be as old
    as it is. Nothing is said of a past day or of a simulated shop."""
    if settings.is_simulated or settings.as_of:
        return NOT_JUDGED
    synced = [landing for landing in history.landings if not landing.files and landing.kind != "products"]
    sources = dict.fromkeys(
        landing.connection if landing.mappings[0].model else landing.kind for landing in synced if landing.mappings
    )
    tables = wiring.dbt.source_freshness(tuple(sources)) if sources else ()
    last_syncs = read_last_syncs(wiring.warehouse) if sources else {}
    age = judge_age(
        history.as_of.date, tables, last_syncs, at.astimezone(UTC),
        settings.stale_after_days, settings.stop_sending_after_days,
    )  # fmt: skip
    for note in age.notes:
        log.info(note)
    alert("freshness", age.warnings)
    return age


def read_last_syncs(warehouse: Warehouse) -> Mapping[str, datetime]:
    """By connection, when its last sync that succeeded began, UTC."""
    if not warehouse.exists(SYNC_RUNS):
        return {}
    found = warehouse.read(
        f"""select connection, max(started_at) as started_at from {SYNC_RUNS}
        where status = 'succeeded' and started_at is not null group by connection"""
    ).to_pylist()
    return {row["connection"]: row["started_at"].replace(tzinfo=UTC) for row in found}
