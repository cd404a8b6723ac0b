"""The outputs of a run: the report, the page, the list, the workbook."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from flows.adapters.dashboard.contact_list import write_contact_list
from flows.adapters.dashboard.page import write_dashboard
from flows.adapters.files.simulated_orders import SimulatedOrders
from flows.adapters.marts.run_report import RunReport, Trained, read_report
from flows.adapters.marts.staged_orders import AsOf
from flows.adapters.models.registry import StoredModel
from flows.adapters.tableau.extract import write_extract
from flows.adapters.tableau.hyper import hyper_is_built_for_this_machine
from flows.adapters.tableau.workbook import WORKBOOK, write_packaged_workbook, write_snowflake_workbook
from flows.console.run_summary import as_markdown
from flows.errors import TooLittleData
from flows.orchestration import keep_markdown, keep_table, task, waits_for_warehouse
from flows.ports.syncs import SyncRun
from flows.ports.warehouse import Warehouse
from flows.settings import Settings
from flows.sources.mappings import Landing
from flows.sources.receipt import Receipt
from flows.steps.monitoring import publish_measured
from flows.wiring import Wiring, workbook_connection

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class History:
    """What a run knows about its shop once the order lines are built. `mappings` and `run_values` are for dbt."""

    syncs: list[SyncRun]
    landings: tuple[Landing, ...]
    simulated: SimulatedOrders | None
    receipt: Receipt
    as_of: AsOf
    mappings: Mapping[str, Any]
    run_values: Mapping[str, Any]


@task(retry=waits_for_warehouse)
def gather_report(
    wiring: Wiring,
    settings: Settings,
    history: History,
    found: StoredModel | Trained | TooLittleData,
    model: StoredModel | None,
    measured: pa.Table,
) -> RunReport:
    of = history
    trained = None if isinstance(found, StoredModel) else found
    is_shipped = model is not None and wiring.registry_for(model.version) is wiring.shipped_models
    return read_report(
        wiring.warehouse,
        settings,
        of.syncs,
        of.landings,
        of.receipt,
        of.as_of,
        trained,
        model,
        is_shipped,
        measured,
        of.simulated,
    )


@task(retry=waits_for_warehouse)
def draw_dashboard(warehouse: Warehouse, settings: Settings, report: RunReport) -> None:
    log.info("drawing the dashboard")
    write_contact_list(warehouse, settings.contacts_file, settings.show_pii)
    write_dashboard(warehouse, report, settings.dashboard_file)


@task(retry=waits_for_warehouse)
def write_workbook(warehouse: Warehouse, settings: Settings) -> None:
    """Tableau's workbook: with its extract on a laptop, connected to the warehouse in production."""
    if connection := workbook_connection(settings):
        write_snowflake_workbook(WORKBOOK, connection, settings.workbook_file)
        return
    if not hyper_is_built_for_this_machine():
        log.warning("no Tableau workbook: Tableau does not build hyperd, which writes its extracts, for this machine")
        return
    log.info("writing the Tableau workbook with its extract")
    write_extract(warehouse, settings.extract_file, settings.show_pii)
    write_packaged_workbook(WORKBOOK, settings.extract_file, settings.workbook_file)


@task
def publish(report: RunReport) -> None:
    keep_markdown("run-summary", as_markdown(report), "What this run found")
    keep_table("segments", report.segments.to_pylist(), "Segments by size and value")
    publish_measured(report.measured)
