"""Why a score is what it is, in words with the customer's own numbers.

A model tells which part of the way from a typical active customer's log-odds of churn to this customer's each
*cause* makes. The causes part the features of the contract among themselves; a model may use some causes only.
"""

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from functions.churn_api.contract import FEATURE_NAMES

Cause = Literal["recency", "frequency", "spend", "activity", "returns"]

CAUSES: dict[Cause, tuple[str, ...]] = {
    "recency": (
        "recency_days", "days_since_2nd_last_purchase", "days_since_3rd_last_purchase",
        "days_since_5th_last_purchase", "mean_gap_days", "median_gap_days", "max_gap_days", "shrunk_gap_days",
        "recency_to_mean_gap", "recency_to_median_gap", "recency_to_max_gap", "recency_to_shrunk_gap",
        "recency_to_days_per_purchase",
    ),
    "frequency": ("frequency", "tenure_days", "active_weeks_share", "days_per_purchase"),
    "spend": ("monetary", "average_order_value", "spend_last_90_days", "spend_last_365_days"),
    "activity": (
        "purchases_last_30_days", "purchases_last_60_days", "purchases_last_90_days", "purchases_last_180_days",
        "purchases_last_365_days", "decayed_purchases_15_days", "decayed_purchases_45_days",
        "decayed_purchases_120_days", "trend_90_days", "trend_180_days",
    ),
    "returns": ("returned_share",),
}  # fmt: skip

CAUSE_NAMES: tuple[Cause, ...] = tuple(CAUSES)
REASONS = 3
DIRECTIONS = {True: "higher risk", False: "lower risk"}


def strongest_causes(contributions: NDArray[np.float64]) -> NDArray[np.intp]:
    """Positions in `CAUSE_NAMES` of each customer's strongest causes, the strongest first: shape [n, REASONS]."""
    return np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :REASONS]


def in_words(
    features: NDArray[np.float64], contributions: NDArray[np.float64], causes: NDArray[np.intp]
) -> NDArray[np.object_]:
    """A phrase for each of the given causes of each customer, such as "higher risk: one order so far".

    Shapes: features [n, number of features], contributions [n, number of causes], causes and result [n, REASONS].
    """
    phrases = np.empty(causes.shape, dtype=object)
    for position, cause in enumerate(CAUSE_NAMES):
        customers, rank = np.nonzero(causes == position)
        raises = (contributions[customers, position] > 0).tolist()
        phrases[customers, rank] = [
            f"{DIRECTIONS[up]}: {figures}"
            for up, figures in zip(raises, _FIGURES[cause](features[customers]), strict=True)
        ]
    return phrases


def _column(features: NDArray[np.float64], name: str) -> list[float]:
    values: list[float] = features[:, FEATURE_NAMES.index(name)].tolist()
    return values


def _recency(features: NDArray[np.float64]) -> Iterator[str]:
    names = ("recency_days", "frequency", "median_gap_days")
    for days, orders, gap in zip(*(_column(features, name) for name in names), strict=True):
        which = "only" if orders == 1 else "last"
        ago = f"{days:.0f} days ago" if days > 1 else ("1 day ago" if days else "today")
        usual = "" if gap != gap else f"; usually every {gap:.0f} days" if gap > 1 else "; usually every day"
        yield f"{which} order {ago}{usual}"


def _frequency(features: NDArray[np.float64]) -> Iterator[str]:
    for orders, days in zip(_column(features, "frequency"), _column(features, "tenure_days"), strict=True):
        yield "one order so far" if orders == 1 else f"{orders:.0f} orders in {days:.0f} days"


def _spend(features: NDArray[np.float64]) -> Iterator[str]:
    for total, each in zip(_column(features, "monetary"), _column(features, "average_order_value"), strict=True):
        yield f"spent {total:,.0f} so far, {each:,.0f} an order"


def _activity(features: NDArray[np.float64]) -> Iterator[str]:
    half, year = _column(features, "purchases_last_180_days"), _column(features, "purchases_last_365_days")
    for lately, in_all in zip(half, year, strict=True):
        orders = "order" if lately == 1 else "orders"
        yield f"{lately:.0f} {orders} in the last 180 days, {in_all:.0f} in the last 365"


def _returns(features: NDArray[np.float64]) -> Iterator[str]:
    for share in _column(features, "returned_share"):
        yield f"{share:.0%} of what was bought was sent back" if share > 0.005 else "hardly anything sent back"


_FIGURES: dict[Cause, Callable[[NDArray[np.float64]], Iterator[str]]] = {
    "recency": _recency,
    "frequency": _frequency,
    "spend": _spend,
    "activity": _activity,
    "returns": _returns,
}
