"""Why a score is what it is, in words with the customer's own numbers.

A model tells which part of the way from a typical active customer's log-odds of churn to this customer's each
*cause* makes. The causes part the features of the contract among themselves; a model may use some causes only.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from functions.churn_api.contract import EMAIL_FEATURES, FEATURE_NAMES

Cause = Literal["recency", "frequency", "spend", "activity", "returns", "engagement"]

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
    "engagement": EMAIL_FEATURES,
}  # fmt: skip

CAUSE_NAMES: tuple[Cause, ...] = tuple(CAUSES)
REASONS = 3
DIRECTIONS = {True: "higher risk: ", False: "lower risk: "}


def strongest_causes(contributions: NDArray[np.float64]) -> NDArray[np.intp]:
    """Positions in `CAUSE_NAMES` of each customer's strongest causes, the strongest first: shape [n, REASONS]."""
    return np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :REASONS]


def describe_reasons(
    features: NDArray[np.float64], contributions: NDArray[np.float64], causes: NDArray[np.intp]
) -> list[list[str]]:
    """A phrase for each of the given causes of each customer, such as "higher risk: one order so far".

    Shapes: features [n, number of features], contributions [n, number of causes], causes [n, REASONS]. Answers with
    REASONS lists of n phrases, the strongest cause's first: lists of lists for each customer would keep the garbage
    collector busy.
    """
    shown = np.rint(np.nan_to_num(features[:, _SHOWN] * _SCALE, nan=-1)).astype(np.int64).T.tolist()
    raises = contributions[np.arange(len(causes))[:, None], causes] > 0
    return [
        [
            DIRECTIONS[up] + _PHRASES[cause](figures)
            for cause, up, figures in zip(of_rank, ups, zip(*shown, strict=True), strict=True)
        ]
        for of_rank, ups in zip(causes.T.tolist(), raises.T.tolist(), strict=True)
    ]


# What phrases show, in this order; whole numbers are formatted several times faster than doubles.
_SHOWN = [
    FEATURE_NAMES.index(name)
    for name in (
        "recency_days", "frequency", "median_gap_days", "tenure_days", "monetary", "average_order_value",
        "purchases_last_180_days", "purchases_last_365_days", "returned_share", "emails_opened_last_90_days",
        "emails_clicked_last_90_days", "has_opted_out",
    )
]  # fmt: skip
_SCALE = np.array([1, 1, 1, 1, 1, 1, 1, 1, 1000, 1, 1, 1])  # of a share: per mille


def _recency(figures: tuple[int, ...]) -> str:
    days, orders, gap = figures[:3]
    which = "only" if orders == 1 else "last"
    ago = f"{days} days ago" if days > 1 else ("1 day ago" if days else "today")
    usual = "" if gap < 0 else f"; usually every {gap} days" if gap > 1 else "; usually every day"
    return f"{which} order {ago}{usual}"


def _frequency(figures: tuple[int, ...]) -> str:
    orders, tenure = figures[1], figures[3]
    return "one order so far" if orders == 1 else f"{orders} orders in {tenure} days"


def _spend(figures: tuple[int, ...]) -> str:
    total, each = figures[4:6]
    return f"spent {total:,} so far, {each:,} an order"


def _activity(figures: tuple[int, ...]) -> str:
    lately, in_all = figures[6:8]
    return f"{lately} {'order' if lately == 1 else 'orders'} in the last 180 days, {in_all} in the last 365"


def _returns(figures: tuple[int, ...]) -> str:
    share = figures[8] / 1000
    return f"{share:.0%} of what was bought was sent back" if share > 0.005 else "hardly anything sent back"


def _engagement(figures: tuple[int, ...]) -> str:
    opened, clicked, opted_out = figures[9:12]
    if opted_out == 1:
        return "wants no more e-mails"
    if opened < 0:
        return "nothing is known of e-mails"
    if opened == 0:
        return "opened no e-mail in the last 90 days"
    return f"opened e-mails {opened} {'time' if opened == 1 else 'times'} in the last 90 days, clicked {clicked}"


_PHRASE_OF: dict[Cause, Callable[[tuple[int, ...]], str]] = {
    "recency": _recency,
    "frequency": _frequency,
    "spend": _spend,
    "activity": _activity,
    "returns": _returns,
    "engagement": _engagement,
}
_PHRASES = [_PHRASE_OF[cause] for cause in CAUSE_NAMES]
