"""The model that a run scores with, and predictions that were served meanwhile."""

import logging
from datetime import date
from typing import Any

from flows.adapters.files.outbox import FileOutbox
from flows.adapters.marts.run_report import Trained
from flows.adapters.marts.staged_orders import AsOf
from flows.adapters.models.registry import ModelRegistry, StoredModel
from flows.errors import ModelRefused, TooLittleData
from flows.orchestration import task, waits_for_warehouse
from flows.ports.warehouse import Warehouse
from flows.settings import Settings
from flows.wiring import Wiring

log = logging.getLogger(__name__)


@task
def fitting_champion(models: ModelRegistry, shop: str, as_of: AsOf) -> StoredModel | None:
    """The champion, where it was trained for this shop and horizon and on nothing later than the as-of date."""
    champion = models.champion()
    if champion is None or not _is_of(champion, shop) or not _may_score(champion, shop, as_of):
        log.info("there is no champion for this shop, date and horizon: one is trained")
        return None
    return champion


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
