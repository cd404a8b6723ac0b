"""Puts dead letters back on the queue, once what was wrong with them, or with the warehouse, is mended."""

from functions.aws import AwsService


def redrive(sqs: AwsService, queue_url: str, dead_letter_url: str) -> int:
    """Moves every message that is among the dead letters now; returns how many.

    A message is removed there only once it is on the queue again: whoever is interrupted may move one twice, which
    the sink does not mind, and loses none.

    Raises:
        AwsRefused: when SQS does not answer.
    """
    counted = sqs.call("GetQueueAttributes", QueueUrl=dead_letter_url, AttributeNames=["ApproximateNumberOfMessages"])
    waiting, moved = int(counted["Attributes"]["ApproximateNumberOfMessages"]), 0
    while moved < waiting:  # and not longer: what is still bad comes back while this runs
        messages = sqs.call("ReceiveMessage", QueueUrl=dead_letter_url, MaxNumberOfMessages=min(10, waiting - moved))
        if not messages.get("Messages"):
            break
        for message in messages["Messages"]:
            sqs.call("SendMessage", QueueUrl=queue_url, MessageBody=message["Body"])
            sqs.call("DeleteMessage", QueueUrl=dead_letter_url, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved
