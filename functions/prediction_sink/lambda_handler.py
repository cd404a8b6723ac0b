"""What AWS Lambda calls: with messages from the queue (its trigger must have ReportBatchItemFailures on), or by the
clock, to merge what waits in QUEUE_URL."""

import os
from typing import Any

from functions.aws import secret_text, sqs
from functions.clock import now
from functions.json_log import log_as_json
from functions.prediction_sink.gather import gather
from functions.prediction_sink.sink import merge_messages
from functions.prediction_sink.snowflake_connection import KEY_SECRET, connect, require_settings
from functions.prediction_sink.snowflake_predictions import SnowflakePredictions

log_as_json(os.environ.get("LOG_LEVEL", "INFO"))
require_settings(os.environ)


def _connect() -> Any:
    key = secret_text(os.environ[KEY_SECRET], os.environ["AWS_REGION"], now)
    return connect(os.environ, key)


predictions = SnowflakePredictions(_connect)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Merges the messages of an SQS event, or of the queue."""
    if "Records" in event:
        return merge_messages(event, predictions.merge)
    url = os.environ["QUEUE_URL"]
    queue = sqs(url, os.environ["AWS_REGION"], now)
    queue.at.timeout_seconds = 10.0  # it waits for messages a second, and hands out 2 MB
    seconds_left = lambda: context.get_remaining_time_in_millis() / 1000  # noqa: E731
    return {"merged": gather(queue, url, predictions.merge, seconds_left)}
