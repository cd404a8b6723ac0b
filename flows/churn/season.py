"""The season: how base rate and spend of the horizon differ by the day of the year after which it begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from flows.churn.btyd import Floats
from functions.churn_api.scorer import DAYS_OF_YEAR

Anchors = Mapping[int, tuple[float, float]]


@dataclass(frozen=True)
class Season:
    """For each day of the year as as-of date, [1 + DAYS_OF_YEAR], the first entry unused: what is added to all log-odds
    of churn, and to the logarithm of expected spend, compared with the year's mean. All zero: no season is known."""

    log_odds: Floats
    log_spend: Floats

    @classmethod
    def unknown(cls) -> Self:
        return cls(np.zeros(1 + DAYS_OF_YEAR), np.zeros(1 + DAYS_OF_YEAR))

    @classmethod
    def between(cls, anchors: Anchors) -> Self:
        """From days of the year with their shift of log-odds and of log spend; straight lines in between, and from the
        last day of the year to the first."""
        days = np.arange(1 + DAYS_OF_YEAR)
        shifts = np.array(list(anchors.values()))
        log_odds, log_spend = (np.interp(days, list(anchors), column, period=DAYS_OF_YEAR) for column in shifts.T)
        return cls(log_odds, log_spend)
