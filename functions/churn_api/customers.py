"""Reads requests to `/predict` and `/predict/columns`: customers as features or as order histories, into one matrix.

The pydantic models document and validate. Those of features are made from the contract."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from functions.churn_api.bodies import Problems, Unfit, Where, check_width, parse, refuse
from functions.churn_api.columns_form import as_customers, in_columns
from functions.churn_api.consistency import contradictions
from functions.churn_api.contract import EARLIEST_YEAR, FEATURE_NAMES
from functions.churn_api.csv_form import read_csv
from functions.churn_api.customer_features import CustomerFeatures, feature_row
from functions.churn_api.fast_reading import MAX_CUSTOMERS
from functions.churn_api.order_history import (
    MAX_ORDERS,
    NotInHistory,
    Order,
    features_from_orders,
    without_nul,
)
from functions.churn_api.predictions import PredictionRequest

MAX_ORDERS_IN_ALL = 20_000
# of a body that is full to these limits, with some to spare
_MAX_FIGURES = MAX_CUSTOMERS * (len(FEATURE_NAMES) + 5)
_MAX_VALUES = _MAX_FIGURES + MAX_ORDERS_IN_ALL * (len(Order.model_fields) + 1)


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


@dataclass(frozen=True)
class Reading:
    """What is needed to read customers. `is_csv`: the body is CSV, not JSON. `takes_one`: one customer without a list
    is taken too."""

    today: date
    horizon_days: int
    time_zone: tzinfo
    is_csv: bool = False
    takes_one: bool = True


def read(body: bytes, reading: Reading) -> PredictionRequest:
    """A list of customers, or one of them.

    Raises:
        Unfit: naming what does not fit: fields, dates in the future, histories with nothing to score.
        Refused: when the body is not even text.
    """
    if reading.is_csv:
        given = read_csv(body, MAX_ORDERS_IN_ALL)
        try:
            return read_customers(given.customers, reading)
        except Unfit as unfit:
            raise given.in_lines(unfit) from None
    instead = f"send at most {MAX_CUSTOMERS:,} customers and {MAX_ORDERS_IN_ALL:,} orders"
    content = parse(body, _MAX_VALUES, instead)
    if isinstance(content, dict) and not reading.takes_one:
        raise refuse((), "one customer without a list: send [{…}], as this version takes it", "list_type")
    return read_customers(content, reading)


def read_columns(body: bytes, reading: Reading) -> PredictionRequest:
    """Customers as features, by columns.

    Raises:
        Unfit: as `read` does, and for columns that are missing, not known or of several lengths.
        Refused: when the body is not even text.
    """
    content = parse(body, _MAX_FIGURES, f"send at most {MAX_CUSTOMERS:,} customers")
    customers = as_customers(content, MAX_CUSTOMERS)
    try:
        return read_customers(customers, reading)
    except Unfit as unfit:
        raise in_columns(unfit) from None


def read_customers(content: Any, reading: Reading) -> PredictionRequest:
    """Customers as they are in JSON.

    Raises:
        Unfit: as `read` does.
    """
    customers = content if isinstance(content, list) else [content]
    today = reading.today
    _count(customers)
    problems = Problems()
    ids: list[str | None] = []
    dates: list[date] = []
    rows: list[Sequence[float | None]] = []
    histories: dict[int, Sequence[Order]] = {}
    for position, given in enumerate(customers):
        where = (position,) if isinstance(content, list) else ()
        try:
            customer = _validated(given, where)
            as_of = customer.as_of or today
            if as_of > today:
                problems.add((*where, "as_of"), f"{as_of} is in the future; today is {today}")
            elif isinstance(customer, CustomerByOrders):
                rows.append(features_from_orders(customer.orders, as_of, reading.horizon_days, reading.time_zone))
                if any(order.sku is not None for order in customer.orders):
                    histories[position] = customer.orders
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
    return PredictionRequest(ids, dates, features, histories=histories or None)


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
