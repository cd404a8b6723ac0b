"""Snowflake's external functions: batches of numbered rows in, the same numbers with a value each out.

Rows come in any order and batches are sent again; a row that cannot be scored gets a reason and leaves the others
alone. https://docs.snowflake.com/en/sql-reference/external-functions-data-format
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import msgspec
import numpy as np
from pydantic import ConfigDict, Field, ValidationError

from functions.churn_api.contract import CustomerFeatures
from functions.churn_api.customers import CustomerId, Day, feature_row
from functions.churn_api.predictions import PredictionRequest, PredictionResponse
from functions.prediction_record import NEXT_ORDER_COLUMNS

MAX_PROBLEMS = 3  # per row: a response of Lambda has at most 6 MB
BATCH_ID_HEADER = "sf-external-function-query-batch-id"


class Row(CustomerFeatures):
    """The argument of a row: the columns of marts.customer_features. With a customer_id the prediction is stored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    customer_id: Annotated[CustomerId | None, Field()] = None
    as_of_date: Day | None = None


@dataclass(frozen=True)
class Batch:
    """`numbers` of all rows as they came; `problems` by position; `to_score`: all other rows, in order."""

    numbers: Sequence[int]
    problems: dict[int, str]
    to_score: PredictionRequest | None


def read_batch(rows: Sequence[tuple[int, Any]], batch_id: str, today: date) -> Batch:
    """The rows of a batch, each validated by itself."""
    numbers = [number for number, _ in rows]
    problems: dict[int, str] = {}
    good: list[tuple[int, Row]] = []
    for position, (number, argument) in enumerate(rows):
        if not isinstance(argument, dict):
            problems[position] = "argument: send an object of features, such as object_construct(*) makes"
            continue
        try:
            row = Row.model_validate({name.lower(): value for name, value in argument.items()})
        except ValidationError as error:
            found = [f"{'.'.join(map(str, p['loc']))[:100]}: {p['msg']}" for p in error.errors(include_input=False)]
            rest = [f"and {len(found) - MAX_PROBLEMS} more"] if len(found) > MAX_PROBLEMS else []
            problems[position] = "; ".join([*found[:MAX_PROBLEMS], *rest])
            continue
        if row.as_of_date and row.as_of_date > today:
            problems[position] = f"as_of_date: {row.as_of_date} is in the future; today is {today}"
        else:
            good.append((number, row))
    if not good:
        return Batch(numbers, problems, None)
    to_score = PredictionRequest(
        [row.customer_id for _, row in good],
        [row.as_of_date or today for _, row in good],
        np.array([feature_row(row) for _, row in good], dtype=np.float64),
        source="external_function",
        marks=[f"{batch_id}|{number}" for number, _ in good] if batch_id else None,
    )
    return Batch(numbers, problems, to_score)


def write_batch(batch: Batch, responses: Sequence[PredictionResponse]) -> bytes:
    """The response to Snowflake: every row number with its value."""
    remaining = iter(responses)
    values = (
        {"error": batch.problems[position]} if position in batch.problems else _value(next(remaining))
        for position in range(len(batch.numbers))
    )
    return msgspec.json.encode({"data": list(zip(batch.numbers, values, strict=True))})


def _value(response: PredictionResponse) -> dict[str, Any]:
    days, reasons = response.next_order_days, response.reasons
    return {
        "customer_id": response.customer_id,
        "prediction_id": response.prediction_id,
        "churn_probability": response.churn_probability,
        "risk_band": response.risk_band,
        "expected_spend": response.expected_spend,
        **{f"next_order_days_{chance}": getattr(days, f"chance_{chance}") for chance in NEXT_ORDER_COLUMNS},
        **{f"reason_{rank}": reason.text for rank, reason in enumerate(reasons, start=1)},
        "horizon_days": response.horizon_days,
        "model_version": response.model_version,
        "stored": response.stored,
        "error": None,
    }
