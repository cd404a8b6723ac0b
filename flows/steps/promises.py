"""The ledger of promises: steps of every run. What came of earlier promises is written down, then what is promised."""

from flows.adapters.marts.promises import settle_forecasts, state_campaigns, state_forecasts
from flows.adapters.marts.run_report import RunReport
from flows.adapters.marts.staged_orders import AsOf
from flows.orchestration import task, waits_for_warehouse
from flows.ports.warehouse import Warehouse


@task(retry=waits_for_warehouse)
def settle_promises(warehouse: Warehouse, as_of: AsOf) -> None:
    """What came of campaigns and forecasts that are due: the run's own forecasts are corrected by it."""
    state_campaigns(warehouse, as_of.date)
    settle_forecasts(warehouse, as_of.date)


@task(retry=waits_for_warehouse)
def state_promises(warehouse: Warehouse, report: RunReport) -> None:
    """The forecasts of a run, as its report states them."""
    ends = report.expected_spend.uncorrected_ends
    state_forecasts(warehouse, report.as_of, ends and ends[:2], report.corrections)
