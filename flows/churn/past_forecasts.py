"""What past forecasts of totals were off by, and how far the next one is corrected by it.

A model's level is fitted to its past dates. What forecasts were still off by, each as stated at the time, is what that
procedure misses in this shop: say, that it always lags behind a trend."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy.stats import norm

from flows.churn.forecast import COVERAGE, USUAL_SPREAD

# A bias fades as the shop and the model change: the forecasts of a year, one every four weeks.
MAX_FORECASTS = 13
# Forecasts are expected to be right on average, give or take half of what single ones are usually off by.
USUAL_BIAS = USUAL_SPREAD / 2
# The weight, in forecasts, of the usual spread next to that of a shop's own.
USUAL_SPREAD_COUNTS = 3
MIN_CORRECTION = 0.005
_REACH = float(norm.ppf((1 + COVERAGE) / 2))


@dataclass(frozen=True)
class PastForecast:
    """`uncorrected`: the total as the model had it; `came`: what came. Both in the same currency."""

    stated_on: date
    due_on: date
    uncorrected: float
    came: float


@dataclass(frozen=True)
class Correction:
    """`factor`: what the next total is multiplied by. `log_error`: standard error of its logarithm. `forecasts`: how
    many say so; `too_high`: by how much they were too high on average, as a share of what came; negative: too low."""

    factor: float = 1.0
    log_error: float = 0.0
    forecasts: int = 0
    too_high: float = 0.0

    def of_range(self, low: float, high: float) -> tuple[float, float]:
        """The ends of the corrected total's interval: wider by what is not known of the correction."""
        if not self.log_error or not 0 < low < high:
            return low * self.factor, high * self.factor
        own = np.log(high / low) / 2
        middle, reach = np.sqrt(low * high) * self.factor, np.hypot(own, _REACH * self.log_error)
        return float(middle * np.exp(-reach)), float(middle * np.exp(reach))


NO_CORRECTION = Correction()


def correction(past: Sequence[PastForecast]) -> Correction:
    """By the newest MAX_FORECASTS; past: the newest first.

    The mean of log(came / uncorrected), shrunk towards 0 by its noise: single forecasts are off by chance too, by as
    much as these differ and usual ones do, and those whose days overlap share it. They count as many as fit in one
    after the other."""
    known = [of for of in past[:MAX_FORECASTS] if of.uncorrected > 0 and of.came > 0]
    if not known:
        return NO_CORRECTION
    ratios = np.log([of.came / of.uncorrected for of in known])
    independent = _independent(known)
    variance = ((independent - 1) * ratios.var() + USUAL_SPREAD_COUNTS * USUAL_SPREAD**2) / (
        independent - 1 + USUAL_SPREAD_COUNTS
    )
    of_mean = variance / independent
    kept = USUAL_BIAS**2 / (USUAL_BIAS**2 + of_mean)
    factor = float(np.exp(kept * ratios.mean()))
    if abs(factor - 1) < MIN_CORRECTION:
        return NO_CORRECTION
    too_high = float(np.exp(-ratios.mean())) - 1
    return Correction(factor, float(np.sqrt(kept * of_mean)), len(known), too_high)


def _independent(known: Sequence[PastForecast]) -> float:
    days = [(of.due_on - of.stated_on).days for of in known]
    stated = [of.stated_on for of in known]
    apart = (max(stated) - min(stated)).days
    return min(float(len(known)), 1 + apart / max(float(np.mean(days)), 1.0))


@dataclass(frozen=True)
class Corrections:
    """`spend`: of the expected spend of all customers in the horizon; `clv`: of that in clv_days."""

    spend: Correction = NO_CORRECTION
    clv: Correction = NO_CORRECTION

    def expected_loss(self, clv: float, expected_loss: float) -> float:
        """The expected loss of all: what they would spend if they stayed, less the corrected clv."""
        return max(clv + expected_loss - clv * self.clv.factor, 0.0)


UNCORRECTED = Corrections()
