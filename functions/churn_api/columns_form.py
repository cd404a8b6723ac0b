"""Customers by columns, as data frames have them: a list for each field, with a value for each customer.

They become what the same customers are as a list, so that both are read and refused alike."""

from collections.abc import Sequence
from typing import Any

from functions.churn_api.bodies import Problems, Unfit, refuse
from functions.churn_api.contract import FEATURE_NAMES, FEATURES
from functions.churn_api.csv_form import not_known
from functions.churn_api.problems import pointer

ABOUT = ("customer_id", "as_of")
REQUIRED = (ABOUT[0], *(name for name, feature in FEATURES.items() if feature.is_required))
_KNOWN = (*ABOUT, *FEATURE_NAMES)


def as_customers(content: Any, most: int) -> list[dict[str, Any]]:
    """The customers as they are in a list; at most `most`.

    Raises:
        Unfit: naming columns that are missing, not known, no lists, or of another length than `customer_id`.
    """
    if not isinstance(content, dict):
        raise refuse((), 'send an object of columns: {"customer_id": ["C1", …], "recency_days": [95, …], …}', "columns")
    problems = Problems()
    for name, column in content.items():
        if name not in _KNOWN:
            problems.add((name[:100],), not_known(name, _KNOWN), "extra_forbidden")
        elif not isinstance(column, list):
            problems.add((name,), "send a list with a value for each customer", "list_type")
    for name in REQUIRED:
        if name not in content:
            problems.add((name,), "Field required", "missing")
    problems.refuse_any()
    n = len(content["customer_id"])
    if n > most:
        raise refuse(("customer_id",), f"{n:,} customers in one request; send at most {most:,}", "too_long")
    for name, column in content.items():
        if len(column) != n:
            problems.add((name,), f"{len(column):,} values, but customer_id has {n:,}", "length")
    problems.refuse_any()
    about, features = _rows(content, ABOUT), _rows(content, FEATURE_NAMES)
    return [one | {"features": figures} for one, figures in zip(about, features, strict=True)]


def _rows(content: dict[str, list[Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    there = [name for name in names if name in content]
    return [dict(zip(there, row, strict=True)) for row in zip(*(content[name] for name in there), strict=True)]


def in_columns(unfit: Unfit) -> Unfit:
    """The same refusal, naming columns and positions in them: /recency_days/3 for /3/features/recency_days."""
    return Unfit([error | {"pointer": _in_columns(error["pointer"])} for error in unfit.errors])


def _in_columns(place: str) -> str:
    _, *path = place.split("/")
    return pointer((path[-1], path[0])) if path else ""
