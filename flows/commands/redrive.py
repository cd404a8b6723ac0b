"""`churn redrive`: puts dead letters back on the queue, once their cause is fixed."""

import sys
from contextlib import closing

from flows.errors import PipelineError
from functions import aws
from functions.clock import now
from functions.prediction_sink.redrive import redrive


def redrive_dead_letters(queue_url: str, dead_letter_url: str, region: str) -> None:
    """Moves them back to their queue.

    Raises:
        PipelineError: when SQS refuses.
    """
    try:
        with closing(aws.sqs(queue_url, region, now)) as sqs:
            moved, waiting = redrive(sqs, queue_url, dead_letter_url)
    except aws.AwsRefused as problem:
        raise PipelineError(str(problem)) from problem
    sys.stdout.write(f"{moved} of {waiting} messages are on the queue again\n")
