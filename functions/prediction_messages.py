"""The messages that carry predictions to where they are merged into `marts.churn_predictions`.

A message is a JSON object: `source`, `scored_at`, and `answers` as the caller got them. The mart's other columns are
computed when merging, not while a caller waits."""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from functions.prediction_record import COLUMNS, NEXT_ORDER_COLUMNS, REASONS, Amount, PredictionRecord, Text

# a message may hold 256 KB; some room is left for the envelope
MESSAGE_BYTES = 200_000

T = TypeVar("T")


def messages(source: str, scored_at: datetime, lists: Iterable[bytes]) -> Iterator[bytes]:
    """JSON lists of predictions, in as few messages as possible without parting one. `scored_at` is in UTC."""
    head = f'{{"source":"{source}","scored_at":"{scored_at:%Y-%m-%dT%H:%M:%S}","answers":['.encode()
    without_brackets = (memoryview(_in_ascii(one))[1:-1] for one in lists)
    for together in parted(without_brackets, lambda answers: len(answers) + 1, MESSAGE_BYTES):
        parts: list[bytes | memoryview] = [head]
        for answers in together:
            parts += (answers, b",")
        parts[-1] = b"]}"
        yield b"".join(parts)


def parted(parts: Iterable[T], size_of: Callable[[T], int], limit: int) -> Iterator[list[T]]:
    """The parts in order, in as few lists within the limit as possible; a larger part is alone."""
    together: list[T] = []
    size = 0
    for part in parts:
        more = size_of(part)
        if together and size + more > limit:
            yield together
            together, size = [], 0
        together.append(part)
        size += more
    if together:
        yield together


def _in_ascii(text: bytes) -> bytes:
    """The same JSON, escaped: SQS does not accept every character."""
    return text if text.isascii() else json.dumps(json.loads(text), separators=(",", ":")).encode()


class _Read(BaseModel):
    """Built when the first message is read: an API only writes them."""

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
