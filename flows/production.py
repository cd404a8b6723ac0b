"""The flows of prefect.yaml, which run on a schedule or on demand. Settings come from the deployment's environment."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

from prefect import flow

from flows.adapters.files.run_lock import lock
from flows.adapters.marts.run_report import History
from flows.churn.backtest import Backtest
from flows.churn.evaluation import mean_quality
from flows.errors import TooLittleData
from flows.flow.activation import activate_segments
from flows.flow.pipeline import pipeline, read_history
from flows.flow.publication import publish_to_tableau
from flows.flow.training import read_snapshots, test_on_the_past, training
from flows.orchestration import keep_table, one_at_a_time, task
from flows.settings import Settings, differing, read_settings
from flows.steps.building import FEATURES, TRAINING, build
from flows.steps.monitoring import publish_measured, watch_model
from flows.wiring import Wiring, wire
from functions.clock import now

log = logging.getLogger(__name__)

MAX_SECONDS = 6 * 3600


@flow(name="daily-pipeline", timeout_seconds=MAX_SECONDS)
def daily_pipeline() -> None:
    """Segments, scores and marts as of the last order's day, with the champion; published and activated where
    TABLEAU_URL and DESTINATION are set."""
    with _settings() as settings:
        pipeline(settings, retrain=False)
        publish_to_tableau(settings)
        activate_segments(settings)


@flow(name="weekly-training", timeout_seconds=MAX_SECONDS)
def weekly_training() -> None:
    """A new model as of the last order's day; the promotion gate decides whether it becomes the champion."""
    started_at = now()
    with _settings() as settings:
        wiring = wire(settings)
        history = _read_with_snapshots(wiring, settings, started_at, trains=True)
        trained = training(wiring, settings.shop, history.as_of.date, history.as_of.horizon_days, settings.clv_days)
        if isinstance(trained, TooLittleData):
            log.warning("no model was trained: %s", trained)


@flow(name="monthly-monitoring", timeout_seconds=MAX_SECONDS)
def monthly_monitoring() -> None:
    """Quality of the candidates over the past months, and realised quality of the champion's predictions."""
    started_at = now()
    with _settings() as settings:
        wiring = wire(settings)
        history = _read_with_snapshots(wiring, settings, started_at, trains=False)
        backtest = test_on_the_past(read_snapshots(wiring.warehouse, history.as_of.horizon_days, settings.clv_days))
        publish_backtest(backtest)
        measured = watch_model(wiring, history.as_of, wiring.own_models.champion(), started_at)
        publish_measured(measured)


@flow(name="backfill", timeout_seconds=MAX_SECONDS)
def backfill(as_of: date) -> None:
    """Scores a past date with a model that was trained on earlier data; then restores the marts to today."""
    with _settings(as_of) as settings:
        pipeline(settings, retrain=True)
        today = read_settings(Settings)
        pipeline(today, retrain=False)
        publish_to_tableau(today)


@contextmanager
def _settings(as_of: date | None = None) -> Iterator[Settings]:
    logging.getLogger("flows").setLevel(logging.INFO)  # prefect.yaml shows their logs on the run's page
    settings = read_settings(Settings, **({"as_of": as_of} if as_of else {}))
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
