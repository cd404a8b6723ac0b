"""Reads requests to `/predict`: customers as features or as order histories, into one matrix.

The pydantic models are the definition: they document and validate. `read_fast` reads valid requests several times
faster, with types made from the same models; everything else goes to the models. A test finds no body that both read
differently."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, tzinfo
from operator import attrgetter
from typing import Annotated, Any

import annotated_types
import msgspec
import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from functions.churn_api.bodies import Problems, Where, check_width, parse, refuse
from functions.churn_api.consistency import contradictions, contradicts_itself
from functions.churn_api.contract import FEATURE_NAMES, CustomerFeatures
from functions.churn_api.order_history import (
    EARLIEST_YEAR,
    MAX_ORDERS,
    NotInHistory,
    Order,
    features_from_orders,
    without_nul,
)
from functions.churn_api.predictions import PredictionRequest

MAX_CUSTOMERS = 1_000
MAX_ORDERS_IN_ALL = 20_000
# of a body that is full to these limits, with some to spare
_MAX_VALUES = MAX_CUSTOMERS * (len(FEATURE_NAMES) + 5) + MAX_ORDERS_IN_ALL * (len(Order.model_fields) + 1)


def _as_text(value: Any) -> Any:
    """A whole number is an id too: spreadsheets and no-code tools send 42 for "42"."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


CustomerId = Annotated[
    str,
    Field(description="The shop's own customer id", max_length=200, min_length=1, examples=["C000042"]),
    AfterValidator(without_nul),
    BeforeValidator(_as_text),
]


def _is_a_day(value: Any) -> Any:
    if isinstance(value, date) or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)):
        return value
    raise ValueError("write it as text, such as 2026-06-30")


def _of_our_times(day: date) -> date:
    if day.year < EARLIEST_YEAR:
        raise ValueError(f"a year from {EARLIEST_YEAR} on is meant")
    return day


Day = Annotated[
    date,
    BeforeValidator(_is_a_day),
    AfterValidator(_of_our_times),
    Field(description="Everything is as known at the end of this day; not in the future", examples=["2026-06-30"]),
]


class CustomerByFeatures(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    customer_id: CustomerId
    as_of: Annotated[Day | None, Field(description="The features' day, not in the future; left out: today")] = None
    features: CustomerFeatures


class CustomerByOrders(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    customer_id: CustomerId
    as_of: Day
    orders: Annotated[
        list[Order],
        Field(description="All orders of the customer so far, in any order", min_length=1, max_length=MAX_ORDERS),
    ]


def read(body: bytes, today: date, horizon_days: int, time_zone: tzinfo) -> PredictionRequest:
    """One customer, or a list of them.

    Raises:
        Unfit: naming what does not fit: fields, dates in the future, histories with nothing to score.
        Unreadable: when the body is not even text.
    """
    instead = f"send at most {MAX_CUSTOMERS:,} customers and {MAX_ORDERS_IN_ALL:,} orders"
    content = parse(body, _MAX_VALUES, instead)
    customers = content if isinstance(content, list) else [content]
    _count(customers)
    problems = Problems()
    ids: list[str | None] = []
    dates: list[date] = []
    rows: list[Sequence[float | None]] = []
    for position, given in enumerate(customers):
        where = (position,) if isinstance(content, list) else ()
        try:
            customer = _validated(given, where)
            as_of = customer.as_of or today
            if as_of > today:
                problems.add((*where, "as_of"), f"{as_of} is in the future; today is {today}")
            elif isinstance(customer, CustomerByOrders):
                rows.append(features_from_orders(customer.orders, as_of, horizon_days, time_zone))
            else:
                rows.append(feature_row(customer.features))
            ids.append(customer.customer_id)
            dates.append(as_of)
        except ValidationError as error:
            problems.add_all(where, error)
        except NotInHistory as problem:
            problems.add((*where, *problem.where), str(problem))
    problems.refuse_any()
    features = np.array(rows, dtype=np.float64)
    for row, (name, why) in contradictions(features).items():
        problems.add((*((row,) if isinstance(content, list) else ()), "features", name), why, "contradiction")
    problems.refuse_any()
    return PredictionRequest(ids, dates, features)


def _count(customers: Sequence[Any]) -> None:
    """Refuses too many customers or orders before any of them is validated."""
    if not customers:
        raise refuse((), "an empty list: send at least 1 customer", "too_short")
    if len(customers) > MAX_CUSTOMERS:
        raise refuse((), f"{len(customers):,} customers in one request; send at most {MAX_CUSTOMERS}", "too_long")
    orders = [c["orders"] for c in customers if isinstance(c, dict) and isinstance(c.get("orders"), list)]
    in_all = sum(map(len, orders))
    if in_all > MAX_ORDERS_IN_ALL:
        raise refuse((), f"{in_all:,} orders in one request; send at most {MAX_ORDERS_IN_ALL:,}", "too_long")


def _validated(given: Any, where: Where) -> CustomerByFeatures | CustomerByOrders:
    model = CustomerByOrders if isinstance(given, dict) and given.get("orders") is not None else CustomerByFeatures
    check_width(given, model, where)
    if isinstance(given, dict):
        # no-code tools send null for the other kind
        given = {
            name: value for name, value in given.items() if value is not None or name not in ("features", "orders")
        }
        check_width(given.get("features"), CustomerFeatures, (*where, "features"))
        orders = given.get("orders")
        for position, order in enumerate(orders if isinstance(orders, list) else ()):
            check_width(order, Order, (*where, "orders", position))
    return model.model_validate(given)


def read_fast(body: bytes, today: date) -> PredictionRequest | None:
    """Customers given as features, if they are valid; None: pydantic decides."""
    try:
        customers: Any = [_one(body)] if body[:1] == b"{" else _several(body)
        rows = [feature_row(customer.features) for customer in customers]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    dates = [customer.as_of or today for customer in customers]
    if max(dates) > today or min(dates).year < EARLIEST_YEAR or b"\\u0000" in body:
        return None
    features = np.array(rows, dtype=np.float64)  # None becomes NaN
    if (features[:, _COUNTS] % 1 > 0).any():
        return None
    if contradicts_itself(rows[0]) if len(rows) == 1 else contradictions(features):
        return None
    return PredictionRequest([customer.customer_id for customer in customers], dates, features)


feature_row: Callable[[Any], tuple[float | None, ...]] = attrgetter(*FEATURE_NAMES)


def _as_msgspec(name: str) -> tuple[Any, ...]:
    """A feature as a field of a msgspec struct: the same bounds, every number a double."""
    field = CustomerFeatures.model_fields[name]
    bounds = {type(bound): bound for bound in field.metadata}
    limits = msgspec.Meta(ge=bounds[annotated_types.Ge].ge, le=bounds[annotated_types.Le].le)
    number: Any = Annotated[float, limits]
    return (name, number) if field.is_required() else (name, number | None, None)


def _is_whole(name: str) -> bool:
    return "int" in str(CustomerFeatures.model_fields[name].annotation)


def _structs() -> tuple[Callable[[bytes], Any], Callable[[bytes], Any]]:
    strict: Mapping[str, Any] = {"forbid_unknown_fields": True, "gc": False, "kw_only": True}
    features = msgspec.defstruct("Features", [_as_msgspec(name) for name in FEATURE_NAMES], **strict)
    customer_id = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    customer = msgspec.defstruct(
        "Customer", [("customer_id", customer_id), ("features", features), ("as_of", date | None, None)], **strict
    )
    customers = Annotated[list[customer], msgspec.Meta(min_length=1, max_length=MAX_CUSTOMERS)]  # type: ignore[valid-type]
    return msgspec.json.Decoder(customer).decode, msgspec.json.Decoder(customers).decode


_one, _several = _structs()
_COUNTS = [position for position, name in enumerate(FEATURE_NAMES) if _is_whole(name)]
