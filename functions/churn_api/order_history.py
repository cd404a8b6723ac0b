"""A customer's features from the orders themselves, as dbt_project/macros/features/customer_features.sql defines them.

The macro is the reference: a test draws random histories and finds both equal.
"""

import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from statistics import median
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from functions.churn_api.contract import EARLIEST_YEAR, EMAIL_FEATURES, FEATURE_NAMES, NotInContract, feature_parts
from functions.churn_api.returns import Line, cents_returned

MAX_ORDERS = 1_000

_LATEST = 2200


class NotInHistory(Exception):
    """Orders from which no features can be computed: where in the customer, and the reason."""

    def __init__(self, where: Sequence[str | int], why: str) -> None:
        super().__init__(why)
        self.where = tuple(where)


def _begins_with_a_date(value: Any) -> Any:
    """Refuses numbers, also as text: they may be seconds or milliseconds."""
    if isinstance(value, (date, datetime)) or (isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value)):
        return value
    raise ValueError("write it as text, such as 2026-05-28 or 2026-05-28T10:15:00")


def _of_our_times(moment: datetime) -> datetime:
    if not EARLIEST_YEAR <= moment.year <= _LATEST:
        raise ValueError(f"a year from {EARLIEST_YEAR} to {_LATEST} is meant")
    return moment


def _in_plain_digits(value: Any) -> Any:
    """Refuses 1e3, 1_000 and ١٢ as text, which other readers of the same text take for something else."""
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
        raise ValueError("write a number, or text in plain digits, such as 82.5")
    return value


def without_nul(text: str) -> str:
    """
    Raises:
        ValueError: for a NUL character, which no database stores.
    """
    if "\x00" in text:
        raise ValueError("it has a NUL character in it, which no database stores")
    return text


Text = Annotated[str, Field(max_length=200), AfterValidator(without_nul)]


class Order(BaseModel):
    """An order, or a line of one. A negative amount is a return of an earlier one."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    ordered_at: Annotated[
        datetime,
        BeforeValidator(_begins_with_a_date),
        AfterValidator(_of_our_times),
        Field(
            description="Date, or date and time, in the shop's local time unless it carries an offset",
            examples=["2026-05-28T10:15:00"],
        ),
    ]
    amount: Annotated[
        Decimal,
        BeforeValidator(_in_plain_digits),
        Field(
            description="What was paid, discounts taken off. Negative: sent back. Zero: no purchase",
            ge=Decimal("-1e9"), le=Decimal("1e9"), allow_inf_nan=False, examples=[82.5],
            json_schema_extra={"unit": "reporting currency"},
        ),
    ]  # fmt: skip
    order_id: Annotated[
        Text | None,
        Field(description="A return with the id of an order belongs to that order", examples=["A-1001"]),
    ] = None
    sku: Annotated[
        Text | None,
        Field(
            description="A return without its order's id belongs to the last sale of the same product, if one is named."
            " With it, next_products says what to show them next",
            examples=["TEAPOT"],
        ),
    ] = None


class _Purchase(NamedTuple):
    """Purchases of one day less their returns."""

    age_days: int
    gross_cents: int
    net_cents: int
    product_lines: int


def features_from_orders(
    orders: Sequence[Order], as_of: date, horizon_days: int, time_zone: tzinfo = UTC
) -> list[float]:
    """The contract's features, in its order, as known at the end of `as_of`; NaN for what does not exist.

    `time_zone` is the shop's, for moments that carry an offset. `horizon_days` is the model's.

    Raises:
        NotInHistory: when an order is dated after `as_of`, or nothing was bought that was not sent back.
    """
    sales, returns = sales_and_returns(orders, as_of, time_zone)
    purchases = _purchases(sales, returns, as_of)
    if not purchases:
        raise NotInHistory(["orders"], "no purchase is left by the as-of date, so there is no customer to score")
    ages = [purchase.age_days for purchase in purchases]
    gaps = [older - newer for newer, older in pairwise(ages)]
    frequency, recency, tenure = len(ages), ages[0], ages[-1]
    monetary = sum(purchase.net_cents for purchase in purchases) / 100
    gross = sum(purchase.gross_cents for purchase in purchases) / 100
    known: dict[str, float | None] = {
        **dict.fromkeys(EMAIL_FEATURES),
        "recency_days": recency,
        "frequency": frequency,
        "monetary": monetary,
        "tenure_days": tenure,
        "average_order_value": monetary / frequency,
        "returned_share": 1 - monetary / gross,
        "active_weeks_share": len({age // 7 for age in ages}) / (tenure // 7 + 1),
        "mean_gap_days": sum(gaps) / len(gaps) if gaps else None,
        "median_gap_days": median(gaps) if gaps else None,
        "max_gap_days": max(gaps, default=None),
        "shrunk_gap_days": (sum(gaps) + horizon_days) / frequency,
        "days_per_purchase": (tenure + 1) / frequency,
        "purchases_same_weeks_a_year": _same_weeks_a_year(ages, horizon_days),
        "lines_per_purchase": lines / frequency if (lines := sum(p.product_lines for p in purchases)) else None,
        **_spread_of(gaps, recency),
    }
    bought = {days: sum(age < days for age in ages) for days in _COUNTED}
    for days in _PURCHASES_LAST:
        known[f"purchases_last_{days}_days"] = bought[days]
    for days in _SPEND_LAST:
        known[f"spend_last_{days}_days"] = sum(p.net_cents for p in purchases if p.age_days < days) / 100
    for days in _HALVED_EVERY:
        known[f"decayed_purchases_{days}_days"] = round(sum(0.5 ** (age / days) for age in ages), 9)
    for ordinal, n in _ORDINALS.items():
        known[f"days_since_{ordinal}_last_purchase"] = ages[n - 1] if frequency >= n else None
    for gap in _GAPS:
        usual = known[gap if gap in known else f"{gap}_days"]
        known[f"recency_to_{gap}"] = None if usual is None else recency / usual
    for days in _TRENDS:
        known[f"trend_{days}_days"] = (2 * bought[days] - bought[2 * days]) / (bought[2 * days] + 1)
    if known.keys() != _ALL_FEATURES:
        raise _not_in_contract(known.keys())
    return [float("nan") if (value := known[name]) is None else float(value) for name in FEATURE_NAMES]


_ALL_FEATURES = frozenset(FEATURE_NAMES)
_PURCHASES_LAST = [int(days) for days in feature_parts("purchases_last_{}_days")]
_SPEND_LAST = [int(days) for days in feature_parts("spend_last_{}_days")]
_HALVED_EVERY = [int(days) for days in feature_parts("decayed_purchases_{}_days")]
_TRENDS = [int(days) for days in feature_parts("trend_{}_days")]
_COUNTED = {*_PURCHASES_LAST, *_TRENDS, *(2 * days for days in _TRENDS)}
_ORDINALS = {ordinal: int(ordinal[:-2]) for ordinal in feature_parts("days_since_{}_last_purchase")}
_GAPS = feature_parts("recency_to_{}")


def _same_weeks_a_year(ages: Sequence[int], horizon_days: int) -> float | None:
    """Purchases in the weeks of the coming horizon in earlier years, per year; None: not a customer yet in those."""
    a_year_ago = 365 - horizon_days
    if ages[-1] < a_year_ago:
        return None
    return sum(age % 365 >= a_year_ago for age in ages) / ((ages[-1] - a_year_ago) // 365 + 1)


def _spread_of(gaps: Sequence[int], recency: int) -> dict[str, float | None]:
    """How regular the gaps are, and how unusual the silence is for them."""
    if not gaps:
        return {"gap_variation": None, "silence_in_gap_spreads": None}
    n, mean = len(gaps), sum(gaps) / len(gaps)
    scaled_variance = n * sum(gap * gap for gap in gaps) - sum(gaps) ** 2
    spread = math.sqrt(max((scaled_variance / n + mean * mean) / (n + 1), 1))
    return {
        "gap_variation": math.sqrt(scaled_variance) / sum(gaps) if n > 1 else None,
        "silence_in_gap_spreads": (recency - mean) / spread,
    }


def _not_in_contract(computed: Iterable[str]) -> NotInContract:
    missing, unknown = sorted(_ALL_FEATURES - {*computed}), sorted({*computed} - _ALL_FEATURES)
    return NotInContract(
        "features_from_orders in functions/churn_api/order_history.py computes other features than contract.py names"
        f" (missing here: {missing}; only here: {unknown})."
    )


def sales_and_returns(orders: Sequence[Order], as_of: date, time_zone: tzinfo) -> tuple[list[Line], list[Line]]:
    """The lines of both, in the shop's local time.

    Raises:
        NotInHistory: when an order is dated after `as_of`.
    """
    sales: list[Line] = []
    returns: list[Line] = []
    for position, order in enumerate(orders):
        at = order.ordered_at
        if at.tzinfo is not None:
            at = at.astimezone(time_zone).replace(tzinfo=None)
        if at.date() > as_of:
            raise NotInHistory(
                ["orders", position, "ordered_at"],
                f"{at.date()} is after the as-of date {as_of}, so it is not known yet",
            )
        cents = _cents(order.amount)
        # without an id, all purchases of a day are one order
        line = Line(position, at, order.order_id or at.date(), order.sku, abs(cents))
        if cents:
            (sales if cents > 0 else returns).append(line)
    return sales, returns


def _cents(amount: Decimal) -> int:
    """As the warehouse rounds: to four decimals when it reads, then to two."""
    read = amount.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    return int(read.quantize(Decimal("0.01"), ROUND_HALF_UP) * 100)


def _purchases(sales: Sequence[Line], returns: Sequence[Line], as_of: date) -> list[_Purchase]:
    """The days on which something was bought that was not sent back whole, the last one first."""
    gross: dict[date, int] = {}
    product_lines: dict[date, int] = {}
    for sale in sales:
        gross[sale.at.date()] = gross.get(sale.at.date(), 0) + sale.cents
        product_lines[sale.at.date()] = product_lines.get(sale.at.date(), 0) + (sale.sku is not None)
    returned = cents_returned(sales, returns, gross)
    return [
        _Purchase((as_of - day).days, gross[day], net, product_lines[day])
        for day in sorted(gross, reverse=True)
        if (net := gross[day] - returned[day]) > 0
    ]
