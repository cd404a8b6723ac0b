"""The main flow: from a shop's orders to a scored customer list and a page to look at it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from flows.adapters.dashboard.contact_list import write_contact_list
from flows.adapters.dashboard.page import write_dashboard
from flows.adapters.files.outbox import FileOutbox
from flows.adapters.files.simulated_orders import SimulatedOrders, write_simulated_orders
from flows.adapters.marts.campaign_tables import read_contacted
from flows.adapters.marts.monitoring import monitor, warnings_in_words
from flows.adapters.marts.run_report import RunReport, Trained, read_report
from flows.adapters.marts.staged_orders import AsOf, decide_as_of
from flows.adapters.models.registry import StoredModel
from flows.adapters.privacy.erasure import erase_again
from flows.adapters.tableau.extract import write_extract
from flows.adapters.tableau.hyper import hyper_is_built_for_this_machine
from flows.adapters.tableau.workbook import WORKBOOK, write_packaged_workbook, write_snowflake_workbook
from flows.churn.training_set import sample_below
from flows.console.run_summary import as_markdown
from flows.errors import ModelRefused, TooLittleData
from flows.flow.training import training
from flows.orchestration import flow, keep_markdown, keep_table, task, waits_for_warehouse
from flows.ports.syncs import SyncRun
from flows.settings import SIMULATED_SHOP, Settings
from flows.sources.mappings import Landing
from flows.sources.selection import Sources, from_models, sources_of
from flows.steps.measurement import measure_campaigns
from flows.steps.sync import sync_sources
from flows.wiring import wire, workbook_connection
from functions.clock import now

log = logging.getLogger(__name__)

STAGING = ("path:seeds", "path:models/staging")
CAMPAIGNS = ("campaigns", "campaign_targets", "campaign_sends", "segment_activations")
FEATURES = ("path:models/intermediate", "customer_features", "customer_rfm", *CAMPAIGNS)
TRAINING = ("path:models/training",)
SCORES = (
    "churn_predictions", "prediction_outcomes", "marketing_customers", "cohort_retention", "campaign_outcomes",
    "campaign_results",
)  # fmt: skip


@dataclass(frozen=True)
class History:
    """What a run knows of its shop, once the order lines are built. `mappings` and `run_values`: what dbt needs to know
    of it."""

    syncs: list[SyncRun]
    landings: tuple[Landing, ...]
    simulated: SimulatedOrders | None
    as_of: AsOf
    mappings: Mapping[str, Any]
    run_values: Mapping[str, Any]


@flow(name="pipeline")
def pipeline(settings: Settings, retrain: bool = True) -> RunReport:
    """One run: read the orders, segment, train, score, report. Running it again brings everything up to date.

    Without `retrain` a champion that fits scores as it is, and only where there is none is a model trained.
    """
    started_at = now()
    history = read_history(settings, started_at)
    as_of, mappings = history.as_of, history.mappings

    champion = None if retrain else fitting_champion(settings, as_of)
    build(settings, "2 of 3: segments and features", FEATURES if champion else (*FEATURES, *TRAINING), mappings,
          history.run_values)  # fmt: skip
    found = champion or training(settings, as_of.date, as_of.horizon_days)
    model = choose_model(settings, as_of, found)

    run_values = {**history.run_values, **prepare_scoring(settings, model)}
    build(settings, "3 of 3: scores and marts", SCORES, mappings, run_values)
    merge_served(settings)
    measure_campaigns(settings, as_of)
    measured = watch_model(settings, as_of, model, started_at)
    report = gather_report(settings, history, found, model, measured)
    draw_dashboard(settings, report)
    write_workbook(settings)
    publish(report)
    return report


def read_history(settings: Settings, started_at: datetime) -> History:
    """Brings and builds orders and contacts, and finds what they say about the run."""
    sources = sources_of(settings, wire(settings).connections)
    hold_shop(settings)
    simulated = simulate_orders(settings) if settings.is_simulated else None
    syncs = sync_sources(settings, sources)
    landings = land(settings, sources, simulated, started_at)
    mappings = _mappings(sources, landings)
    started = {"run_date": str(started_at.date()), "scored_at": started_at.strftime("%Y-%m-%d %H:%M:%S")}
    build(settings, "1 of 3: order lines", STAGING, mappings, started)
    if keep_erased(settings, started_at):
        build(settings, "1 of 3: order lines, without whom is to be forgotten", STAGING, mappings, started)
    as_of = find_as_of(settings)
    run_values = {
        **started, "as_of_date": str(as_of.date), "reporting_currency": as_of.convert_to, "currency": as_of.currency,
        "horizon_days": as_of.horizon_days, "model_version": None,
        "training_sample_below": sample_below(settings.training_customers, as_of.customers),
    }  # fmt: skip
    return History(syncs, landings, simulated, as_of, mappings, run_values)


@task(retry=waits_for_warehouse)
def merge_served(settings: Settings) -> None:
    """What `make serve` has answered for this shop, or before there was any."""
    warehouse = wire(settings).warehouse
    for shop in (settings.shop, None):
        outbox = FileOutbox(settings.outbox(shop))
        if outbox.waits():
            log.info("added %s served predictions", f"{outbox.merge_into(warehouse.add_predictions):,}")


@task(retry=waits_for_warehouse)
def simulate_orders(settings: Settings) -> SimulatedOrders:
    log.info("simulating a shop of %s customers", f"{settings.customers:,}")
    return write_simulated_orders(settings, read_contacted(wire(settings).warehouse))


@task(retry=waits_for_warehouse)
def hold_shop(settings: Settings) -> None:
    if note := wire(settings).warehouse.hold_shop(settings.shop):
        log.info(note)


@task(retry=waits_for_warehouse)
def land(
    settings: Settings, sources: Sources, simulated: SimulatedOrders | None, extracted_at: datetime
) -> tuple[Landing, ...]:
    """What is there of every source: files are read, what Airbyte brought is looked at, models will yield the rest."""
    wiring = wire(settings)
    warehouse, connections = wiring.warehouse, wiring.connections
    landings: list[Landing] = []
    if sources.order_files:
        name, pattern = sources.order_files
        if pattern := str(simulated.file) if simulated else pattern:
            log.info("reading %s", pattern)
            landings.append(warehouse.land_order_lines(pattern, name, connections, extracted_at))
        else:
            landings.append(warehouse.synced_order_lines(name, connections))
    if sources.contact_files:
        name, pattern = sources.contact_files
        if simulated and name == SIMULATED_SHOP and not pattern:
            pattern = str(simulated.contacts_file)
        if pattern:
            log.info("reading %s", pattern)
            landings.append(warehouse.land_contacts(pattern, name, connections, extracted_at))
        else:
            landings.append(warehouse.synced_contacts(name, connections))
    landings += from_models(sources, connections)
    for landing in landings:
        for note in landing.notes:
            log.info(note)
    return tuple(landings)


@task(retry=waits_for_warehouse)
def keep_erased(settings: Settings, at: datetime) -> bool:
    """Takes out whom a sync or a file has brought back although he was erased; whether there was anybody."""
    wiring = wire(settings)
    erased = erase_again(wiring.warehouse, wiring.connections, at)
    for entry in erased:
        log.info("erased again: %s rows of %s", f"{entry.rows:,}", entry.relation)
    return bool(erased)


@task(run_name="build {title}", retry=waits_for_warehouse)
def build(
    settings: Settings,
    title: str,
    selection: tuple[str, ...],
    mappings: Mapping[str, Any],
    run_values: Mapping[str, Any],
) -> None:
    log.info("building %s", title)
    wire(settings).dbt.build(selection, mappings, run_values)


@task(retry=waits_for_warehouse)
def find_as_of(settings: Settings) -> AsOf:
    as_of = decide_as_of(wire(settings).warehouse, settings.as_of, settings.currency, settings.horizon_days)
    log.info("everything is as of the end of %s", as_of.date)
    log.info("looking %d days ahead: %s", as_of.horizon_days, as_of.why_horizon)
    return as_of


@task
def fitting_champion(settings: Settings, as_of: AsOf) -> StoredModel | None:
    """The champion, where it was trained for this shop and horizon and on nothing later than the as-of date."""
    champion = wire(settings).own_models.champion()
    if champion is None or not _is_of(champion, settings.shop) or not _may_score(champion, settings.shop, as_of):
        log.info("there is no champion for this shop, date and horizon: one is trained")
        return None
    return champion


def _is_of(model: StoredModel, shop: str) -> bool:
    return bool(model.card["trained_on"]["shop"] == shop)


def _may_score(model: StoredModel, shop: str, as_of: AsOf) -> bool:
    knows_the_future = _is_of(model, shop) and date.fromisoformat(model.card["trained_as_of"]) > as_of.date
    return model.horizon_days == as_of.horizon_days and not knows_the_future


@task(retry=waits_for_warehouse)
def choose_model(settings: Settings, as_of: AsOf, found: StoredModel | Trained | TooLittleData) -> StoredModel | None:
    """The champion, or what the gate chose; with neither, the shipped model if it looks as far ahead; else nobody is
    scored. Where the warehouse scores with another one, it is that one, if it fits.

    Raises:
        ModelRefused: when the warehouse scores with a model that must not score this run.
    """
    wiring = wire(settings)
    if isinstance(found, TooLittleData):
        log.warning("no model could be trained: %s", found)
        wanted = wiring.shipped_models.champion()
        if wanted is None or wanted.horizon_days != as_of.horizon_days:
            return None
    else:
        wanted = found.model if isinstance(found, Trained) else found
    version = wiring.warehouse.scores_with(wanted.version)
    if version == wanted.version:
        return wanted
    log.warning("the API scores with %s, not with %s: `make package`, and deploy it", version, wanted.version)
    model = wiring.home_of(version).load(version)
    if not _may_score(model, settings.shop, as_of):
        raise ModelRefused(
            f"The API scores with {version}, which looks {model.horizon_days} days ahead and knows orders until"
            f" {model.card['trained_as_of']}; this run is as of {as_of.date} and looks {as_of.horizon_days} days ahead."
            f" Deploy {wanted.version} (`make package`), or let Snowflake score by itself: SNOWFLAKE_SCORING=udf."
        )
    return model


@task(retry=waits_for_warehouse)
def prepare_scoring(settings: Settings, model: StoredModel | None) -> dict[str, Any]:
    """The run values that say with which model dbt scores; its files are brought here first if they are elsewhere."""
    if model is None:
        return {}
    wiring, version = wire(settings), model.version
    folder = wiring.home_of(version).local_folder(version)
    return {"model_version": version, **wiring.warehouse.prepare_scoring(version, folder)}


@task(retry=waits_for_warehouse)
def watch_model(settings: Settings, as_of: AsOf, model: StoredModel | None, measured_at: datetime) -> pa.Table:
    """Drift of this run's customers and realised quality of past predictions; what is beyond its limit is warned of."""
    wiring = wire(settings)
    measured = monitor(wiring.warehouse, wiring.own_models, model, as_of.date, measured_at)
    for warning in warnings_in_words(measured):
        log.warning(warning)
    return measured


@task(retry=waits_for_warehouse)
def gather_report(
    settings: Settings,
    history: History,
    found: StoredModel | Trained | TooLittleData,
    model: StoredModel | None,
    measured: pa.Table,
) -> RunReport:
    wiring, of = wire(settings), history
    trained = None if isinstance(found, StoredModel) else found
    is_shipped = model is not None and wiring.home_of(model.version) is wiring.shipped_models
    return read_report(
        wiring.warehouse, settings, of.syncs, of.landings, of.as_of, trained, model, is_shipped, measured, of.simulated
    )


@task(retry=waits_for_warehouse)
def draw_dashboard(settings: Settings, report: RunReport) -> None:
    log.info("drawing the dashboard")
    warehouse = wire(settings).warehouse
    write_contact_list(warehouse, settings.contacts_file, settings.show_pii)
    write_dashboard(warehouse, report, settings.dashboard_file)


@task(retry=waits_for_warehouse)
def write_workbook(settings: Settings) -> None:
    """Tableau's workbook: with an extract in it on a laptop, in production connected to the warehouse."""
    if connection := workbook_connection(settings):
        write_snowflake_workbook(WORKBOOK, connection, settings.workbook_file)
        return
    if not hyper_is_built_for_this_machine():
        log.warning("no Tableau workbook: Tableau does not build hyperd, which writes its extracts, for this machine")
        return
    log.info("writing the Tableau workbook with its extract")
    write_extract(wire(settings).warehouse, settings.extract_file, settings.show_pii)
    write_packaged_workbook(WORKBOOK, settings.extract_file, settings.workbook_file)


@task
def publish(report: RunReport) -> None:
    keep_markdown("run-summary", as_markdown(report), "What this run found")
    keep_table("segments", report.segments.to_pylist(), "Segments by size and value")
    publish_measured(report.measured)


def publish_measured(measured: pa.Table) -> None:
    keep_table(
        "model-monitoring",
        [row | {"as_of_date": str(row["as_of_date"])} for row in measured.drop_columns("measured_at").to_pylist()],
        "Drift of this run and realised quality of earlier ones",
    )


def _mappings(sources: Sources, landings: Sequence[Landing]) -> dict[str, Any]:
    """dbt's variables of the sources: what their columns mean."""
    kinds = ("order_lines", "contacts", "email_events")
    return {
        **{kind: [one.mapping.as_dbt_variable() for one in landings if one.kind == kind] for kind in kinds},
        "sources": list(sources.all),
    }
