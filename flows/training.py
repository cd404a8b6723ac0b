"""The training flow: from past snapshots to a stored, promoted model."""

import logging
from dataclasses import dataclass
from datetime import date

from prefect import flow, task
from sklearn.base import BaseEstimator

from flows.adapters.model_store import StoredModel
from flows.churn.candidates import CANDIDATES
from flows.churn.model_card import model_card
from flows.churn.onnx_export import ExportedModel, export
from flows.churn.selection import Comparison, compare_candidates
from flows.churn.training_set import TrainingSet
from flows.errors import TooLittleData
from flows.settings import Settings
from flows.wiring import wire

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    model: StoredModel
    comparison: Comparison


@flow(name="training", validate_parameters=False)
def training(settings: Settings, as_of: date, origin: str = "") -> Trained | TooLittleData:
    """Trains on what was known by the end of `as_of`, keeps the better candidate, and makes it the champion.

    Reads `intermediate.int_training_snapshots`, which must have been built for `as_of` and the horizon.
    Returns the reason instead where there is too little data to train on.
    """
    snapshots = read_snapshots(settings)
    comparison = compare(snapshots, settings.horizon_days)
    if isinstance(comparison, TooLittleData):
        return comparison
    winner = fit(snapshots, comparison.winner)
    exported = export_to_onnx(winner, snapshots, settings.horizon_days, as_of, origin)
    card = model_card(exported, comparison, snapshots, as_of, settings.horizon_days, settings.shop)
    return Trained(store_and_promote(settings, exported, card), comparison)


@task
def read_snapshots(settings: Settings) -> TrainingSet:
    table = wire(settings).warehouse.read("from intermediate.int_training_snapshots")
    return TrainingSet.from_table(table)


@task
def compare(snapshots: TrainingSet, horizon_days: int) -> Comparison | TooLittleData:
    try:
        comparison = compare_candidates(snapshots, horizon_days)
    except TooLittleData as reason:
        return reason
    for held_out in comparison.held_out:
        log.info("tested on %s, trained on %d snapshots before", held_out.day, len(held_out.trained_on))
    return comparison


@task
def fit(snapshots: TrainingSet, winner: str) -> BaseEstimator:
    return CANDIDATES[winner](snapshots)


@task
def export_to_onnx(
    model: BaseEstimator, snapshots: TrainingSet, horizon_days: int, as_of: date, origin: str
) -> ExportedModel:
    return export(model, snapshots.features, horizon_days, as_of, origin)


@task
def store_and_promote(settings: Settings, exported: ExportedModel, card: dict[str, object]) -> StoredModel:
    models = wire(settings).own_models
    model = models.save(exported.content, card)
    models.promote(model.version)
    return model
