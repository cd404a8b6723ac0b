"""Puts predictions on an SQS queue, from which `functions/prediction_sink` merges them into the warehouse."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from functions.aws import AwsService
from functions.aws_signing import AwsRefused
from functions.churn_api.predictor import NotStored
from functions.prediction_messages import messages


@dataclass(frozen=True)
class SqsQueue:
    """Blocks until SQS has responded: a Lambda sandbox serves no other caller meanwhile."""

    together: ClassVar[int] = 50  # whatever their ids are, these fit into a message

    sqs: AwsService
    url: str

    def put(self, source: str, scored_at: datetime, predictions: Sequence[bytes]) -> None:
        try:
            for message in messages(source, scored_at, predictions):
                answer = self.sqs.call("SendMessage", QueueUrl=self.url, MessageBody=message.decode())
                if "MessageId" not in answer:
                    raise NotStored("SendMessage of sqs has answered 200 without the id of a message")
        except AwsRefused as problem:
            raise NotStored(str(problem)) from problem
