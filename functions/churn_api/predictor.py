"""Scores requests and stores the predictions: requests that arrive together share one run of the model."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import ClassVar, Protocol

from functions.churn_api.predictions import PredictionRequest, PredictionResponse, Source, as_json, predict
from functions.churn_api.scorer import Scorer

log = logging.getLogger(__name__)


class NotStored(Exception):
    """Predictions that could not be stored."""


class PredictionQueue(Protocol):
    """`together`: the most predictions that it takes in one JSON list."""

    together: ClassVar[int]

    def put(self, source: str, scored_at: datetime, predictions: Sequence[bytes]) -> None:
        """Stores JSON lists of predictions until they are merged into marts.churn_predictions.

        Raises:
            NotStored: when it is not certain that all of them are stored. Storing them again does no harm.
        """


# more would hold up every other caller for too long
MAX_ROWS_AT_ONCE = 1_000

# responses, and the same as JSON lists
Predicted = tuple[list[PredictionResponse], list[bytes]]


@dataclass
class Predictor:
    """Calls of `predict` in two turns of the event loop share one run of the model and one write to the queue: under
    load that makes a response several times cheaper, and no call waits for a later one.

    `refuse_unstored`: raise NotStored rather than return what could not be stored.
    """

    scorer: Scorer
    queue: PredictionQueue
    clock: Callable[[], datetime]
    refuse_unstored: bool = False
    _waiting: list[tuple[PredictionRequest, asyncio.Future[Predicted]]] = field(default_factory=list)

    async def predict(self, to_score: PredictionRequest) -> Predicted:
        """A response for each customer, in their order; and the same as JSON lists.

        Raises:
            NotStored: when `refuse_unstored`.
        """
        future: asyncio.Future[Predicted] = asyncio.get_running_loop().create_future()
        self._waiting.append((to_score, future))
        if len(self._waiting) == 1:
            self._predict_soon()
        return await future

    def _predict_soon(self) -> None:
        """Two turns later: with everything that has arrived by then, and when what was predicted before is sent."""
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, self._predict_waiting)

    def _predict_waiting(self) -> None:
        taken = rows = 0
        while taken < len(self._waiting) and (not taken or rows + len(self._waiting[taken][0]) <= MAX_ROWS_AT_ONCE):
            rows += len(self._waiting[taken][0])
            taken += 1
        waiting, self._waiting = self._waiting[:taken], self._waiting[taken:]
        try:
            predicted = self.predict_now([to_score for to_score, _ in waiting])
        except Exception as error:
            for _, future in waiting:
                if not future.cancelled():
                    future.set_exception(error)
        else:
            for (_, future), result in zip(waiting, predicted, strict=True):
                if not future.cancelled():
                    future.set_result(result)
        if self._waiting:
            self._predict_soon()

    def predict_now(self, requests: Sequence[PredictionRequest]) -> list[Predicted]:
        """The same for several requests, at once and in any thread.

        Raises:
            NotStored: when `refuse_unstored`.
        """
        predicted = [(given, as_json(given, self.queue.together)) for given in predict(self.scorer, requests)]
        for source, together in groupby(zip(requests, predicted, strict=True), key=lambda pair: pair[0].source):
            self._store(source, [result for _, result in together])
        return predicted

    def _store(self, source: Source, predicted: Sequence[Predicted]) -> None:
        kept: list[bytes] = []
        for given, lists in predicted:
            stored = [response for response in given if response.stored]
            kept += lists if len(stored) == len(given) else as_json(stored, self.queue.together)
        if not kept:
            return
        try:
            self.queue.put(source, self.clock().astimezone(UTC), kept)
        except NotStored as problem:
            stored = [response for given, _ in predicted for response in given if response.stored]
            log.error("predictions not stored", extra={"predictions": len(stored), "problem": str(problem)})
            if self.refuse_unstored:
                raise
            for response in stored:
                response.stored = False
            for given, lists in predicted:
                lists[:] = as_json(given, self.queue.together)
