"""From messages to rows: valid rows are merged once, invalid ones are reported."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from functions.aws_signing import AwsRefused
from functions.prediction_record import PredictionRecord
from functions.prediction_sink.message_reader import read_message
from functions.prediction_sink.snowflake_connection import SettingsRefused

log = logging.getLogger(__name__)

# adds the rows whose prediction_id is new; after a failure, a repetition adds those that are missing
Merge = Callable[[Sequence[PredictionRecord]], None]


def merge_messages(event: Mapping[str, Any], merge: Merge) -> dict[str, Any]:
    """Merges the messages of an SQS event and returns those to deliver again.

    Valid rows of a message are merged even if another of its rows is invalid. The message then goes to the dead
    letters; merging it again once it is fixed adds only the missing rows. If the warehouse fails, every message is
    delivered again."""
    failed: list[str] = []
    records: dict[str, PredictionRecord] = {}
    for message in event["Records"]:
        rows, problems = read_message(message["body"])
        records |= {row.prediction_id: row for row in rows}
        if problems:
            failed.append(message["messageId"])
            log.error("message rejected", extra={"message_id": message["messageId"], "problems": problems[:10]})
    try:
        if records:
            merge(list(records.values()))
    except Exception as problem:
        log.exception("nothing merged; every message will come again", extra={"problem": _without_data(problem)})
        failed = [message["messageId"] for message in event["Records"]]
    else:
        log.info("merged", extra={"messages": len(event["Records"]) - len(failed), "predictions": len(records)})
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _without_data(problem: Exception) -> str:
    """The cause of a failure: our own messages, which contain no secret and no row; of other errors only the
    numbers."""
    if isinstance(problem, (AwsRefused, SettingsRefused)):
        return str(problem)
    numbers = {name: getattr(problem, name, None) for name in ("errno", "sqlstate", "sfqid")}
    return ", ".join([type(problem).__name__, *(f"{name} {value}" for name, value in numbers.items() if value)])
