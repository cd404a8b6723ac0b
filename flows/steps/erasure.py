"""Erased people stay away."""

import logging
from datetime import datetime

from flows.adapters.privacy.erasure import erase_again
from flows.orchestration import task, waits_for_warehouse
from flows.ports.warehouse import Warehouse
from flows.sources.connections import Connections

log = logging.getLogger(__name__)


@task(retry=waits_for_warehouse)
def keep_erased(warehouse: Warehouse, connections: Connections, at: datetime) -> bool:
    """Erases again customers that a sync or a file has brought back; returns whether there were any."""
    erased = erase_again(warehouse, connections, at)
    for entry in erased:
        log.info("erased again: %s rows of %s", f"{entry.rows:,}", entry.relation)
    return bool(erased)
