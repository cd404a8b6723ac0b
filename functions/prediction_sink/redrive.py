"""Puts dead letters back on the queue, once their cause, or the warehouse, is fixed."""

from functions.aws import AwsService

# SQS may answer with nothing although there is something
EMPTY_ANSWERS = 3


def redrive(sqs: AwsService, queue_url: str, dead_letter_url: str) -> tuple[int, int]:
    """Moves the messages that are among the dead letters now; returns how many of how many.

    A message is removed there only once it is on the queue again: an interrupted call may move one twice, which
    the sink does not mind, and loses none.

    Raises:
        AwsRefused: when SQS does not answer.
    """
    counted = sqs.call("GetQueueAttributes", QueueUrl=dead_letter_url, AttributeNames=["ApproximateNumberOfMessages"])
    waiting, moved, empty = int(counted["Attributes"]["ApproximateNumberOfMessages"]), 0, 0
    while moved < waiting and empty < EMPTY_ANSWERS:  # and not longer: what is still bad comes back while this runs
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
