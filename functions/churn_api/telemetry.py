"""Logs each request as one line of JSON without personal data, which CloudWatch also reads as metrics."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from functions.churn_api.predictions import PredictionResponse

log = logging.getLogger(__name__)

NAMESPACE = "ChurnApi"
METRICS = (
    {"Name": "Latency", "Unit": "Milliseconds"},
    {"Name": "BatchSize", "Unit": "Count"},
    {"Name": "NotStored", "Unit": "Count"},
    {"Name": "ColdStart", "Unit": "Count"},
    {"Name": "ChurnProbability", "Unit": "None"},
)
MAX_VALUES = 100  # CloudWatch's maximum for one metric in one line


@dataclass
class RequestNotes:
    """Notes on a request for its log line."""

    request_id: str
    caller: str | None = None
    probabilities: list[float] = field(default_factory=list)
    not_stored: int = 0
    refused_rows: int = 0

    def note_predictions(self, responses: Sequence[PredictionResponse]) -> None:
        """Notes what was predicted."""
        self.probabilities = [response.churn_probability for response in responses]
        not_stored = [response for response in responses if not response.stored]
        self.not_stored = sum(response.customer_id is not None for response in not_stored)


def log_request(
    notes: RequestNotes, *, route: str, method: str, status: int, seconds: float, cold_start: bool, at: datetime,
    model_version: str,
) -> None:  # fmt: skip
    """Writes the line of a finished request."""
    if not log.isEnabledFor(logging.INFO):
        return
    directives = {"Namespace": NAMESPACE, "Dimensions": [["route"]], "Metrics": list(METRICS)}
    log.info(
        "request",
        extra={
            "_aws": {"Timestamp": int(at.timestamp() * 1000), "CloudWatchMetrics": [directives]},
            "route": route,
            "method": method,
            "status": status,
            "request_id": notes.request_id,
            "caller": notes.caller,
            "cold_start": cold_start,
            "model_version": model_version,
            "refused_rows": notes.refused_rows,
            "Latency": round(seconds * 1000, 3),
            "BatchSize": len(notes.probabilities),
            "NotStored": notes.not_stored,
            "ColdStart": int(cold_start),
            "ChurnProbability": distribution(notes.probabilities),
        },
    )


def distribution(values: Sequence[float]) -> list[float]:
    """The values, or as many of their quantiles as a metric takes."""
    if len(values) <= MAX_VALUES:
        return list(values)
    in_order = sorted(values)
    return [in_order[int((n + 0.5) * len(in_order) / MAX_VALUES)] for n in range(MAX_VALUES)]


def request_id(headers: Mapping[str, str], aws_context: Any, fresh: str) -> str:
    """Lambda's id of the invocation, else the caller's own if it is valid, else a new one."""
    if aws_context is not None:
        return str(aws_context.aws_request_id)
    given = headers.get("x-request-id", "")
    return given if 0 < len(given) <= 100 and given.isascii() and given.isprintable() else fresh
