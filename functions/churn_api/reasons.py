"""The reasons of a score, as phrases with the customer's own figures.

A model gives the contribution of each *cause* to the difference between a typical active customer's log-odds of churn
and this customer's. The contract assigns each feature to a cause."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from functions.churn_api.contract import CAUSE_NAMES, Cause, NotInContract, feature_position
from functions.prediction_record import REASONS

DIRECTIONS = {True: "higher risk: ", False: "lower risk: "}


def strongest_causes(contributions: NDArray[np.float64]) -> NDArray[np.intp]:
    """Positions in `CAUSE_NAMES` of each customer's strongest causes, the strongest first: shape [n, REASONS]."""
    return np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :REASONS]


def describe_reasons(
    features: NDArray[np.float64], contributions: NDArray[np.float64], causes: NDArray[np.intp]
) -> list[list[str]]:
    """A phrase for each of the given causes of each customer, such as "higher risk: one order so far".

    Shapes: features [n, number of features], contributions [n, number of causes], causes [n, REASONS]. Returns REASONS
    lists of n phrases, the strongest cause's first: a list per customer would keep the garbage collector busy."""
    shown = np.rint(np.nan_to_num(features[:, _SHOWN] * _SCALE, nan=-1)).astype(np.int64).T.tolist()
    figures_of = list(zip(*shown, strict=True))
    raises = contributions[np.arange(len(causes))[:, None], causes] > 0
    return [
        [DIRECTIONS[up] + _PHRASES[cause](figures) for cause, up, figures in zip(of_rank, ups, figures_of, strict=True)]
        for of_rank, ups in zip(causes.T.tolist(), raises.T.tolist(), strict=True)
    ]


_LATELY, _IN_ALL, _EMAILS = 180, 365, 90  # days that phrases look back on
# The figures of phrases, in this order, with a factor: whole numbers are formatted several times faster than doubles.
_FIGURES = {
    "recency_days": 1, "frequency": 1, "median_gap_days": 1, "tenure_days": 1, "monetary": 1, "average_order_value": 1,
    f"purchases_last_{_LATELY}_days": 1, f"purchases_last_{_IN_ALL}_days": 1, "returned_share": 1000,
    f"emails_opened_last_{_EMAILS}_days": 1, f"emails_clicked_last_{_EMAILS}_days": 1, "has_opted_out": 1,
}  # fmt: skip
_SHOWN = [feature_position(name) for name in _FIGURES]
_SCALE = np.array([*_FIGURES.values()])


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
    return f"{lately} {'order' if lately == 1 else 'orders'} in the last {_LATELY} days, {in_all} in the last {_IN_ALL}"


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
        return f"opened no e-mail in the last {_EMAILS} days"
    times = "1 time" if opened == 1 else f"{opened} times"
    return f"opened e-mails {times} in the last {_EMAILS} days, clicked {clicked}"


_PHRASE_OF: dict[Cause, Callable[[tuple[int, ...]], str]] = {
    "recency": _recency,
    "frequency": _frequency,
    "spend": _spend,
    "activity": _activity,
    "returns": _returns,
    "engagement": _engagement,
}
if without := [cause for cause in CAUSE_NAMES if cause not in _PHRASE_OF]:
    raise NotInContract(
        f"functions/churn_api/reasons.py has no phrase for {', '.join(without)}: write it in _PHRASE_OF."
    )
_PHRASES = [_PHRASE_OF[cause] for cause in CAUSE_NAMES]
