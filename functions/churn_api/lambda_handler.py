"""What AWS Lambda calls. The model is loaded here, once per sandbox; a package that cannot serve fails at start."""

import gc
import logging
import os
from pathlib import Path

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for plugins reads every package's metadata

from mangum import Mangum

from functions.churn_api.champion import LiveModel, ModelFolder
from functions.churn_api.fast_path import create_api
from functions.churn_api.service import Service
from functions.churn_api.settings import ApiSettings
from functions.churn_api.sqs_queue import SqsQueue
from functions.clock import now
from functions.json_log import log_as_json

settings = ApiSettings.read(os.environ)
log_as_json(settings.log_level)
logging.getLogger("mangum").setLevel(logging.WARNING)  # it would log paths, in which callers may put anything
app = create_api(
    Service(
        live=LiveModel.load([ModelFolder(str(Path(__file__).parents[2] / "model_artifacts"))]),
        queue=SqsQueue(settings.sqs(), settings.queue_url),
        access=settings.access(on_loopback=False),
        clock=now,
        time_zone=settings.time_zone,
        refuse_unstored=settings.when_not_stored == "refuse",
        base_path=settings.base_path,
    )
)
handler = Mangum(app, lifespan="off")
gc.freeze()  # what is loaded now stays: walking it again and again would slow down large batches by half
gc.set_threshold(50_000)
