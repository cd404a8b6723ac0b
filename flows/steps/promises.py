"""The ledger of promises: a step of every run. What is promised is written down, and what came next to it."""

from flows.adapters.marts.promises import settle_forecasts, state_campaigns, state_forecasts
from flows.adapters.marts.run_report import RunReport
from flows.orchestration import task, waits_for_warehouse
from flows.ports.warehouse import Warehouse


@task(retry=waits_for_warehouse)
def keep_promises(warehouse: Warehouse, report: RunReport) -> None:
    """Brings marts.promises up to date with a run."""
    spend = report.expected_spend_range
    state_forecasts(warehouse, report.as_of, spend and spend[:2])
    state_campaigns(warehouse, report.as_of.date)
    settle_forecasts(warehouse, report.as_of.date)
