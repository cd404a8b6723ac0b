"""The outputs of a run: the report, the page, the list, the workbook."""

import logging
from dataclasses import replace
from functools import partial

import pyarrow as pa

from flows.adapters.dashboard.contact_list import write_contact_list
from flows.adapters.dashboard.page import write_dashboard
from flows.adapters.dbt.runner import DbtProject
from flows.adapters.files.run_outputs import put_outputs
from flows.adapters.files.store import FileStore
from flows.adapters.marts.campaign_tables import read_definitions
from flows.adapters.marts.next_products import ShownNext
from flows.adapters.marts.run_report import History, Output, RunReport, Trained, model_report, read_report
from flows.adapters.models.registry import StoredModel
from flows.adapters.tableau.extract import write_extract
from flows.adapters.tableau.hyper import hyper_is_built_for_this_machine
from flows.adapters.tableau.translation import in_french
from flows.adapters.tableau.workbook import WORKBOOK, Translation, write_packaged_workbook, write_snowflake_workbook
from flows.console.run_summary import as_markdown
from flows.errors import DbtFailed, TooLittleData
from flows.orchestration import alert, keep_markdown, keep_table, task, waits_for_warehouse
from flows.ports.warehouse import Warehouse
from flows.settings import Settings
from flows.steps.monitoring import publish_measured
from flows.wiring import Wiring, workbook_connection

log = logging.getLogger(__name__)


@task(retry=waits_for_warehouse)
def gather_report(
    wiring: Wiring,
    settings: Settings,
    history: History,
    found: StoredModel | Trained | TooLittleData,
    model: StoredModel | None,
    measured: pa.Table,
    shown_next: ShownNext | None,
) -> RunReport:
    trained, scored, why_no_model = None if isinstance(found, StoredModel) else found, None, None
    if model is None:
        why_no_model = f"{trained} The shipped model has another horizon."
    else:
        is_shipped = wiring.registry_for(model.version) is wiring.shipped_models
        scored = model_report(model, is_shipped, trained, history.simulated)
    report = read_report(wiring.warehouse, settings, history, scored, why_no_model, measured)
    return replace(report, shown_next=shown_next)


@task(retry=waits_for_warehouse)
def draw_dashboard(warehouse: Warehouse, settings: Settings, report: RunReport) -> None:
    log.info("drawing the dashboard")
    write_contact_list(warehouse, settings.contacts_file, settings.show_pii)
    write_dashboard(warehouse, report, settings.dashboard_file)


@task(retry=waits_for_warehouse)
def write_workbook(warehouse: Warehouse, settings: Settings) -> None:
    """Tableau's workbook: with its extract on a laptop, connected to the warehouse in production."""
    translate: Translation = bytes
    if settings.workbook_language == "fr":
        translate = partial(in_french, definitions=read_definitions(warehouse))
    if connection := workbook_connection(settings):
        write_snowflake_workbook(WORKBOOK, connection, settings.workbook_file, translate)
        return
    if not hyper_is_built_for_this_machine():
        log.warning("no Tableau workbook: Tableau does not build hyperd, which writes its extracts, for this machine")
        return
    log.info("writing the Tableau workbook with its extract")
    write_extract(warehouse, settings.extract_file, settings.show_pii)
    write_packaged_workbook(WORKBOOK, settings.extract_file, settings.workbook_file, translate)


@task(retry=waits_for_warehouse)
def keep_outputs(dbt: DbtProject, settings: Settings, report: RunReport) -> tuple[Output, ...]:
    """Puts the run's files and dbt's where OUTPUTS says, if it is set. A failure is an alert and no more: what the run
    has found is in the warehouse, and waits to be sent."""
    if settings.outputs is None:
        return ()
    files = (settings.dashboard_file, settings.contacts_file, settings.workbook_file, settings.docs_file)
    try:
        dbt.document(settings.docs_file)
        written = {file.name: file.read_bytes() for file in files if file.exists()}
        written |= {f"dbt/{name}": content for name, content in dbt.artifacts().items()}
        # a past day is not the latest
        kept = put_outputs(FileStore(settings.outputs), report.as_of.date, written, is_latest=settings.as_of is None)
    except (OSError, DbtFailed) as problem:
        alert("outputs", [f"not all files of the run were put into {settings.outputs}: {problem}"])
        return ()
    log.info("put %d files into %s", len(kept), settings.outputs)
    return kept


@task
def publish(report: RunReport) -> None:
    keep_markdown("run-summary", as_markdown(report), "What this run found")
    keep_table("segments", report.segments.to_pylist(), "Segments by size and value")
    publish_measured(report.measured)
