"""What AWS Lambda calls with messages from the queue. Its trigger must have ReportBatchItemFailures on."""

import os
from typing import Any

from functions.aws import secret_text
from functions.clock import now
from functions.json_log import log_as_json
from functions.prediction_sink.sink import merge_messages
from functions.prediction_sink.snowflake_connection import KEY_SECRET, connect, require_settings
from functions.prediction_sink.snowflake_predictions import SnowflakePredictions

log_as_json(os.environ.get("LOG_LEVEL", "INFO"))
require_settings(os.environ)


def _connect() -> Any:
    key = secret_text(os.environ[KEY_SECRET], os.environ["AWS_REGION"], now)
    return connect(os.environ, key)


predictions = SnowflakePredictions(_connect)


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Merges the messages of an SQS event."""
    return merge_messages(event, predictions.merge)
