"""What to show each customer next, and what goes with leaving and coming back: a step of every run after scoring."""

import logging
from datetime import datetime

from flows.adapters.marts.next_products import RELATION, ShownNext, read_bought, read_reachable, remove_earlier, store
from flows.adapters.marts.segment_affinities import store_affinities
from flows.adapters.marts.staged_orders import AsOf
from flows.baskets.card import next_products_card
from flows.baskets.next_products import next_products
from flows.baskets.served_model import no_model, served_method, served_model
from flows.orchestration import task, waits_for_warehouse
from flows.wiring import Wiring

log = logging.getLogger(__name__)


@task(retry=waits_for_warehouse)
def show_next_products(wiring: Wiring, shop: str, as_of: AsOf, at: datetime) -> ShownNext | None:
    """Ranks products for everyone who can be reached, into marts.next_products, with a card of how good that is, and
    fills marts.segment_affinities. None, and no ranks, where orders name no products."""
    warehouse, horizon_days = wiring.warehouse, as_of.horizon_days
    bought = read_bought(warehouse, wiring.connections, as_of.date, horizon_days)
    store_affinities(warehouse, wiring.connections, bought, as_of.date, horizon_days, at)
    if bought is None:
        remove_earlier(warehouse, RELATION, at)
        wiring.own_models.keep_next_products(no_model(as_of.date), None)
        return None
    log.info("ranking what to show each customer next")
    reachable = read_reachable(warehouse)
    found = next_products(bought.purchases, as_of.date.toordinal(), horizon_days, reachable, bought.catalogue)
    shown = store(warehouse, found, bought, len(reachable), as_of.date, at)
    card = next_products_card(
        shown.chosen, as_of.date, horizon_days, shop, len(bought.purchases.products), by_category=bought.by_category
    )
    served = (
        no_model(as_of.date)
        if bought.by_category
        else served_model(found.shop, served_method(found.chosen), bought.catalogue)
    )
    wiring.own_models.keep_next_products(served, card)
    return shown
