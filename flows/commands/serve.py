"""Serves the champion model on this machine: the last one trained here, otherwise the shipped one; and a page for
campaigns."""

import gc
import logging
import math
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from flows.adapters import http_server
from flows.adapters.campaign_page.mount import PATH, WithCampaignPage
from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.files.jobs import FileJobs
from flows.adapters.files.outbox import FileOutbox
from flows.adapters.files.run_lock import try_lock
from flows.adapters.models.registry import ModelRegistry
from flows.adapters.prometheus import ApiMetrics
from flows.errors import ModelRefused, SettingsError, WarehouseBusy
from flows.settings import SHIPPED_MODELS, Settings
from functions.churn_api.access import LOOPBACK, Access, KeysRefused
from functions.churn_api.asgi import App
from functions.churn_api.champion import LiveModel
from functions.churn_api.customers import Reading
from functions.churn_api.fast_path import create_api
from functions.churn_api.scorer import ModelRefused as CannotLoad
from functions.churn_api.service import Service
from functions.churn_api.settings import ApiSettings, SettingsRefused
from functions.clock import now
from functions.json_log import log_as_json

log = logging.getLogger(__name__)

MERGE_EVERY_SECONDS = 1.0
# a run waits no longer than run_lock.PATIENCE_SECONDS for a merge
MERGE_SECONDS = 3.0
READ_CHAMPION_EVERY_SECONDS = 2.0


def serve(settings: Settings, host: str, port: int) -> None:
    """Runs until it is interrupted or told to end. Serves the champion of the moment. Predictions are stored in the
    outbox and merged into the laptop's warehouse as soon as it is free, and when this ends; the next run merges them
    into another warehouse.

    Raises:
        ModelRefused: when there is no model to serve.
        SettingsError: when `host` is open to others and there are no API keys.
    """
    models = [ModelRegistry(place, settings.models_cache) for place in (settings.model_store, str(SHIPPED_MODELS))]
    warehouse = DuckDBWarehouse(settings.warehouse_file, settings.scratch)
    shop = warehouse.current_shop() if settings.is_on_this_machine else None
    outbox = FileOutbox(settings.outbox(shop))
    try:
        api = ApiSettings.read(os.environ, log_level="WARNING")
        log_as_json(api.log_level, sys.stderr)
        live = LiveModel.load(models)
        service = Service(
            live=live,
            queue=outbox,
            access=api.access(on_loopback=host in LOOPBACK),
            clock=now,
            time_zone=api.time_zone,
            refuse_unstored=api.when_not_stored == "refuse",
            base_path=api.base_path,
            checks={"disk": outbox.problem},
        )
        jobs = FileJobs(
            settings.jobs_folder,
            lambda of: Reading(service.current_day(), of.scorer.horizon_days, service.time_zone),
            lambda: service.predictor,
            now,
        )
        service.jobs = jobs
        metrics = ApiMetrics(service.counts, lambda: service.model.version, outbox.waiting)
        service.metrics = metrics.as_text
    except CannotLoad as problem:
        raise ModelRefused(f"{problem}\nRun `make run` to train one.") from problem
    except (SettingsRefused, KeysRefused) as problem:
        raise SettingsError(str(problem)) from problem
    sys.stderr.write(f"serving {live.served.version} on http://{host}:{port} (try /docs and {PATH})\n")
    gc.freeze()  # loaded objects stay: collecting them again and again would slow down large batches by half
    gc.set_threshold(50_000)
    with ExitStack() as meanwhile:
        if settings.is_on_this_machine:
            merge = partial(merge_outbox, outbox, warehouse, shop)
            meanwhile.callback(merge, math.inf)  # what was served after the last of those below
            meanwhile.enter_context(repeating(merge, MERGE_EVERY_SECONDS, "outbox"))
        meanwhile.enter_context(repeating(live.refresh, READ_CHAMPION_EVERY_SECONDS, "champion"))
        meanwhile.enter_context(jobs.working())
        page = partial(_campaign_page, settings, service.access, api.base_path, meanwhile)
        http_server.run(WithCampaignPage(create_api(service), page, api.base_path), host, port)


def _campaign_page(settings: Settings, access: Access, base_path: str, meanwhile: ExitStack) -> App:
    from flows.adapters.campaign_page.routes import campaign_page
    from flows.commands.campaign_desk import ProcessDesk

    desk = ProcessDesk(settings)
    meanwhile.enter_context(desk.open())
    return campaign_page(settings.campaign_files_folder, desk, access, now, base_path)


@contextmanager
def repeating(step: Callable[[], None], seconds: float, name: str) -> Iterator[None]:
    """The step every so many seconds, in a thread of its own, until the block ends."""
    ended = threading.Event()

    def now_and_then() -> None:
        while not ended.wait(seconds):
            step()

    thread = threading.Thread(target=now_and_then, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def merge_outbox(
    outbox: FileOutbox, warehouse: DuckDBWarehouse, shop: str | None, seconds: float = MERGE_SECONDS
) -> None:
    """Merges predictions into the warehouse if it is free, has the table and still belongs to the same shop; otherwise
    they wait in the outbox."""
    with try_lock(warehouse.file.parent) as locked:
        try:
            is_ours = locked and shop in (None, warehouse.current_shop())
            if is_ours and outbox.waits() and warehouse.takes_predictions():
                outbox.close()
                outbox.merge_into(warehouse.add_predictions, seconds)
        except WarehouseBusy:
            pass  # open in a notebook, for example; the next attempt is soon
        except Exception as problem:
            log.exception("predictions stay in %s for now", outbox.folder, exc_info=problem)
