"""Trains the shipped model, for shops with too little history to train their own."""

import logging
import shutil

from flows.adapters.marts.run_report import Trained
from flows.adapters.models.registry import CHAMPION, REPORT
from flows.errors import TooLittleData
from flows.flow.pipeline import pipeline
from flows.flow.training import training
from flows.settings import SHIPPED_MODELS, Settings
from flows.wiring import wire

log = logging.getLogger(__name__)

ORIGIN = "shipped-"


def ship_champion(settings: Settings) -> None:
    """Runs the pipeline, trains, and makes the model the champion of model_artifacts/.

    Raises:
        TooLittleData: when the shop of the settings is too small to train on.
    """
    report = pipeline(settings)
    wiring = wire(settings)
    trained = training(wiring, settings.shop, report.as_of.date, report.as_of.horizon_days, settings.clv_days, ORIGIN)
    if isinstance(trained, TooLittleData):
        raise trained
    assert isinstance(trained, Trained)  # a model to ship is always trained
    model = wiring.own_models.load(trained.new_version)
    report_page = (wiring.own_models.local_folder(model.version) / REPORT).read_text(encoding="utf-8")
    shutil.rmtree(SHIPPED_MODELS / model.version, ignore_errors=True)  # the same model, of another day
    wiring.shipped_models.save(model.content, model.card, report_page)
    (SHIPPED_MODELS / CHAMPION).unlink(missing_ok=True)
    wiring.shipped_models.promote(model.version)
    for former in SHIPPED_MODELS.glob(f"{ORIGIN}*"):  # one is shipped, and nobody can go back to those before it
        if former.name != model.version:
            shutil.rmtree(former)
    log.info("model_artifacts/ now serves %s", model.version)
