"""The training flow: from past snapshots to a stored model and the decision of the promotion gate."""

import logging
from datetime import date

import pyarrow.compute as pc

from flows.adapters.marts.run_report import Trained
from flows.adapters.models.registry import ModelRegistry, StoredModel
from flows.adapters.models.report import render_model_report
from flows.churn.backtest import Backtest, run_backtest
from flows.churn.churn_model import ChurnModel
from flows.churn.horizon import DEFAULT_CLV_DAYS
from flows.churn.model_card import model_card
from flows.churn.onnx_export import ExportedModel, export
from flows.churn.promotion_gate import Champion, Verdict, decide_promotion
from flows.churn.recipe import training_fingerprint
from flows.churn.selection import Selection, select, train_selected
from flows.churn.threads import in_one_thread
from flows.churn.training_set import Totals, TrainingSet
from flows.errors import ModelRefused, TooLittleData
from flows.orchestration import flow, task, waits_for_warehouse
from flows.ports.warehouse import Warehouse
from flows.wiring import Wiring
from functions.churn_api.scorer import Scorer

log = logging.getLogger(__name__)


@flow(name="training")
def training(
    wiring: Wiring, shop: str, as_of: date, horizon_days: int, clv_days: int, origin: str = ""
) -> Trained | StoredModel | TooLittleData:
    """Trains on what was known by the end of `as_of`, and lets the promotion gate decide whether it replaces the
    champion.

    Reads `intermediate.int_training_snapshots`, which must have been built for `as_of` and the horizon.
    Returns the champion instead where it was trained on the same data, and the reason where there is too little data.
    """
    warehouse, models = wiring.warehouse, wiring.own_models
    snapshots = read_snapshots(warehouse, horizon_days, clv_days)
    fingerprint = training_fingerprint(snapshots)
    if not origin and (champion := champion_of_the_same(models, shop, fingerprint, as_of)):
        return champion
    backtest = test_on_the_past(snapshots)
    if isinstance(backtest, TooLittleData):
        return backtest
    selection = choose(backtest)
    model = train(snapshots, backtest, selection, as_of)
    exported = export_to_onnx(model, snapshots, as_of, origin)
    stored = store(models, shop, exported, model, backtest, selection, snapshots, as_of, fingerprint)
    if origin:
        verdict = Verdict(promote=False, use_new=True, why="it is trained to be shipped")
    else:
        verdict = promote_if_good(models, shop, stored, backtest, selection, as_of)
    return Trained(scoring_model(models, stored, verdict), stored.version, verdict, backtest, selection)


@task(retry=waits_for_warehouse)
def read_snapshots(warehouse: Warehouse, horizon_days: int, clv_days: int = DEFAULT_CLV_DAYS) -> TrainingSet:
    """Without customers contacted by a campaign within the horizon: their behaviour also shows the effect of the
    message. The control group stays, so that the model is not biased against customers like them."""
    table = warehouse.read(
        """select snapshots.*, contacted.customer_id is not null as was_contacted
        from intermediate.int_training_snapshots as snapshots
        left join intermediate.int_training_contacted as contacted
            on snapshots.customer_id = contacted.customer_id and snapshots.as_of_date = contacted.as_of_date"""
    )
    left_alone = table.filter(pc.invert(table["was_contacted"]))
    if contacted := len(table) - len(left_alone):
        log.info("not trained on: %s rows of customers contacted by a campaign", f"{contacted:,}")
    totals = warehouse.read("select as_of_date, customers, churned, spend from intermediate.int_training_totals")
    population = {day: Totals(*of_all) for day, *of_all in zip(*totals.to_pydict().values(), strict=True)}
    rows, in_all = len(left_alone), sum(of.customers for of in population.values())
    if rows == in_all:
        return TrainingSet.from_table(left_alone, horizon_days, clv_days=clv_days)
    log.info("training on a sample: %s of %s rows", f"{rows:,}", f"{in_all:,}")
    return TrainingSet.from_table(left_alone, horizon_days, population, clv_days)


@task
def champion_of_the_same(models: ModelRegistry, shop: str, fingerprint: str, as_of: date) -> StoredModel | None:
    """The champion, if training again on snapshots of this fingerprint would make the same model."""
    try:
        champion = models.champion()
    except ModelRefused:  # which is reported where a new one is judged
        return None
    if champion is None or champion.card["trained_as_of"] != str(as_of):
        return None
    trained_on = champion.card["trained_on"]
    if trained_on["shop"] != shop or trained_on.get("fingerprint") != fingerprint:
        return None
    log.info("nothing has changed since %s was trained: it stays", champion.version)
    return champion


@task
def test_on_the_past(snapshots: TrainingSet) -> Backtest | TooLittleData:
    try:
        return run_backtest(snapshots, log.info)
    except TooLittleData as reason:
        return reason


@task
def choose(backtest: Backtest) -> Selection:
    selection = select(backtest)
    log.info("kept: %s", selection.candidate)
    return selection


@task
def train(snapshots: TrainingSet, backtest: Backtest, selection: Selection, as_of: date) -> ChurnModel:
    return in_one_thread(train_selected, snapshots, backtest, selection, as_of)


@task
def export_to_onnx(model: ChurnModel, snapshots: TrainingSet, as_of: date, origin: str) -> ExportedModel:
    return export(model, snapshots.features, as_of, origin)


@task
def store(
    models: ModelRegistry,
    shop: str,
    exported: ExportedModel,
    model: ChurnModel,
    backtest: Backtest,
    selection: Selection,
    snapshots: TrainingSet,
    as_of: date,
    fingerprint: str,
) -> StoredModel:
    card = model_card(exported, model, backtest, selection, snapshots, as_of, shop, fingerprint)
    return models.save(exported.content, card, render_model_report(card, backtest, selection))


@task
def promote_if_good(
    models: ModelRegistry, shop: str, stored: StoredModel, backtest: Backtest, selection: Selection, as_of: date
) -> Verdict:
    verdict = decide_promotion(
        stored.version, selection.candidate, backtest, as_of, shop,
        champion_to_beat(models), models.alias().rejected,
    )  # fmt: skip
    if verdict.promote:
        models.promote(stored.version)
    log.info("%s %s: %s", stored.version, "is the champion" if verdict.promote else "stays in reserve", verdict.why)
    return verdict


def champion_to_beat(models: ModelRegistry) -> Champion | None:
    """The champion; None, with a warning, where it cannot be used any more."""
    try:
        champion = models.champion()
    except ModelRefused as reason:
        log.warning("the champion is not compared with: %s", reason)
        return None
    return Champion(champion.card, Scorer.load(champion.content)) if champion else None


def scoring_model(models: ModelRegistry, stored: StoredModel, verdict: Verdict) -> StoredModel:
    champion = None if verdict.use_new else models.champion()
    return champion or stored
