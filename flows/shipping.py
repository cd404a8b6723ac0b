"""Trains the model that comes with the project, for shops with too little history to train their own."""

import logging

from flows.errors import TooLittleData
from flows.pipeline import pipeline
from flows.settings import Settings
from flows.training import training
from flows.wiring import wire

log = logging.getLogger(__name__)

ORIGIN = "shipped-"


def ship_champion(settings: Settings) -> None:
    """Runs the pipeline, trains, and puts the model into model_artifacts/ as the champion there.

    Raises:
        TooLittleData: when the shop of the settings is too small to train on.
    """
    report = pipeline(settings)
    trained = training(settings, report.as_of.date, ORIGIN)
    if isinstance(trained, TooLittleData):
        raise trained
    shipped = wire(settings).shipped_models
    shipped.save((trained.model.folder / "model.onnx").read_bytes(), trained.model.card)
    shipped.promote(trained.model.version)
    log.info("model_artifacts/ now serves %s", trained.model.version)
