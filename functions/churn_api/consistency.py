"""Figures of a customer that cannot be together, whatever was bought: a model would answer them with confidence."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from functions.churn_api.contract import feature_parts, feature_position


def _nested(pattern: str, whole: str) -> list[tuple[str, str]]:
    """Figures of windows, each with the next longer one, and the longest with the figure of all time."""
    days = sorted(int(part) for part in feature_parts(pattern))
    names = [*(pattern.format(n) for n in days), whole]
    return list(pairwise(names))


# the first is never larger than the second
_ORDERED = [
    ("recency_days", "tenure_days"),
    *_nested("purchases_last_{}_days", "frequency"),
    *_nested("spend_last_{}_days", "monetary"),
]
_SMALLER = np.array([feature_position(smaller) for smaller, _ in _ORDERED])
_LARGER = np.array([feature_position(larger) for _, larger in _ORDERED])
_MONEY, _TIMES, _EACH = map(feature_position, ("monetary", "frequency", "average_order_value"))
_ROUNDING = 0.01  # figures may have been rounded to cents


_PAIRS = list(zip(_SMALLER.tolist(), _LARGER.tolist(), strict=True))


def contradicts_itself(row: Sequence[Any]) -> bool:
    """Whether the figures of one customer, none of the required ones missing, cannot be together: as `contradictions`
    finds it, several times faster for one row."""
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
    if not (wrong.any() or is_other_money.any()):
        return {}
    why = "it is not frequency × average_order_value"
    found = {int(row): ("monetary", why) for row in np.flatnonzero(is_other_money)}
    for row in np.flatnonzero(wrong.any(axis=1)):
        smaller, greater = _ORDERED[int(wrong[row].argmax())]
        found[int(row)] = smaller, f"it is larger than {greater}, which cannot be"
    return found
