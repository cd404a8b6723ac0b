"""The parts that the API is built from."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from functools import cached_property, partial
from math import inf
from typing import TYPE_CHECKING, TypeVar

from functions.churn_api.access import Access
from functions.churn_api.champion import LiveModel, Served
from functions.churn_api.counts import Counts
from functions.churn_api.predictions import PredictionRequest, PredictionResponse
from functions.churn_api.predictor import MAX_ROWS_AT_ONCE, NotStored, Predicted, PredictionQueue, Predictor
from functions.churn_api.problems import Refused
from functions.churn_api.telemetry import RequestNotes

if TYPE_CHECKING:
    from functions.churn_api.job_routes import Jobs  # its routes need FastAPI, which a cold start does without
    from functions.churn_api.next_products import ServedProducts

MAX_BYTES_ON_THE_LOOP = 32_768

T = TypeVar("T")


@dataclass
class Service:
    """`time_zone` is the shop's. `refuse_unstored`: 503 rather than a prediction that is not stored. `base_path`: where
    the API is mounted. `metrics`: what Prometheus reads, and `jobs`: where those are kept, if there is such a thing.
    `checks`: by name, what keeps the service from being ready, None where nothing does."""

    live: LiveModel
    queue: PredictionQueue
    access: Access
    clock: Callable[[], datetime]
    time_zone: tzinfo
    refuse_unstored: bool = False
    base_path: str = ""
    metrics: Callable[[], bytes] | None = None
    jobs: "Jobs | None" = None
    checks: Mapping[str, Callable[[], str | None]] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    _ready: tuple[float, dict[str, str]] = field(default=(-inf, {}), repr=False)
    _predictor: Predictor | None = field(default=None, repr=False)

    @property
    def model(self) -> Served:
        """What is served at this moment."""
        return self.live.served

    @property
    def predictor(self) -> Predictor:
        """Of the model of this moment. A request takes it once: its features are made for that model's horizon."""
        scorer = self.live.served.scorer
        if self._predictor is None or self._predictor.scorer is not scorer:
            self._predictor = Predictor(scorer, self.queue, self.clock, self.refuse_unstored)
        return self._predictor

    async def predict(self, predictor: Predictor, to_score: PredictionRequest, notes: RequestNotes) -> Predicted:
        """The responses, noted for the log; see `Predictor.predict`.

        Raises:
            Refused: when they could not be stored and `refuse_unstored`.
        """
        try:
            if len(to_score) <= MAX_ROWS_AT_ONCE:
                only = await predictor.predict(to_score)
                notes.note_predictions(only[0])
                return only
            predicted = [await predictor.predict(part) for part in to_score.parts(MAX_ROWS_AT_ONCE)]
        except NotStored:
            notes.not_stored = sum(customer_id is not None for customer_id in to_score.customer_ids)
            why = "The prediction could not be stored, so it is not given; try again later."
            raise Refused("not_stored", why, (b"retry-after", b"5")) from None
        responses, lists = predicted[0]
        for more, more_lists in predicted[1:]:
            responses += more
            lists += more_lists
        notes.note_predictions(responses)
        return responses, lists

    async def show_next(self, to_score: PredictionRequest, responses: Sequence[PredictionResponse]) -> list[bytes]:
        """The responses as JSON lists, with what to show the customers next whose histories name products."""
        show = partial(self._next_products.add, to_score, responses, self.time_zone)
        return await asyncio.get_running_loop().run_in_executor(self._reading, show)

    @cached_property
    def _next_products(self) -> "ServedProducts":
        from functions.churn_api.next_products import ServedProducts  # which most requests do without

        return ServedProducts(self.live.places)

    async def read(self, body: bytes, reader: Callable[[bytes], T]) -> T:
        """What `reader` makes of a body; of a large one in a thread, one at a time, so that others are answered
        meanwhile and the memory that reading takes is bounded."""
        if len(body) <= MAX_BYTES_ON_THE_LOOP:
            return reader(body)
        return await asyncio.get_running_loop().run_in_executor(self._reading, reader, body)

    @cached_property
    def _reading(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=1, thread_name_prefix="bodies")

    def not_ready(self) -> dict[str, str]:
        """What keeps the service from answering as it should, by name; looked at once a second at most."""
        checked_at, found = self._ready
        if time.monotonic() - checked_at >= 1:
            checks = {"keys": self.access.problem, **self.checks}
            found = {name: problem for name, check in checks.items() if (problem := check())}
            self._ready = time.monotonic(), found
        return found

    def current_day(self) -> date:
        """Today's date in the shop's time zone."""
        return self.clock().astimezone(self.time_zone).date()
