"""Scores requests and stores the predictions: requests that arrive together share one run of the model."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Protocol

import msgspec

from functions.churn_api.answers import Answer, Questions, Source, answers
from functions.churn_api.scorer import Scorer

log = logging.getLogger(__name__)


class NotStored(Exception):
    """Predictions that could not be stored."""


NOT_STORED = b'{"detail":"The prediction could not be stored, so it is not given; try again later."}'


class PredictionQueue(Protocol):
    def put(self, source: str, scored_at: datetime, answers: Sequence[bytes]) -> None:
        """Stores predictions, each as JSON, until they are merged into marts.churn_predictions.

        Raises:
            NotStored: when it is not certain that all of them are stored. Storing them again does no harm.
        """


Answered = tuple[list[Answer], list[bytes]]
_encode = msgspec.json.Encoder().encode


@dataclass
class Predictor:
    """Calls of `answer` in two turns of the event loop share one run of the model and one write to the queue: under
    load that makes a response several times cheaper, and no call waits for a later one.

    `refuse_unstored`: raise NotStored rather than return what could not be stored.
    """

    scorer: Scorer
    queue: PredictionQueue
    clock: Callable[[], datetime]
    refuse_unstored: bool = False
    _waiting: list[tuple[Questions, asyncio.Future[Answered]]] = field(default_factory=list)

    async def answer(self, questions: Questions) -> Answered:
        """A response for each customer, in their order; and the same as JSON.

        Raises:
            NotStored: when `refuse_unstored`.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answered] = loop.create_future()
        self._waiting.append((questions, future))
        if len(self._waiting) == 1:
            # two turns later, with everything that has arrived by then
            loop.call_soon(loop.call_soon, self._answer_waiting)
        return await future

    def _answer_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            answered = self._answer([questions for questions, _ in waiting])
        except Exception as error:
            for _, future in waiting:
                if not future.cancelled():
                    future.set_exception(error)
        else:
            for (_, future), answer in zip(waiting, answered, strict=True):
                if not future.cancelled():
                    future.set_result(answer)

    def _answer(self, asked: Sequence[Questions]) -> list[Answered]:
        answered = [(given, list(map(_encode, given))) for given in answers(self.scorer, asked)]
        for source, together in groupby(zip(asked, answered, strict=True), key=lambda pair: pair[0].source):
            self._store(source, [answer for _, answer in together])
        return answered

    def _store(self, source: Source, answered: Sequence[Answered]) -> None:
        kept = [text for given, texts in answered for answer, text in zip(given, texts, strict=True) if answer.stored]
        if not kept:
            return
        try:
            self.queue.put(source, self.clock().astimezone(UTC), kept)
        except NotStored as problem:
            log.error("predictions not stored", extra={"predictions": len(kept), "problem": str(problem)})
            if self.refuse_unstored:
                raise
            for given, texts in answered:
                for answer in given:
                    answer.stored = False
                texts[:] = map(_encode, given)
