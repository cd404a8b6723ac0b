"""The model that a run scores with, and predictions that were served meanwhile."""

import logging
import time
from datetime import date
from typing import Any

from flows.adapters.files.outbox import FileOutbox
from flows.adapters.marts.run_report import Trained
from flows.adapters.marts.staged_orders import AsOf, KeptHorizon
from flows.adapters.models.registry import StoredModel
from flows.errors import ModelRefused, TooLittleData
from flows.orchestration import task, waits_for_warehouse
from flows.ports.warehouse import Warehouse
from flows.settings import Settings
from flows.wiring import Wiring

log = logging.getLogger(__name__)

# a copy of the API reads each minute which model is the champion
FOLLOWS_WITHIN_SECONDS, ASK_EVERY_SECONDS = 75.0, 5.0


@task(retry=waits_for_warehouse)
def kept_horizon(wiring: Wiring, shop: str, trains: bool) -> KeptHorizon | None:
    """The horizon of the shop's champion; in a run that does not train, that of the model which the API has, so that
    such a run goes on while a champion with another horizon waits for its deployment."""
    champion = wiring.own_models.champion_card()
    if champion is None or champion["trained_on"]["shop"] != shop:
        return None
    card = champion
    if (
        not trains
        and (version := wiring.warehouse.scores_with(champion["model_version"])) in wiring.own_models.versions()
    ):
        card = wiring.own_models.load(version).card
    if card["horizon_days"] != champion["horizon_days"]:
        log.warning(
            "the API still looks %d days ahead, and the champion %s looks %d: does it read this model store?",
            card["horizon_days"], champion["model_version"], champion["horizon_days"],
        )  # fmt: skip
    trained_as_of = date.fromisoformat(card["trained_as_of"])
    return KeptHorizon(int(card["horizon_days"]), card["model_version"], trained_as_of, trains)


@task(retry=waits_for_warehouse)
def fitting_champion(wiring: Wiring, shop: str, as_of: AsOf) -> StoredModel | None:
    """The champion, where it was trained for this shop and horizon and on nothing later than the as-of date; otherwise
    the model that the API still has, if that one was."""
    champion = wiring.own_models.champion()
    if champion is None:
        log.info("there is no champion yet: one is trained")
        return None
    if _is_of(champion, shop) and _may_score(champion, shop, as_of):
        return champion
    deployed = wiring.warehouse.scores_with(champion.version)
    if deployed != champion.version and deployed in wiring.own_models.versions():
        model = wiring.own_models.load(deployed)
        if _is_of(model, shop) and _may_score(model, shop, as_of):
            return model
    log.info("there is no champion for this shop, date and horizon: one is trained")
    return None


def _is_of(model: StoredModel, shop: str) -> bool:
    return bool(model.card["trained_on"]["shop"] == shop)


def _may_score(model: StoredModel, shop: str, as_of: AsOf) -> bool:
    knows_the_future = _is_of(model, shop) and date.fromisoformat(model.card["trained_as_of"]) > as_of.date
    return model.horizon_days == as_of.horizon_days and not knows_the_future


@task(retry=waits_for_warehouse)
def choose_model(
    wiring: Wiring, shop: str, as_of: AsOf, found: StoredModel | Trained | TooLittleData
) -> StoredModel | None:
    """The champion, or what the promotion gate chose; without either, the shipped model if its horizon fits; otherwise
    nobody is scored. Where the API serves another one, also after the time in which it follows a promotion, that one is
    used, if it fits; otherwise Snowflake scores by itself: see `Warehouse.prepare_scoring`."""
    if isinstance(found, TooLittleData):
        log.warning("no model could be trained: %s", found)
        wanted = wiring.shipped_models.champion()
        if wanted is None or wanted.horizon_days != as_of.horizon_days:
            return None
    else:
        wanted = found.model if isinstance(found, Trained) else found
    version = _served(wiring.warehouse, wanted.version, patient=isinstance(found, Trained))
    if version == wanted.version:
        return wanted
    try:
        model = wiring.registry_for(version).load(version)
    except ModelRefused as problem:  # of another store, say
        log.warning("the API serves %s, so Snowflake scores with %s by itself: %s", version, wanted.version, problem)
        return wanted
    if _may_score(model, shop, as_of):
        log.warning("the API scores with %s, not with %s: does it read this model store?", version, wanted.version)
        return model
    log.warning(
        "the API serves %s, which looks %d days ahead and knows orders until %s; this run is as of %s and looks %d"
        " days ahead: so Snowflake scores with %s by itself",
        version, model.horizon_days, model.card["trained_as_of"], as_of.date, as_of.horizon_days, wanted.version,
    )  # fmt: skip
    return wanted


def _served(warehouse: Warehouse, wanted: str, *, patient: bool) -> str:
    """The version that the API serves; of one that was promoted just now, once it has had the time to follow."""
    until = time.monotonic() + (FOLLOWS_WITHIN_SECONDS if patient else 0)
    while (version := warehouse.scores_with(wanted)) != wanted and time.monotonic() < until:
        time.sleep(ASK_EVERY_SECONDS)
    return version


@task(retry=waits_for_warehouse)
def prepare_scoring(wiring: Wiring, model: StoredModel | None) -> dict[str, Any]:
    """The run values that name the model for dbt; its files are copied here first if they are elsewhere."""
    if model is None:
        return {}
    version = model.version
    folder = wiring.registry_for(version).local_folder(version)
    return {"model_version": version, **wiring.warehouse.prepare_scoring(version, folder)}


@task(retry=waits_for_warehouse)
def merge_served(warehouse: Warehouse, settings: Settings) -> None:
    """Adds predictions that `make serve` has served for this shop, or before there was one."""
    for shop in (settings.shop, None):
        outbox = FileOutbox(settings.outbox(shop))
        if outbox.waits():
            merged = outbox.merge_into(warehouse.add_predictions)
            log.info("added %s served predictions", f"{merged.rows:,}")
        if refused := outbox.refused_lines():
            log.warning("%s served messages do not fit marts.churn_predictions and are in %s: see docs/api.md",
                        f"{refused:,}", outbox.refused)  # fmt: skip
