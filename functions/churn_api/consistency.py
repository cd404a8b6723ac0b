"""Figures of a customer that cannot be together, whatever was bought: a model would answer them with confidence."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from functions.churn_api.contract import FEATURE_NAMES, feature_parts, feature_position


def _nested(pattern: str, whole: str) -> list[tuple[str, str]]:
    """Figures of windows, each with the next longer one, and the longest with the figure of all time."""
    days = sorted(int(part) for part in feature_parts(pattern))
    names = [*(pattern.format(n) for n in days), whole]
    return list(pairwise(names))


_PURCHASES, _SPEND = "purchases_last_{}_days", "spend_last_{}_days"
_SINCE = [f"days_since_{ordinal}_last_purchase" for ordinal in feature_parts("days_since_{}_last_purchase")]
# the first is never larger than the second
_ORDERED = [
    ("recency_days", "tenure_days"),
    *pairwise(["recency_days", *_SINCE, "tenure_days"]),
    *((since, "tenure_days") for since in _SINCE[:-1]),  # the later ones may be missing
    *((gap, "max_gap_days") for gap in ("mean_gap_days", "median_gap_days")),
    ("max_gap_days", "tenure_days"),
    *_nested(_PURCHASES, "frequency"),
    *_nested(_SPEND, "monetary"),
    *_nested("decayed_purchases_{}_days", "frequency"),
]
_SMALLER = np.array([feature_position(smaller) for smaller, _ in _ORDERED])
_LARGER = np.array([feature_position(larger) for _, larger in _ORDERED])
_MONEY, _TIMES, _EACH = map(feature_position, ("monetary", "frequency", "average_order_value"))
_ROUNDING = 0.01  # figures may have been rounded to cents


_PAIRS = list(zip(_SMALLER.tolist(), _LARGER.tolist(), strict=True))
_RECENCY = feature_position("recency_days")
# figures of a window, with its days: there are some exactly where the last purchase is in it
_WINDOWS = [
    (feature_position(pattern.format(days)), int(days))
    for pattern in (_PURCHASES, _SPEND)
    for days in feature_parts(pattern)
]
_OF_WINDOW, _DAYS = np.array(_WINDOWS).T


def contradicts_itself(row: Sequence[float]) -> bool:
    """Whether the figures of one customer, NaN where missing, cannot be together: as `contradictions` finds it, several
    times faster for one row."""
    recency = row[_RECENCY]
    for figure, days in _WINDOWS:
        if (row[figure] > 0) != (recency < days):
            return True
    for smaller, larger in _PAIRS:
        most = row[larger]
        if row[smaller] > most + (_ROUNDING + 1e-6 * most):
            return True
    money, times = row[_MONEY], row[_TIMES]
    return bool(abs(money - times * row[_EACH]) > _ROUNDING * (1 + times) + 1e-3 * money)


def contradictions(features: NDArray[np.float64]) -> dict[int, tuple[str, str]]:
    """By row of [n, number of features]: the first figure that cannot be, and why. Missing ones never are."""
    larger = features[:, _LARGER]
    wrong = features[:, _SMALLER] > larger + (_ROUNDING + 1e-6 * larger)
    money, times = features[:, _MONEY], features[:, _TIMES]
    is_other_money = abs(money - times * features[:, _EACH]) > _ROUNDING * (1 + times) + 1e-3 * money
    outside = (features[:, _OF_WINDOW] > 0) != (features[:, [_RECENCY]] < _DAYS)
    if not (wrong.any() or is_other_money.any() or outside.any()):
        return {}
    why = "it is not frequency × average_order_value"
    found = {int(row): ("monetary", why) for row in np.flatnonzero(is_other_money)}
    for row in np.flatnonzero(outside.any(axis=1)):
        figure = int(outside[row].argmax())
        is_some = features[row, _OF_WINDOW[figure]] > 0
        where = "before" if is_some else "in"
        found[int(row)] = FEATURE_NAMES[_OF_WINDOW[figure]], f"the last purchase, by recency_days, is {where} its days"
    for row in np.flatnonzero(wrong.any(axis=1)):
        smaller, greater = _ORDERED[int(wrong[row].argmax())]
        found[int(row)] = smaller, f"it is larger than {greater}, which cannot be"
    return found
