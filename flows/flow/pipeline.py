"""The main flow: from a shop's orders to a scored customer list and a page to look at it."""

from dataclasses import replace
from datetime import datetime

from flows.adapters.marts.run_report import History, RunReport
from flows.churn.training_set import sample_below
from flows.flow.training import training
from flows.orchestration import flow
from flows.settings import Settings
from flows.sources.selection import sources_of
from flows.steps.building import FEATURES, SCORES, STAGING, TRAINING, build, find_as_of
from flows.steps.erasure import keep_erased
from flows.steps.freshness import check_age
from flows.steps.landing import claim_for_shop, land, mappings_of, simulate_orders
from flows.steps.measurement import measure_campaigns, measure_together
from flows.steps.monitoring import watch_model
from flows.steps.next_products import show_next_products
from flows.steps.outputs import draw_dashboard, gather_report, keep_outputs, publish, write_workbook
from flows.steps.promises import settle_promises, state_promises
from flows.steps.receipt import check_receipt
from flows.steps.scoring import choose_model, fitting_champion, kept_horizon, merge_served, prepare_scoring
from flows.steps.sync import sync_sources
from flows.steps.thresholds import tell_thresholds
from flows.wiring import Wiring, wire
from functions.clock import now


@flow(name="pipeline")
def pipeline(settings: Settings, retrain: bool = True) -> RunReport:
    """One run: read the orders, segment, train, score, report. Running it again brings everything up to date.

    Without `retrain`, a champion that fits scores as it is; a model is trained only where there is none.
    """
    started_at = now()
    wiring = wire(settings)
    history = read_history(wiring, settings, started_at, trains=retrain)
    history = replace(history, age=check_age(wiring, settings, history, started_at))
    as_of, mappings = history.as_of, history.mappings

    champion = None if retrain else fitting_champion(wiring, settings.shop, as_of)
    build(wiring.dbt, "2 of 3: segments and features", FEATURES if champion else (*FEATURES, *TRAINING), mappings,
          history.run_values)  # fmt: skip
    found = champion or training(wiring, settings.shop, as_of.date, as_of.horizon_days, settings.clv_days)
    model = choose_model(wiring, settings.shop, as_of, found)

    run_values = {**history.run_values, **prepare_scoring(wiring, model)}
    build(wiring.dbt, "3 of 3: scores and marts", SCORES, mappings, run_values)
    with wiring.warehouse.held_open():
        merge_served(wiring.warehouse, settings)
        measure_campaigns(wiring.warehouse, as_of)
        measure_together(wiring.warehouse, as_of)
        measured = watch_model(wiring, as_of, model, started_at)
        settle_promises(wiring.warehouse, as_of)
        shown = show_next_products(wiring, settings.shop, as_of, started_at)
        report = gather_report(wiring, settings, history, found, model, measured, shown)
        state_promises(wiring.warehouse, report)
        tell_thresholds(wiring.warehouse, settings, report, started_at)
        draw_dashboard(wiring.warehouse, settings, report)
        write_workbook(wiring.warehouse, settings)
    report = replace(report, outputs=keep_outputs(wiring.dbt, settings, report))
    publish(report)
    return report


def read_history(wiring: Wiring, settings: Settings, started_at: datetime, trains: bool = True) -> History:
    """Lands and builds orders and contacts, and finds what they tell about the run. Only one that `trains` may change
    the horizon."""
    sources = sources_of(settings, wiring.connections)
    claim_for_shop(wiring.warehouse, settings.shop)
    simulated = simulate_orders(wiring.warehouse, settings) if settings.is_simulated else None
    syncs = sync_sources(wiring, sources, settings)
    landings = land(wiring.warehouse, wiring.connections, sources, simulated, started_at)
    mappings = mappings_of(sources, landings)
    started = {
        "run_date": str(started_at.date()), "scored_at": started_at.strftime("%Y-%m-%d %H:%M:%S"),
        "given_as_of": str(settings.as_of) if settings.as_of else None,
    }  # fmt: skip
    build(wiring.dbt, "1 of 3: order lines", STAGING, mappings, started)
    if keep_erased(wiring.warehouse, wiring.connections, started_at):
        build(wiring.dbt, "1 of 3: order lines, without erased customers", STAGING, mappings, started)
    receipt = check_receipt(wiring.warehouse, settings, started_at)
    as_of = find_as_of(wiring.warehouse, settings, kept_horizon(wiring, settings.shop, trains))
    run_values = {
        **started, "as_of_date": str(as_of.date), "reporting_currency": as_of.convert_to, "currency": as_of.currency,
        "horizon_days": as_of.horizon_days, "clv_days": settings.clv_days, "model_version": None,
        "training_sample_below": sample_below(settings.training_customers, as_of.customers),
        "review_segments": settings.review_segments, "predictions_kept_days": settings.predictions_kept_days,
    }  # fmt: skip
    return History(syncs, landings, simulated, receipt, as_of, mappings, run_values)
