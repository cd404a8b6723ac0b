"""The flows of prefect.yaml, which run on a schedule or on demand. Settings come from the deployment's environment."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from prefect import flow

from flows.adapters.files.run_lock import lock
from flows.adapters.marts.run_report import History
from flows.adapters.privacy.masking import masked_text
from flows.churn.backtest import Backtest
from flows.churn.evaluation import mean_quality
from flows.errors import BadInput, TooLittleData, TryAgain
from flows.flow.activation import activate_segments
from flows.flow.digest import send_weekly_digest
from flows.flow.erasure import erase_people, read_list, read_names
from flows.flow.pipeline import pipeline, read_history
from flows.flow.publication import publish_to_tableau
from flows.flow.training import read_snapshots, test_on_the_past, training
from flows.orchestration import alert, keep_table, one_at_a_time, task
from flows.ports.syncs import SyncFailed
from flows.settings import Settings, differing, read_settings
from flows.steps.building import FEATURES, TRAINING, build
from flows.steps.monitoring import publish_measured, watch_model
from flows.wiring import Wiring, wire
from functions.clock import now

log = logging.getLogger(__name__)

MAX_SECONDS = 6 * 3600
PAUSES_SECONDS = (1_800.0, 1_800.0)


@flow(name="daily-pipeline", timeout_seconds=MAX_SECONDS)
def daily_pipeline() -> None:
    """Segments, scores and marts as of the last order's day, with the champion; published and activated where
    TABLEAU_URL and DESTINATION are set, unless the newest orders are too old to send on; once a week with the
    digest."""
    _until_it_succeeds(_daily)


@flow(name="weekly-training", timeout_seconds=MAX_SECONDS)
def weekly_training() -> None:
    """A new model as of the last order's day; the promotion gate decides whether it becomes the champion."""
    _until_it_succeeds(_weekly)


@flow(name="monthly-monitoring", timeout_seconds=MAX_SECONDS)
def monthly_monitoring() -> None:
    """Quality of the candidates over the past months, and realised quality of the champion's predictions."""
    _until_it_succeeds(_monthly)


@flow(name="backfill", timeout_seconds=MAX_SECONDS)
def backfill(as_of: date) -> None:
    """Scores a past date with a model that was trained on earlier data; then restores the marts to today."""
    with _settings(as_of=as_of) as settings:
        pipeline(settings, retrain=True)
        today = read_settings(Settings)
        pipeline(today, retrain=False)
        publish_to_tableau(today)


@flow(name="erase", timeout_seconds=MAX_SECONDS)
def erase(people: str) -> None:
    """Erases people for good. `people`: their customer ids or e-mail addresses, one per line; or where a file has them,
    s3://bucket/key or a path that begins with / . Prefect keeps what is written here, so name a file for addresses."""
    with _settings() as settings:
        is_file = people.startswith(("s3://", "/"))
        names = read_list(people.strip()) if is_file else read_names(people, "`people`")
        try:
            for line in erase_people(settings, names):
                log.info(line)
        except BadInput as problem:  # names addresses, and Prefect and the alert would show them
            raise BadInput(masked_text(str(problem))) from None


def _daily(settings: Settings) -> None:
    report = pipeline(settings, retrain=False)
    publish_to_tableau(settings)
    if settings.destination and report.age.why_nothing_is_sent:
        alert("sending", [f"nothing is sent to {settings.destination}: {report.age.why_nothing_is_sent}"])
    else:
        activate_segments(settings)
    send_weekly_digest(settings)


def _weekly(settings: Settings) -> None:
    started_at = now()
    wiring = wire(settings)
    history = _read_with_snapshots(wiring, settings, started_at, trains=True)
    trained = training(wiring, settings.shop, history.as_of.date, history.as_of.horizon_days, settings.clv_days)
    if isinstance(trained, TooLittleData):
        log.warning("no model was trained: %s", trained)


def _monthly(settings: Settings) -> None:
    started_at = now()
    wiring = wire(settings)
    history = _read_with_snapshots(wiring, settings, started_at, trains=False)
    backtest = test_on_the_past(read_snapshots(wiring.warehouse, history.as_of.horizon_days, settings.clv_days))
    publish_backtest(backtest)
    measured = watch_model(wiring, history.as_of, wiring.own_models.champion(), started_at)
    publish_measured(measured)


def _until_it_succeeds(run: Callable[[Settings], None]) -> None:
    """Runs again after each of the pauses, if another try may mend what failed: a server that did not respond, or a
    sync. Other runs have the warehouse meanwhile. Only the last try goes on with stale data, if it may.

    Prefect's own retries would repeat every failure, a wrong setting too."""
    may_be_stale = read_settings(Settings).sync_failed == "stale"
    for pause in PAUSES_SECONDS:
        try:
            with _settings(sync_failed="stop") as settings:
                run(settings)
            return
        except (TryAgain, SyncFailed) as problem:
            if isinstance(problem, SyncFailed) and not problem.may_pass:
                if may_be_stale:
                    break
                raise
            log.warning("this is tried again in %d minutes: %s", pause / 60, problem)
            time.sleep(pause)
    with _settings() as settings:
        run(settings)


@contextmanager
def _settings(**given: Any) -> Iterator[Settings]:
    logging.getLogger("flows").setLevel(logging.INFO)  # prefect.yaml shows their logs on the run's page
    settings = read_settings(Settings, **given)
    log.info("%s", differing(settings))
    with one_at_a_time(), lock(settings.data_dir):
        yield settings


def _read_with_snapshots(wiring: Wiring, settings: Settings, started_at: datetime, trains: bool) -> History:
    history = read_history(wiring, settings, started_at, trains)
    build(wiring.dbt, "2 of 2: features of the past", (*FEATURES, *TRAINING), history.mappings,
          history.run_values)  # fmt: skip
    return history


@task
def publish_backtest(backtest: Backtest | TooLittleData) -> None:
    if isinstance(backtest, TooLittleData):
        log.warning("no backtest: %s", backtest)
        return
    keep_table(
        "backtest",
        [
            {"candidate": name, **{figure: round(value, 4) for figure, value in mean_quality(qualities).items()}}
            for name, qualities in backtest.qualities.items()
        ],
        f"Candidates on {len(backtest.held_out)} held-out dates",
    )
