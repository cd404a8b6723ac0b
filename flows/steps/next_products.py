"""What to show each customer next: a step of every run after scoring."""

import logging
from datetime import datetime

from flows.adapters.marts.next_products import ShownNext, forget_earlier, read_bought, read_reachable, store
from flows.adapters.marts.staged_orders import AsOf
from flows.baskets.next_products import next_products
from flows.orchestration import task, waits_for_warehouse
from flows.wiring import Wiring

log = logging.getLogger(__name__)


@task(retry=waits_for_warehouse)
def show_next_products(wiring: Wiring, as_of: AsOf, at: datetime) -> ShownNext | None:
    """Ranks products for everyone who can be reached, into marts.next_products; None, and no rows, where orders name no
    products."""
    bought = read_bought(wiring.warehouse, wiring.connections, as_of.date, as_of.horizon_days)
    if bought is None:
        forget_earlier(wiring.warehouse, at)
        return None
    log.info("ranking what to show each customer next")
    reachable = read_reachable(wiring.warehouse)
    found = next_products(bought.purchases, as_of.date.toordinal(), as_of.horizon_days, reachable)
    return store(wiring.warehouse, found, bought, len(reachable), as_of.date, at)
