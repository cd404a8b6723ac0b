"""A call by the clock: everything that waits in the queue is merged at once, so that a trickle of predictions wakes
Snowflake's warehouse a few times a day and not every few minutes."""

import logging
from collections.abc import Callable
from typing import Any

from functions.aws import AwsService
from functions.prediction_sink.sink import Merge, merge_messages

log = logging.getLogger(__name__)

MESSAGES_A_MERGE = 100  # each of at most 200 KB: 20 MB, which are some 200 in memory
MESSAGES_A_CALL = 10  # what SQS hands out, and deletes, in one
SECONDS_FOR_A_MERGE = 60.0


def gather(queue: AwsService, url: str, merge: Merge, seconds_left: Callable[[], float]) -> int:
    """Merges what waits and returns the number of messages that are done. What was not merged stays in the queue.

    It ends when nothing waits, when a merge has failed (the warehouse is away: the rest is not even received, so that
    it does not become a dead letter by being tried), or when there is no time for another merge.

    Raises:
        AwsRefused: when the queue cannot be reached.
    """
    done = 0
    while seconds_left() > SECONDS_FOR_A_MERGE and (messages := _receive(queue, url)):
        event = {"Records": [{"messageId": name, "body": body} for name, (_, body) in messages.items()]}
        failed = {failure["itemIdentifier"] for failure in merge_messages(event, merge)["batchItemFailures"]}
        merged = [receipt for name, (receipt, _) in messages.items() if name not in failed]
        _delete(queue, url, merged)
        done += len(merged)
        if not merged:
            break
    log.info("gathered", extra={"messages": done})
    return done


def _receive(queue: AwsService, url: str) -> dict[str, tuple[str, str]]:
    """Receipt handle and body of up to MESSAGES_A_MERGE messages, by id."""
    found: dict[str, tuple[str, str]] = {}
    while len(found) < MESSAGES_A_MERGE:
        answer = queue.call("ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=MESSAGES_A_CALL, WaitTimeSeconds=1)
        if not (messages := answer.get("Messages")):
            break
        found |= {one["MessageId"]: (one["ReceiptHandle"], one["Body"]) for one in messages}
    return found


def _delete(queue: AwsService, url: str, receipts: list[str]) -> None:
    """What cannot be deleted comes again, and is merged once all the same."""
    for start in range(0, len(receipts), MESSAGES_A_CALL):
        entries: list[dict[str, Any]] = [
            {"Id": str(place), "ReceiptHandle": receipt}
            for place, receipt in enumerate(receipts[start : start + MESSAGES_A_CALL])
        ]
        queue.call("DeleteMessageBatch", QueueUrl=url, Entries=entries)
