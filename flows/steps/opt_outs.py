"""Customers' opt-outs, for services that can be told of them."""

import logging
from collections import Counter

from flows.adapters.marts.segment_activations import read_opt_outs, record_activations
from flows.orchestration import task
from flows.ports.destination import Destination, TakesOptOuts
from flows.ports.warehouse import Warehouse
from functions.clock import now

log = logging.getLogger(__name__)


@task
def pass_on_opt_outs(warehouse: Warehouse, to: Destination) -> None:
    """Tells a destination, once each, who has opted out here, where the shop wants that.

    Raises:
        PipelineError: when it cannot go on; whom it was told of is recorded.
    """
    if not isinstance(to, TakesOptOuts):
        return
    started_at = now()
    people = read_opt_outs(warehouse, to.name)
    if not len(people):
        return
    count = f"{len(people):,} customers have opted out"
    if not to.suppresses_opt_outs:
        log.info("%s here and are not sent; %s is not told (SUPPRESS_OPT_OUTS of its settings)", count, to.service)
        return
    log.info("%s: telling %s", count, to.service)
    results: Counter[str] = Counter()
    for batch in to.opt_out(people):
        record_activations(warehouse, to.name, people, batch, started_at)
        results.update(batch["result"].to_pylist())
    log.info("opt-outs: %s", ", ".join(f"{n:,} {result.replace('_', ' ')}" for result, n in results.items()))
