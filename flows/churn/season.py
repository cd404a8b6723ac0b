"""The season: how base rate, spend and haste of the horizon differ by the day of the year after which it begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from flows.churn.btyd import Floats
from functions.churn_api.scorer import DAYS_OF_YEAR

Anchors = Mapping[int, tuple[float, float, float]]


@dataclass(frozen=True)
class Season:
    """For each day of the year as as-of date, [1 + DAYS_OF_YEAR], the first entry unused: what is added to all log-odds
    of churn, to the logarithm of expected spend, and to that of how early in the horizon customers come (see
    waiting_time.haste_of_season), compared with the year's mean. All zero: no season is known."""

    log_odds: Floats
    log_spend: Floats
    log_haste: Floats

    @classmethod
    def unknown(cls) -> Self:
        return cls(*np.zeros((3, 1 + DAYS_OF_YEAR)))

    @classmethod
    def between(cls, anchors: Anchors) -> Self:
        """From days of the year with their shifts of log-odds, log spend and log haste; straight lines in between, and
        from the last day of the year to the first."""
        days = np.arange(1 + DAYS_OF_YEAR)
        shifts = np.array(list(anchors.values()))
        return cls(*(np.interp(days, list(anchors), column, period=DAYS_OF_YEAR) for column in shifts.T))
