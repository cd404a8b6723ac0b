"""JSON bodies of requests: bounded before they are parsed, and refused with every problem up to the hundredth."""

import json
import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from functions.churn_api.problems import Refused, pointer

MAX_PROBLEMS = 100
Where = Sequence[str | int]
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)  # one pass, whatever stands there


class Unfit(Refused):
    """A body that cannot be scored, with every error: none has a value of the body in it, which may be personal."""

    def __init__(self, errors: Sequence[dict[str, Any]]) -> None:
        first, *others = errors
        rest = f" ({len(others)} more in errors)" if others else ""
        super().__init__(
            "body_invalid", f"{first['pointer'] or 'the body'}: {first['detail']}{rest}", errors=list(errors)
        )


class Unreadable(Refused):
    """A body that is no text, or that is nested too deep."""

    def __init__(self) -> None:
        super().__init__("request_unreadable", "There was an error parsing the body: send JSON in UTF-8.")


class Problems:
    """What does not fit in a body."""

    def __init__(self) -> None:
        self._found: list[dict[str, Any]] = []

    def add(self, where: Where, why: str, kind: str = "refused") -> None:
        """Notes a problem.

        Raises:
            Unfit: at the hundredth; the rest of the body is not looked at.
        """
        self._found.append({"pointer": pointer(where), "detail": why, "code": kind})
        if len(self._found) == MAX_PROBLEMS:
            rest = f"these are the first {MAX_PROBLEMS} problems; the rest of the body was not looked at"
            raise Unfit([*self._found, {"pointer": "", "detail": rest, "code": "more"}])

    def add_all(self, where: Where, error: ValidationError) -> None:
        """Notes what pydantic has found; raises as `add` does."""
        for found in error.errors(include_url=False, include_context=False, include_input=False):
            self.add([*where, *found["loc"]], found["msg"], found["type"])

    def refuse_any(self) -> None:
        """
        Raises:
            Unfit: when there is any problem.
        """
        if self._found:
            raise Unfit(self._found)


def refuse(where: Where, why: str, kind: str = "refused") -> Unfit:
    """The refusal of a body for one problem."""
    return Unfit([{"pointer": pointer(where), "detail": why, "code": kind}])


def check_width(given: Any, model: type[BaseModel], where: Where) -> None:
    """
    Raises:
        Unfit: for an object with far more fields than its model has: pydantic would note a problem for each of them.
    """
    if isinstance(given, dict) and len(given) > 2 * len(model.model_fields):
        raise refuse(where, f"{len(given):,} fields, of which at most {len(model.model_fields)} are known", "too_long")


def parse(body: bytes, max_values: int, instead: str) -> Any:
    """The body's content. Its values are counted first: parsed, they take up to forty times as much memory.

    Raises:
        Unfit: when it is no JSON, or has more values than any valid body; `instead` says what to send.
        Unreadable: when it is not even text.
    """
    if body.count(b",") >= max_values and _has_more_commas(body, max_values):
        raise refuse((), f"more than {max_values:,} values in one body; {instead}", "too_long")
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        raise refuse((), f"JSON decode error at character {error.pos}: {error.msg}", "json_invalid") from None
    except (ValueError, RecursionError):
        raise Unreadable() from None


def _has_more_commas(body: bytes, limit: int) -> bool:
    """Whether there are so many commas outside of texts."""
    found = end = 0
    for number, text in enumerate(_TEXT.finditer(body)):
        found += body.count(b",", end, text.start())
        end = text.end()
        if found >= limit or number > 2 * limit:
            return True
    return found + body.count(b",", end) >= limit
