"""Reads the messages that prediction_messages.py writes: valid rows of the mart, and what is wrong with the others."""

import math
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from functions.predicted import NEXT_ORDER_COLUMNS, REASONS
from functions.prediction_record import COLUMNS, Amount, PredictionRecord, Text


class _Read(BaseModel):
    """Built when the first message is read, not when a server starts."""

    model_config = ConfigDict(defer_build=True)


class _Reason(_Read):
    text: Text


class _Days(_Read):
    chance_10: Annotated[Amount, Field(le=10_000)] | None
    chance_50: Annotated[Amount, Field(le=10_000)] | None
    chance_90: Annotated[Amount, Field(le=10_000)] | None
    if_back: Annotated[Amount, Field(le=10_000)] | None = None  # no default in answers; earlier versions sent none


class _Answer(_Read):
    """The fields of a prediction that are validated before its row."""

    as_of: Annotated[date, Field(le=date(9000, 1, 1))]
    next_order_days: _Days
    reasons: Annotated[list[_Reason], Field(min_length=REASONS, max_length=REASONS)]


class _Message(_Read):
    model_config = ConfigDict(extra="forbid")

    source: Any
    scored_at: Any
    answers: list[dict[str, Any]]


def read_message(body: str | bytes) -> tuple[list[PredictionRecord], list[str]]:
    """The valid rows of a message, and the problems of the others: location and reason, not the values."""
    try:
        message = _Message.model_validate_json(body)
    except ValidationError as error:
        return [], _describe("message", error)
    good: list[PredictionRecord] = []
    problems: list[str] = []
    for position, answer in enumerate(message.answers):
        try:
            good.append(_row(answer, message))
        except ValidationError as error:
            problems += _describe(f"answer {position}", error)
    return good, problems


def _row(said: dict[str, Any], message: _Message) -> PredictionRecord:
    answer = _Answer.model_validate(said)
    days = answer.next_order_days.model_dump()
    by_day = {column: days[name] for name, column in NEXT_ORDER_COLUMNS.items()}
    return PredictionRecord.model_validate(
        {name: said.get(name) for name in COLUMNS}
        | {"as_of_date": answer.as_of, "source": message.source, "scored_at": message.scored_at}
        | {name: None if d is None else answer.as_of + timedelta(math.ceil(d)) for name, d in by_day.items()}
        | {f"reason_{n}": reason.text for n, reason in enumerate(answer.reasons, start=1)}
    )


def _describe(where: str, error: ValidationError) -> list[str]:
    return [f"{where}, {'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors(include_input=False)]
