"""The parts that the API is built from."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import cached_property

from functions.churn_api.access import Access
from functions.churn_api.champion import Served
from functions.churn_api.predictions import PredictionRequest
from functions.churn_api.predictor import NotStored, Predicted, PredictionQueue, Predictor
from functions.churn_api.telemetry import RequestNotes


@dataclass(frozen=True)
class Service:
    """`time_zone` is the shop's. `refuse_unstored`: 503 rather than a prediction that is not stored."""

    model: Served
    queue: PredictionQueue
    access: Access
    clock: Callable[[], datetime]
    time_zone: tzinfo
    refuse_unstored: bool = False

    @cached_property
    def predictor(self) -> Predictor:
        return Predictor(self.model.scorer, self.queue, self.clock, self.refuse_unstored)

    async def predict(self, to_score: PredictionRequest, notes: RequestNotes) -> Predicted:
        """The responses, noted for the log; see `Predictor.predict`."""
        try:
            predicted = await self.predictor.predict(to_score)
        except NotStored:
            notes.not_stored = sum(customer_id is not None for customer_id in to_score.customer_ids)
            raise
        notes.note_predictions(predicted[0])
        return predicted

    def current_day(self) -> date:
        """Today's date in the shop's time zone."""
        return self.clock().astimezone(self.time_zone).date()
