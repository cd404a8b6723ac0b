"""The main flow: from a shop's orders to a scored customer list and a page to look at it."""

import logging
from datetime import datetime
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.adapters.csv_source.landing import Landing
from flows.adapters.dashboard import write_dashboard
from flows.adapters.model_store import StoredModel
from flows.adapters.run_report import RunReport, read_report
from flows.adapters.simulated_orders import SimulatedOrders, write_simulated_orders
from flows.adapters.staged_orders import AsOf, decide_as_of
from flows.churn.selection import Comparison
from flows.errors import TooLittleData, WarehouseBusy
from flows.settings import SIMULATED_SHOP, Settings, now
from flows.summary import as_markdown
from flows.training import Trained, training
from flows.wiring import wire

log = logging.getLogger(__name__)

STAGING = ("path:seeds", "path:models/staging")
FEATURES = ("path:models/intermediate", "customer_features", "customer_rfm")
SCORES = ("churn_predictions", "marketing_customers")


@flow(name="pipeline", validate_parameters=False)
def pipeline(settings: Settings) -> RunReport:
    """One run: read the orders, segment, train, score, report. Running it again brings everything up to date."""
    started_at = now()
    simulated = simulate_orders(settings) if settings.connection_name == SIMULATED_SHOP else None
    landing = land_orders(settings, simulated, started_at)
    variables = _variables(settings, landing, started_at)

    build(settings, "1 of 3: order lines", STAGING, variables)
    as_of = find_as_of(settings)
    variables |= {"as_of_date": str(as_of.date), "reporting_currency": as_of.convert_to}

    build(settings, "2 of 3: segments and features", FEATURES, variables)
    trained = training(settings, as_of.date)
    model = choose_model(settings, trained)

    variables |= {"model_version": model.version, "model_folder": str(model.folder)} if model else {}
    build(settings, "3 of 3: scores and marts", SCORES, variables)
    comparison = trained.comparison if isinstance(trained, Trained) else trained
    report = gather_report(settings, landing, as_of, comparison, model, simulated)
    draw_dashboard(settings, report)
    publish(report)
    return report


def _warehouse_is_busy(_task: Any, _run: Any, state: Any) -> bool:
    return isinstance(state.result(raise_on_failure=False), WarehouseBusy)


# a reader of the warehouse is gone in a moment; whatever else fails would fail again
waits_for_warehouse: dict[str, Any] = {
    "retries": 3,
    "retry_delay_seconds": [1, 2, 4],
    "retry_condition_fn": _warehouse_is_busy,
}


@task
def simulate_orders(settings: Settings) -> SimulatedOrders:
    log.info("simulating a shop of %s customers", f"{settings.customers:,}")
    return write_simulated_orders(settings)


@task(**waits_for_warehouse)
def land_orders(settings: Settings, simulated: SimulatedOrders | None, extracted_at: datetime) -> Landing:
    wiring = wire(settings)
    pattern = str(simulated.file) if simulated else str(settings.orders)
    log.info("reading %s", pattern)
    if note := wiring.warehouse.hold_shop(settings.shop):
        log.info(note)
    landing = wiring.warehouse.land_order_lines(pattern, settings.connection_name, wiring.connections, extracted_at)
    for note in landing.notes:
        log.info(note)
    return landing


@task(task_run_name="build {title}")
def build(settings: Settings, title: str, selection: tuple[str, ...], variables: dict[str, Any]) -> None:
    log.info("building %s", title)
    wire(settings).dbt.build(selection, variables)


@task(**waits_for_warehouse)
def find_as_of(settings: Settings) -> AsOf:
    as_of = decide_as_of(wire(settings).warehouse, settings.as_of, settings.currency)
    log.info("everything is as of the end of %s", as_of.date)
    return as_of


@task
def choose_model(settings: Settings, trained: Trained | TooLittleData) -> StoredModel | None:
    """The model just trained; without one, the shipped model if it looks as far ahead; else nobody is scored."""
    if isinstance(trained, Trained):
        return trained.model
    log.warning("no model could be trained: %s", trained)
    shipped = wire(settings).shipped_models.champion()
    if shipped and shipped.horizon_days == settings.horizon_days:
        return shipped
    return None


@task(**waits_for_warehouse)
def gather_report(
    settings: Settings,
    landing: Landing,
    as_of: AsOf,
    comparison: Comparison | TooLittleData,
    model: StoredModel | None,
    simulated: SimulatedOrders | None,
) -> RunReport:
    return read_report(wire(settings).warehouse, settings, landing, as_of, comparison, model, simulated)


@task
def draw_dashboard(settings: Settings, report: RunReport) -> None:
    log.info("drawing the dashboard")
    write_dashboard(wire(settings).warehouse, report, settings.dashboard_file)


@task
def publish(report: RunReport) -> None:
    create_markdown_artifact(as_markdown(report), key="run-summary", description="What this run found")
    create_table_artifact(report.segments.to_pylist(), key="segments", description="Segments by size and value")


def _variables(settings: Settings, landing: Landing, started_at: datetime) -> dict[str, Any]:
    return {
        "order_lines": landing.mapping.as_dbt_variable(),
        "horizon_days": settings.horizon_days,
        "run_date": str(started_at.date()),
        "scored_at": started_at.strftime("%Y-%m-%d %H:%M:%S"),
    }
