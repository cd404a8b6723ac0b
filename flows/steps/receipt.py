"""A look at what was read, before anything is built on it."""

import logging
from datetime import datetime

from flows.adapters.marts.last_run import overlap_with_last_run
from flows.adapters.marts.receipt import keep_receipt, read_receipt
from flows.console.receipt_summary import describe_receipt, months_table
from flows.errors import BadInput
from flows.orchestration import keep_table, task, waits_for_warehouse
from flows.ports.warehouse import Warehouse
from flows.settings import Settings
from flows.sources.last_run import other_shop
from flows.sources.receipt import Receipt, breaches

log = logging.getLogger(__name__)


@task(retry=waits_for_warehouse)
def check_receipt(warehouse: Warehouse, settings: Settings, at: datetime) -> Receipt:
    """Shows and keeps what was read.

    Raises:
        BadInput: when it is more likely a misreading than a shop, with what to do.
    """
    receipt = read_receipt(warehouse)
    for line in describe_receipt(receipt):
        log.info(line)
    columns, rows = months_table(receipt)
    keep_table("receipt", [dict(zip(columns, row, strict=True)) for row in rows], "What was read, by month")
    found = list(breaches(receipt))
    if not settings.is_simulated:  # whose orders change with its settings, by which it is known
        found += other_shop(overlap_with_last_run(warehouse))
    for breach in found:
        if breach.limit in settings.accepted:
            log.warning("accepted: %s", breach.why)
    refused = [breach for breach in found if breach.limit not in settings.accepted]
    if refused:
        for row in (columns, *rows):
            log.info("  ".join(f"{cell:>14}" for cell in row))
        reasons = "\n  ".join(f"{breach.limit}: {breach.why}" for breach in refused)
        names = ",".join(dict.fromkeys([*settings.accepted, *(breach.limit for breach in refused)]))
        raise BadInput(
            "What was read does not look like a shop's orders, so nothing was built on it:\n"
            f"  {reasons}\nIf it is right all the same, run again with ACCEPT={names}."
        )
    keep_receipt(warehouse, receipt, at.replace(tzinfo=None))
    return receipt
