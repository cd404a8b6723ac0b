"""`make redrive`: gives dead letters another chance, once what was wrong with them is mended."""

import os
import sys
from contextlib import closing

from flows.errors import PipelineError, SettingsError
from functions import aws
from functions.clock import now
from functions.prediction_sink.redrive import redrive


def redrive_dead_letters() -> None:
    """Moves them from DEAD_LETTER_QUEUE_URL to QUEUE_URL.

    Raises:
        SettingsError: when one of the URLs or AWS_REGION is missing.
        PipelineError: when SQS refuses.
    """
    urls = [os.environ.get(name, "") for name in ("QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "AWS_REGION")]
    if not all(urls):
        raise SettingsError("Say QUEUE_URL= and DEAD_LETTER_QUEUE_URL=, and set AWS_REGION.")
    queue_url, dead_letter_url, region = urls
    try:
        with closing(aws.sqs(queue_url, region, now)) as sqs:
            moved, waiting = redrive(sqs, queue_url, dead_letter_url)
    except aws.AwsRefused as problem:
        raise PipelineError(str(problem)) from problem
    sys.stdout.write(f"{moved} of {waiting} messages are on the queue again\n")
