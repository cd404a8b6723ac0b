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

from functions.churn_api.bodies import Problems, parse, refuse
from functions.churn_api.consistency import contradictions
from functions.churn_api.contract import FEATURE_NAMES
from functions.churn_api.customer_features import CustomerFeatures, feature_row
from functions.churn_api.customers import CustomerId, Day
from functions.churn_api.predictions import PredictionRequest, PredictionResponse, flat

MAX_ROWS = 5_000
MAX_ANSWER_BYTES = 6_000_000  # of a Lambda function
MAX_ROW_BYTES = 1_100  # of an answer without its customer's id
MAX_PROBLEMS, MAX_NAME = 3, 50  # per row
BATCH_ID_HEADER = "sf-external-function-query-batch-id"


class Row(CustomerFeatures):
    """The argument of a row: the columns of marts.customer_features. With a customer_id the prediction is stored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    customer_id: Annotated[CustomerId | None, Field()] = None
    as_of_date: Day | None = None


_REQUIRED = [name for name, field in Row.model_fields.items() if field.is_required()]
_MAX_VALUES = MAX_ROWS * (len(Row.model_fields) + 2)


@dataclass(frozen=True)
class Batch:
    """`numbers` of all rows as they came; `problems` by position; `to_score`: all other rows, in order."""

    numbers: Sequence[int]
    problems: dict[int, str]
    to_score: PredictionRequest | None


def read_batch(body: bytes, batch_id: str, today: date) -> Batch:
    """The rows of a batch, each validated by itself.

    Raises:
        Unfit: when it is no batch, or too large a one.
        Unreadable: when the body is not even text.
    """
    rows = _rows(parse(body, _MAX_VALUES, f"send at most {MAX_ROWS:,} rows"))
    problems: dict[int, str] = {}
    good: list[tuple[int, Row]] = []  # by position
    for position, (_, argument) in enumerate(rows):
        row = _read_row(argument, today)
        if isinstance(row, Row):
            good.append((position, row))
        else:
            problems[position] = row
    numbers = [number for number, _ in rows]
    features = np.array([feature_row(row) for _, row in good], dtype=np.float64).reshape(len(good), len(FEATURE_NAMES))
    contradicted = contradictions(features) if good else {}
    for row_of_features, (name, why) in contradicted.items():
        problems[good[row_of_features][0]] = f"{name}: {why}"
    kept = [row_of_features for row_of_features in range(len(good)) if row_of_features not in contradicted]
    if not kept:
        return Batch(numbers, problems, None)
    to_score = [good[row_of_features] for row_of_features in kept]
    ids = sum(len(msgspec.json.encode(row.customer_id)) for _, row in to_score)
    if ids + len(rows) * MAX_ROW_BYTES > MAX_ANSWER_BYTES:
        raise refuse(("data",), "the answer would have more than 6 MB: send fewer rows", "too_long")
    request = PredictionRequest(
        [row.customer_id for _, row in to_score],
        [row.as_of_date or today for _, row in to_score],
        features[kept],
        source="external_function",
        marks=[f"{batch_id}|{numbers[position]}" for position, _ in to_score] if batch_id else None,
    )
    return Batch(numbers, problems, request)


def _rows(content: Any) -> Sequence[tuple[int, Any]]:
    if not isinstance(content, dict) or content.keys() != {"data"} or not isinstance(content["data"], list):
        raise refuse((), 'send an object {"data": [[row number, argument], …]} and nothing else')
    rows = content["data"]
    if len(rows) > MAX_ROWS:
        raise refuse(("data",), f"{len(rows):,} rows in one batch; send at most {MAX_ROWS:,}", "too_long")
    problems = Problems()
    for position, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != 2:
            problems.add(("data", position), "send [row number, argument]")
        elif not isinstance(row[0], int) or isinstance(row[0], bool) or not 0 <= row[0] < 2**63:
            problems.add(("data", position, 0), "send a row number: a whole number from 0 on")
    problems.refuse_any()
    return rows


def _read_row(argument: Any, today: date) -> Row | str:
    """The row, or why it cannot be scored."""
    if not isinstance(argument, dict):
        return "argument: send an object of features, such as object_construct(*) makes"
    given = {name.lower(): value for name, value in argument.items()}
    # an empty row has as many problems as there are features: the first are found without pydantic
    missing = [name for name in _REQUIRED if name not in given]
    if missing:
        return _describe([(name, "Field required") for name in missing])
    if len(given) > 2 * len(Row.model_fields):
        return f"argument: {len(given):,} fields, of which at most {len(Row.model_fields)} are known"
    try:
        row = Row.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return _describe([(".".join(map(str, problem["loc"])), problem["msg"]) for problem in found])
    if row.as_of_date and row.as_of_date > today:
        return f"as_of_date: {row.as_of_date} is in the future; today is {today}"
    return row


def _describe(problems: Sequence[tuple[str, str]]) -> str:
    found = [f"{name[:MAX_NAME] if name.isprintable() else 'a field'}: {why}" for name, why in problems[:MAX_PROBLEMS]]
    rest = [f"and {len(problems) - MAX_PROBLEMS} more"] if len(problems) > MAX_PROBLEMS else []
    return "; ".join([*found, *rest])


def write_batch(batch: Batch, responses: Sequence[PredictionResponse]) -> bytes:
    """The response to Snowflake: every row number with its value."""
    remaining = iter(responses)
    values = (
        {"error": batch.problems[position]} if position in batch.problems else _value(next(remaining))
        for position in range(len(batch.numbers))
    )
    return msgspec.json.encode({"data": list(zip(batch.numbers, values, strict=True))})


def _value(response: PredictionResponse) -> dict[str, Any]:
    return {name: value for name, value in flat(response).items() if name != "as_of"} | {"error": None}
