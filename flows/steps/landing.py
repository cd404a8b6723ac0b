"""Lands every source in raw tables of this shop, and describes what their columns mean."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flows.adapters.files.simulated_orders import SimulatedOrders, write_simulated_orders
from flows.adapters.marts.campaign_sends import read_contacted
from flows.orchestration import task, waits_for_warehouse
from flows.ports.warehouse import Warehouse
from flows.settings import SIMULATED_SHOP, Settings
from flows.sources.connections import Connections
from flows.sources.mappings import Landing
from flows.sources.selection import Sources, from_models

log = logging.getLogger(__name__)


@task(retry=waits_for_warehouse)
def claim_for_shop(warehouse: Warehouse, shop: str) -> None:
    if note := warehouse.claim_for_shop(shop):
        log.info(note)


@task(retry=waits_for_warehouse)
def simulate_orders(warehouse: Warehouse, settings: Settings) -> SimulatedOrders:
    log.info("simulating a shop of %s customers", f"{settings.customers:,}")
    return write_simulated_orders(settings, read_contacted(warehouse))


@task(retry=waits_for_warehouse)
def land(
    warehouse: Warehouse,
    connections: Connections,
    sources: Sources,
    simulated: SimulatedOrders | None,
    extracted_at: datetime,
) -> tuple[Landing, ...]:
    """Lands every source: files are read, Airbyte's tables are inspected, models yield the rest."""
    landings: list[Landing] = []
    for kind, (name, pattern) in sources.files.items():
        if simulated and name == SIMULATED_SHOP and not pattern:
            pattern = str(simulated.files[kind])
        if pattern:
            log.info("reading %s", pattern)
            landings.append(warehouse.land(kind, pattern, name, connections, extracted_at))
        else:
            landings.append(warehouse.synced(kind, name, connections, extracted_at))
    landings += from_models(sources, connections)
    for landing in landings:
        for note in landing.notes:
            log.info(note)
    return tuple(landings)


def mappings_of(sources: Sources, landings: Sequence[Landing]) -> dict[str, Any]:
    """dbt's variables for the sources: what their columns mean."""
    kinds = ("order_lines", "contacts", "products", "email_events")
    return {
        **{
            kind: [
                mapping.as_dbt_variable()
                for landing in landings
                if landing.kind == kind
                for mapping in landing.mappings
            ]
            for kind in kinds
        },
        "sources": list(sources.all),
    }
