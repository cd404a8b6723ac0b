"""The reasons of a score, as phrases with the customer's own figures.

A model gives the contribution of each *cause* to the difference between a typical active customer's log-odds of churn
and this customer's. The contract assigns each feature to a cause."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from functions.churn_api.contract import CAUSE_NAMES, Cause, NotInContract, feature_position
from functions.predicted import REASONS

Texts = Sequence[str]
Figures = Sequence[int]

_DIRECTIONS = np.array(["lower risk: ", "higher risk: "], dtype=object)


def strongest_causes(contributions: NDArray[np.float64]) -> NDArray[np.intp]:
    """Positions in `CAUSE_NAMES` of each customer's strongest causes, the strongest first: shape [n, REASONS]."""
    return np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :REASONS]


def describe_reasons(
    features: NDArray[np.float64], contributions: NDArray[np.float64], causes: NDArray[np.intp]
) -> list[list[str]]:
    """A phrase for each of the given causes of each customer, such as "higher risk: one order so far".

    Shapes: features [n, number of features], contributions [n, number of causes], causes [n, REASONS]. Returns REASONS
    lists of n phrases, the strongest cause's first: a list per customer would keep the garbage collector busy."""
    # whole numbers are formatted several times faster than doubles
    figures = np.rint(np.nan_to_num(features[:, _SHOWN] * _SCALE, nan=-1)).astype(np.int64).T
    raises = (contributions > 0).astype(np.intp).T
    phrases = np.empty(causes.shape, dtype=object, order="F")
    for cause in set(causes.ravel().tolist()):
        customers, ranks = np.nonzero(causes == cause)
        directions = _DIRECTIONS[raises[cause][customers]].tolist()
        of_each = (figures[position][customers].tolist() for position in _FIGURES_OF[cause])
        phrases[customers, ranks] = _PHRASES[cause](directions, *of_each)
    chosen: list[list[str]] = phrases.T.tolist()
    return chosen


_LATELY, _IN_ALL, _EMAILS = 180, 365, 90  # days that phrases look back on

# Each makes the phrases of one cause, of all customers at once, from their directions and the cause's figures.


def _recency(directions: Texts, days: Figures, orders: Figures, gaps: Figures) -> list[str]:
    return [
        f"{direction}{'only' if times == 1 else 'last'} order"
        f" {f'{since} days ago' if since > 1 else '1 day ago' if since else 'today'}"
        f"{'' if gap < 0 else f'; usually every {gap} days' if gap > 1 else '; usually every day'}"
        for direction, since, times, gap in zip(directions, days, orders, gaps, strict=True)
    ]


def _frequency(directions: Texts, orders: Figures, tenures: Figures) -> list[str]:
    return [
        f"{direction}one order so far" if times == 1 else f"{direction}{times} orders in {days} days"
        for direction, times, days in zip(directions, orders, tenures, strict=True)
    ]


def _spend(directions: Texts, totals: Figures, each: Figures) -> list[str]:
    # the commas of large numbers take as long as all the rest
    return [
        f"{direction}spent {total if total < 1000 else f'{total:,}'} so far,"
        f" {order if order < 1000 else f'{order:,}'} an order"
        for direction, total, order in zip(directions, totals, each, strict=True)
    ]


def _activity(directions: Texts, lately: Figures, in_all: Figures) -> list[str]:
    return [
        f"{direction}{few} {'order' if few == 1 else 'orders'} in the last {_LATELY} days, {all_} in the last {_IN_ALL}"
        for direction, few, all_ in zip(directions, lately, in_all, strict=True)
    ]


def _returns(directions: Texts, thousandths: Figures) -> list[str]:
    return [
        direction + (f"{of / 1000:.0%} of what was bought was sent back" if of > 5 else "hardly anything sent back")
        for direction, of in zip(directions, thousandths, strict=True)
    ]


def _engagement(directions: Texts, opened: Figures, clicked: Figures, opted_out: Figures) -> list[str]:
    return [
        direction + _of_emails(times, clicks, stopped)
        for direction, times, clicks, stopped in zip(directions, opened, clicked, opted_out, strict=True)
    ]


def _of_emails(opened: int, clicked: int, opted_out: int) -> str:
    if opted_out == 1:
        return "wants no more e-mails"
    if opened < 0:
        return "nothing is known of e-mails"
    if opened == 0:
        return f"opened no e-mail in the last {_EMAILS} days"
    times = "1 time" if opened == 1 else f"{opened} times"
    return f"opened e-mails {times} in the last {_EMAILS} days, clicked {clicked}"


_PHRASE_OF: dict[Cause, tuple[Callable[..., list[str]], tuple[str, ...]]] = {
    "recency": (_recency, ("recency_days", "frequency", "median_gap_days")),
    "frequency": (_frequency, ("frequency", "tenure_days")),
    "spend": (_spend, ("monetary", "average_order_value")),
    "activity": (_activity, (f"purchases_last_{_LATELY}_days", f"purchases_last_{_IN_ALL}_days")),
    "returns": (_returns, ("returned_share",)),
    "engagement": (
        _engagement,
        (f"emails_opened_last_{_EMAILS}_days", f"emails_clicked_last_{_EMAILS}_days", "has_opted_out"),
    ),
}
if without := [cause for cause in CAUSE_NAMES if cause not in _PHRASE_OF]:
    raise NotInContract(
        f"functions/churn_api/reasons.py has no phrase for {', '.join(without)}: write it in _PHRASE_OF."
    )
_PHRASES = [_PHRASE_OF[cause][0] for cause in CAUSE_NAMES]
_NAMES = sorted({name for _, names in _PHRASE_OF.values() for name in names})
_FIGURES_OF = [[_NAMES.index(name) for name in _PHRASE_OF[cause][1]] for cause in CAUSE_NAMES]
_SHOWN = [feature_position(name) for name in _NAMES]
_SCALE = np.array([1000 if name == "returned_share" else 1 for name in _NAMES])
