"""`churn redrive`: puts dead letters back on the queue, once their cause, or the warehouse, is fixed."""

import sys
from urllib.parse import urlsplit

from flows.errors import PipelineError

EMPTY_ANSWERS = 3  # SQS may return nothing although there are messages


def redrive_dead_letters(queue_url: str, dead_letter_url: str, region: str | None) -> None:
    """Moves the current dead letters back to their queue.

    A message is removed only once it is on the queue again: an interrupted call loses none. It may move one twice,
    which the sink tolerates.

    `region`: None: that of the profile in use. Credentials are found as AWS's own tools find them: environment,
    profile, single sign-on, a process, a role.

    Raises:
        PipelineError: when SQS refuses or does not respond.
    """
    import boto3  # a third of a second
    from botocore.exceptions import BotoCoreError, ClientError

    place = urlsplit(queue_url)
    try:
        sqs = boto3.Session(region_name=region).client("sqs", endpoint_url=f"{place.scheme}://{place.netloc}")
        counted = sqs.get_queue_attributes(QueueUrl=dead_letter_url, AttributeNames=["ApproximateNumberOfMessages"])
        waiting, moved, empty = int(counted["Attributes"]["ApproximateNumberOfMessages"]), 0, 0
        while moved < waiting and empty < EMPTY_ANSWERS:  # and not longer: what is still bad comes back meanwhile
            received = sqs.receive_message(
                QueueUrl=dead_letter_url, MaxNumberOfMessages=min(10, waiting - moved), WaitTimeSeconds=1
            ).get("Messages", [])
            empty = 0 if received else empty + 1
            for message in received:
                sqs.send_message(QueueUrl=queue_url, MessageBody=message["Body"])
                sqs.delete_message(QueueUrl=dead_letter_url, ReceiptHandle=message["ReceiptHandle"])
                moved += 1
    except (BotoCoreError, ClientError, ValueError) as problem:  # ValueError: what is no URL
        raise PipelineError(f"SQS in {region or 'the region of AWS_PROFILE'}: {problem}") from problem
    sys.stdout.write(f"{moved} of {waiting} messages are on the queue again\n")
