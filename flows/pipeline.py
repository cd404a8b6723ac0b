"""The main flow: from a shop's orders to a scored customer list and a page to look at it."""

import logging
from datetime import datetime
from typing import Any

import pyarrow as pa
from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.adapters.csv_source.landing import Landing
from flows.adapters.dashboard import write_dashboard
from flows.adapters.file_outbox import FileOutbox
from flows.adapters.model_registry import StoredModel
from flows.adapters.monitoring import monitor, warnings_in_words
from flows.adapters.run_report import RunReport, Trained, read_report
from flows.adapters.simulated_orders import SimulatedOrders, write_simulated_orders
from flows.adapters.staged_orders import AsOf, decide_as_of
from flows.errors import TooLittleData, WarehouseBusy
from flows.settings import SIMULATED_SHOP, Settings
from flows.summary import as_markdown
from flows.training import training
from flows.wiring import wire
from functions.clock import now

log = logging.getLogger(__name__)

STAGING = ("path:seeds", "path:models/staging")
FEATURES = ("path:models/intermediate", "customer_features", "customer_rfm")
SCORES = ("churn_predictions", "prediction_outcomes", "marketing_customers")


@flow(name="pipeline", validate_parameters=False)
def pipeline(settings: Settings) -> RunReport:
    """One run: read the orders, segment, train, score, report. Running it again brings everything up to date."""
    started_at = now()
    simulated = simulate_orders(settings) if settings.connection_name == SIMULATED_SHOP else None
    landing = land_orders(settings, simulated, started_at)
    variables = _variables(landing, started_at)

    build(settings, "1 of 3: order lines", STAGING, variables)
    as_of = find_as_of(settings)
    variables |= {
        "as_of_date": str(as_of.date), "reporting_currency": as_of.convert_to, "horizon_days": as_of.horizon_days,
    }  # fmt: skip

    build(settings, "2 of 3: segments and features", FEATURES, variables)
    trained = training(settings, as_of.date, as_of.horizon_days)
    model = choose_model(settings, as_of, trained)

    variables |= scoring_variables(settings, model)
    build(settings, "3 of 3: scores and marts", SCORES, variables)
    merge_served(settings)
    measured = watch_model(settings, as_of, model, started_at)
    report = gather_report(settings, landing, as_of, trained, model, measured, simulated)
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


@task(**waits_for_warehouse)
def merge_served(settings: Settings) -> None:
    """What `make serve` has answered for this shop, or before there was any."""
    warehouse = wire(settings).warehouse
    for shop in (settings.shop, None):
        outbox = FileOutbox(settings.outbox(shop))
        if outbox.waits():
            log.info("added %s served predictions", f"{outbox.merge_into(warehouse.add_predictions):,}")


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
    as_of = decide_as_of(wire(settings).warehouse, settings.as_of, settings.currency, settings.horizon_days)
    log.info("everything is as of the end of %s", as_of.date)
    log.info("looking %d days ahead: %s", as_of.horizon_days, as_of.why_horizon)
    return as_of


@task
def choose_model(settings: Settings, as_of: AsOf, trained: Trained | TooLittleData) -> StoredModel | None:
    """The model that the gate chose; without one, the shipped model if it looks as far ahead; else nobody is scored."""
    if isinstance(trained, Trained):
        return trained.model
    log.warning("no model could be trained: %s", trained)
    shipped = wire(settings).shipped_models.champion()
    if shipped and shipped.horizon_days == as_of.horizon_days:
        return shipped
    return None


@task
def scoring_variables(settings: Settings, model: StoredModel | None) -> dict[str, Any]:
    """What dbt needs to know of the model; its files are brought to this machine first if they are elsewhere."""
    if model is None:
        return {}
    wiring = wire(settings)
    home = wiring.shipped_models if model.version in wiring.shipped_models.versions() else wiring.own_models
    return {"model_version": model.version, "model_folder": str(home.local_folder(model.version))}


@task(**waits_for_warehouse)
def watch_model(settings: Settings, as_of: AsOf, model: StoredModel | None, measured_at: datetime) -> pa.Table:
    """Drift of this run's customers and realised quality of past predictions; what is beyond its limit is warned of."""
    wiring = wire(settings)
    measured = monitor(wiring.warehouse, wiring.own_models, model, as_of.date, measured_at)
    for warning in warnings_in_words(measured):
        log.warning(warning)
    return measured


@task(**waits_for_warehouse)
def gather_report(
    settings: Settings,
    landing: Landing,
    as_of: AsOf,
    trained: Trained | TooLittleData,
    model: StoredModel | None,
    measured: pa.Table,
    simulated: SimulatedOrders | None,
) -> RunReport:
    warehouse = wire(settings).warehouse
    return read_report(warehouse, settings, landing, as_of, trained, model, measured, simulated)


@task
def draw_dashboard(settings: Settings, report: RunReport) -> None:
    log.info("drawing the dashboard")
    write_dashboard(wire(settings).warehouse, report, settings.dashboard_file)


@task
def publish(report: RunReport) -> None:
    create_markdown_artifact(as_markdown(report), key="run-summary", description="What this run found")
    create_table_artifact(report.segments.to_pylist(), key="segments", description="Segments by size and value")
    create_table_artifact(
        [
            row | {"as_of_date": str(row["as_of_date"])}
            for row in report.measured.drop_columns("measured_at").to_pylist()
        ],
        key="model-monitoring",
        description="Drift of this run and realised quality of earlier ones",
    )


def _variables(landing: Landing, started_at: datetime) -> dict[str, Any]:
    return {
        "order_lines": landing.mapping.as_dbt_variable(),
        "run_date": str(started_at.date()),
        "scored_at": started_at.strftime("%Y-%m-%d %H:%M:%S"),
    }
