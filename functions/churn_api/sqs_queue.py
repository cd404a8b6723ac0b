"""Puts predictions on an SQS queue, from which `functions/prediction_sink` merges them into the warehouse."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.aws import AwsRefused, AwsService
from functions.churn_api.predictor import NotStored
from functions.prediction_messages import messages


@dataclass(frozen=True)
class SqsQueue:
    """Blocks until SQS has responded: a Lambda sandbox serves no other caller meanwhile."""

    sqs: AwsService
    url: str

    def put(self, source: str, scored_at: datetime, predictions: Sequence[bytes]) -> None:
        try:
            for message in messages(source, scored_at, predictions):
                self.sqs.call("SendMessage", QueueUrl=self.url, MessageBody=message.decode())
        except AwsRefused as problem:
            raise NotStored(str(problem)) from problem
