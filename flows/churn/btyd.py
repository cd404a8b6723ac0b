"""Buy till you die: the process behind repeat purchases, fitted to how often and how lately customers bought.

BG/NBD (Fader, Hardie and Lee, Marketing Science 24, 2005) lets a customer leave after each repeat purchase;
MBG/NBD (Batislam, Denizel and Filiztekin, IJRM 24, 2007) after each purchase, the first one too. Both give
P(no purchase in the next days) in closed form. (1 - P(alive), often shown instead, calls every one-time buyer of a
BG/NBD alive and is not a churn probability.)
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

from flows.churn.training_set import column

Floats = NDArray[np.float64]

# log P is kept this far from 0 and from -∞, so that its log-odds are finite and stable in double precision
LOG_P_RANGE = (-20.0, -1e-6)
# the odds of having left are at most 8,000 to 1: beyond that the waiting time below would be a difference of rounding
# errors
LOG_GONE_LIMIT = 9.0
LOG_GROWTH_LIMIT = 30.0
_START = np.log([0.6, 60.0, 0.5, 3.0])
_BOUNDS = [(-6.0, 8.0)] * 4


@dataclass(frozen=True)
class BuyTillYouDie:
    """Purchase rates ~ Gamma(r, 1/alpha days), chance of leaving after a purchase ~ Beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float
    may_leave_at_once: bool = True  # MBG/NBD; False: BG/NBD

    @classmethod
    def fit(cls, features: Floats, *, may_leave_at_once: bool = True) -> Self:
        """Maximum likelihood fit to the histories of customers at one date; features: [n, number of features]."""
        histories, customers = np.unique(np.column_stack(history(features)), axis=0, return_counts=True)
        repeats, last, age = histories.T
        first_counts = 1 if may_leave_at_once else 0
        left = (repeats > 0) | may_leave_at_once

        def negative_log_likelihood(log_parameters: Floats) -> float:
            r, alpha, a, b = np.exp(log_parameters)
            purchases = gammaln(r + repeats) - gammaln(r) + r * np.log(alpha)
            stayed = betaln(a, b + repeats + first_counts) - (r + repeats) * np.log(alpha + age)
            has_left = betaln(a + 1, b + np.maximum(repeats - 1 + first_counts, 0)) - (r + repeats) * np.log(
                alpha + last
            )
            either = np.logaddexp(stayed, np.where(left, has_left, -np.inf)) - betaln(a, b)
            return float(-(customers * (purchases + either)).sum() / customers.sum())

        found = minimize(negative_log_likelihood, _START, method="L-BFGS-B", bounds=_BOUNDS)
        r, alpha, a, b = np.exp(found.x).tolist()
        return cls(r, alpha, a, b, may_leave_at_once)

    def log_odds_of_no_purchase(self, repeats: Floats, last: Floats, age: Floats, days: float) -> Floats:
        """Log-odds of buying nothing within `days`, of customers with these histories: see `history`."""
        log_p = np.clip(self._log_no_purchase(repeats, last, age, days), *LOG_P_RANGE)
        log_odds: Floats = log_p - np.log(1 - np.exp(log_p))
        return log_odds

    def days_until(
        self, chance: float, repeats: Floats, last: Floats, age: Floats, churn_probability: Floats, horizon_days: int
    ) -> Floats:
        """Days within which the next purchase comes with the given chance; NaN: not within two horizons.

        The process determines the shape of the waiting time (proportional hazards), the churn probability its level at
        the horizon."""
        log_p = np.clip(self._log_no_purchase(repeats, last, age, horizon_days), *LOG_P_RANGE)
        hazard_ratio = np.log(np.clip(churn_probability, 1e-9, 1 - 1e-9)) / log_p
        no_purchase_yet = np.exp(np.log(1 - chance) / hazard_ratio)
        gone = np.exp(self._log_gone_to_stayed(repeats, last, age))
        left_over = no_purchase_yet * (1 + gone) - gone
        log_growth = -np.log(np.maximum(left_over, 1e-300)) / (self.r + repeats)
        days = (self.alpha + age) * (np.exp(np.minimum(log_growth, LOG_GROWTH_LIMIT)) - 1)
        return np.where((left_over > 0) & (days <= 2 * horizon_days), days, np.nan)

    def _log_no_purchase(self, repeats: Floats, last: Floats, age: Floats, days: float) -> Floats:
        """log of L(history without a purchase for `days` more) / L(history)."""
        gone = self._log_gone_to_stayed(repeats, last, age)
        silent = -(self.r + repeats) * np.log(1 + days / (self.alpha + age))
        log_p: Floats = np.logaddexp(silent, gone) - np.logaddexp(0.0, gone)
        return log_p

    def _log_gone_to_stayed(self, repeats: Floats, last: Floats, age: Floats) -> Floats:
        """log of L(left after the last purchase) / L(did not leave)."""
        chances = self.b + repeats if self.may_leave_at_once else self.b + np.maximum(repeats - 1, 0)
        growth = np.log(self.alpha + age) - np.log(self.alpha + last)
        ratio = np.minimum(np.log(self.a / chances) + (self.r + repeats) * growth, LOG_GONE_LIMIT)
        return ratio if self.may_leave_at_once else np.where(repeats > 0, ratio, -np.inf)


def history(features: Floats) -> tuple[Floats, Floats, Floats]:
    """The process's input for each customer: repeat purchases, days from the first to the last, days from the first."""
    repeats = np.maximum(column(features, "frequency") - 1, 0)
    recency = np.maximum(column(features, "recency_days"), 0)
    age = np.maximum(column(features, "tenure_days"), recency)
    return repeats, np.where(repeats > 0, age - recency, 0.0), age
