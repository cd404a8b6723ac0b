"""Puts dead letters back on the queue, once their cause, or the warehouse, is fixed."""

from functions.aws import AwsService

# SQS may return nothing although there are messages
EMPTY_ANSWERS = 3


def redrive(sqs: AwsService, queue_url: str, dead_letter_url: str) -> tuple[int, int]:
    """Moves the current dead letters; returns how many were moved and how many there were.

    A message is removed only once it is on the queue again: an interrupted call loses none. It may move one twice,
    which the sink tolerates.

    Raises:
        AwsRefused: when SQS does not respond.
    """
    counted = sqs.call("GetQueueAttributes", QueueUrl=dead_letter_url, AttributeNames=["ApproximateNumberOfMessages"])
    waiting, moved, empty = int(counted["Attributes"]["ApproximateNumberOfMessages"]), 0, 0
    while moved < waiting and empty < EMPTY_ANSWERS:  # and not longer: messages that are still bad come back meanwhile
        received = sqs.call(
            "ReceiveMessage",
            QueueUrl=dead_letter_url,
            MaxNumberOfMessages=min(10, waiting - moved),
            WaitTimeSeconds=1,
        ).get("Messages", [])
        empty = 0 if received else empty + 1
        for message in received:
            sqs.call("SendMessage", QueueUrl=queue_url, MessageBody=message["Body"])
            sqs.call("DeleteMessage", QueueUrl=dead_letter_url, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved, waiting
