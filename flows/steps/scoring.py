"""The model that a run scores with, and predictions that were served meanwhile."""

import logging
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
            "the API still looks %d days ahead, and the champion %s looks %d: `make package`, and deploy it",
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
    nobody is scored. Where the warehouse scores with another one, that one is used, if it fits.

    Raises:
        ModelRefused: when the warehouse scores with a model that must not score this run.
    """
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
    model = wiring.registry_for(version).load(version)
    if not _may_score(model, shop, as_of):
        raise ModelRefused(
            f"The API scores with {version}, which looks {model.horizon_days} days ahead and knows orders until"
            f" {model.card['trained_as_of']}; this run is as of {as_of.date} and looks {as_of.horizon_days} days ahead."
            f" Deploy {wanted.version} (`make package`), or let Snowflake score by itself: SNOWFLAKE_SCORING=udf."
        )
    return model


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
            log.info("added %s served predictions", f"{outbox.merge_into(warehouse.add_predictions):,}")
