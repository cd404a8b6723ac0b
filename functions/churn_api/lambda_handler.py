"""What AWS Lambda calls. The model is loaded here, once per sandbox, and followed; a package that cannot serve fails at
start."""

import gc

gc.disable()  # until all is loaded, of which next to nothing is garbage

import logging
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for plugins reads every package's metadata

from mangum import Mangum

from functions.churn_api.champion import LiveModel, ModelFolder
from functions.churn_api.fast_path import create_api
from functions.churn_api.service import Service
from functions.churn_api.settings import ApiSettings
from functions.churn_api.sqs_queue import SqsQueue
from functions.clock import now as clock
from functions.json_log import log_as_json

READ_CHAMPION_EVERY = timedelta(minutes=1)

settings = ApiSettings.read(os.environ)
log_as_json(settings.log_level)
logging.getLogger("mangum").setLevel(logging.WARNING)  # it would log paths, in which callers may put anything
bucket, package = settings.model_bucket(), ModelFolder(str(Path(__file__).parents[2] / "model_artifacts"))
live, read_at = LiveModel.load([bucket, package] if bucket else [package]), clock()
app = create_api(
    Service(
        live=live,
        queue=SqsQueue(settings.sqs(), settings.queue_url),
        access=settings.access(on_loopback=False),
        clock=clock,
        time_zone=settings.time_zone,
        refuse_unstored=settings.when_not_stored == "refuse",
        base_path=settings.base_path,
    )
)
# what is not named here is sent in base64, which a REST API hands on as it is
answer = Mangum(app, lifespan="off", text_mime_types=["application/json", "application/problem+json", "text/"])


def handler(event: Any, context: Any) -> Any:
    """A sandbox does nothing between two calls, so the champion is read before one of them, when it is time."""
    global read_at
    at = clock()
    # by the clock on the wall: a sandbox that was restored from a snapshot has missed the time since then
    if bucket and not timedelta() <= at - read_at < READ_CHAMPION_EVERY:
        read_at = at
        live.refresh()
    return answer(event, context)


gc.freeze()  # what is loaded now stays: walking it again and again would slow down large batches by half
gc.set_threshold(50_000)
gc.enable()
