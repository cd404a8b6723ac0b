"""Buy till you die: the process behind repeat purchases, fitted to how often and how lately customers bought.

BG/NBD (Fader, Hardie and Lee, Marketing Science 24, 2005) lets a customer leave after each repeat purchase;
MBG/NBD (Batislam, Denizel and Filiztekin, IJRM 24, 2007) after each purchase, the first one too. Both give
P(no purchase in the next days) in closed form. (1 - P(alive), often shown instead, calls every one-time buyer of a
BG/NBD alive and is not a churn probability.)
"""

from collections.abc import Sequence
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
# a chance of leaving below this is as good as none, and a difference of rounding errors
MIN_DROPOUT = 1e-6
DROPOUT_NODES = 16
DROPOUT_LOG_LIMIT = 40.0
# What is expected of a shop before its customers are looked at, as if it were known from LEFT + STAYED of them: in a
# young shop of slow customers silence can be slowness alone, and nobody would ever leave.
LEFT, STAYED = 2.0, 8.0
USUAL_CONCENTRATION, CONCENTRATION_LOG_SPREAD = 2.0, 1.0
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
        """The most probable process given the histories of customers at one date; features: [n, number of features]."""
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
            leaves = a / (a + b)
            unusual = (np.log((a + b) / USUAL_CONCENTRATION) / CONCENTRATION_LOG_SPREAD) ** 2 / 2
            expected = LEFT * np.log(leaves) + STAYED * np.log1p(-leaves) - unusual
            return float(-((customers * (purchases + either)).sum() + expected) / customers.sum())

        found = minimize(negative_log_likelihood, _START, method="L-BFGS-B", bounds=_BOUNDS)
        r, alpha, a, b = np.exp(found.x).tolist()
        return cls(r, alpha, a, b, may_leave_at_once)

    def log_odds_of_no_purchase(self, repeats: Floats, last: Floats, age: Floats, days: float) -> Floats:
        """Log-odds of buying nothing within `days`, of customers with these histories: see `history`."""
        log_p = np.clip(self._log_no_purchase(repeats, last, age, days), *LOG_P_RANGE)
        log_odds: Floats = log_p - np.log(1 - np.exp(log_p))
        return log_odds

    def days_until(
        self, chances: Floats, repeats: Floats, last: Floats, age: Floats, churn_probability: Floats, horizon_days: int
    ) -> Floats:
        """Days within which the next purchase comes with the given chances, [n, k]; NaN: not within two horizons.

        The process determines the shape of the waiting time (proportional hazards), the churn probability its level at
        the horizon."""
        hazard_ratio = self._hazard_ratio(repeats, last, age, churn_probability, horizon_days)
        no_purchase_yet = np.exp(np.log(1 - chances) / np.expand_dims(hazard_ratio, (1,)))
        gone = np.expand_dims(np.exp(self._log_gone_to_stayed(repeats, last, age)), (1,))
        left_over = no_purchase_yet * (1 + gone) - gone
        log_growth = -np.log(np.maximum(left_over, 1e-300)) / np.expand_dims(self.r + repeats, (1,))
        known = np.expand_dims(self.alpha + age, (1,))
        days = known * (np.exp(np.minimum(log_growth, LOG_GROWTH_LIMIT)) - 1)
        return np.where((left_over > 0) & (days <= 2 * horizon_days), days, np.nan)

    def share_of_purchases_by(
        self, days: Floats, repeats: Floats, last: Floats, age: Floats, churn_probability: Floats, horizon_days: int
    ) -> Floats:
        """Share of the next purchases of the horizon that come within `days` of it, [n]: see `days_until`."""
        hazard_ratio = self._hazard_ratio(repeats, last, age, churn_probability, horizon_days)
        none_by_then = np.exp(hazard_ratio * self._log_no_purchase(repeats, last, age, days))
        share: Floats = (1 - none_by_then) / np.maximum(1 - churn_probability, 1e-9)
        return share

    def _hazard_ratio(
        self, repeats: Floats, last: Floats, age: Floats, churn_probability: Floats, horizon_days: int
    ) -> Floats:
        log_p = np.clip(self._log_no_purchase(repeats, last, age, horizon_days), *LOG_P_RANGE)
        ratio: Floats = np.log(np.clip(churn_probability, 1e-9, 1 - 1e-9)) / log_p
        return ratio

    def gone_probability(self, repeats: Floats, last: Floats, age: Floats) -> Floats:
        """P(has left), [n], of customers with these histories: see `history`."""
        odds = np.exp(self._log_gone_to_stayed(repeats, last, age))
        gone: Floats = odds / (1 + odds)  # not expit, which ONNX Runtime rounds to 14 decimals
        return gone

    def alive_after_purchase(self, repeats: Floats) -> Floats:
        """P(has not left) on the day of the last purchase, [n]."""
        return (self.b + repeats) / (self.a + self.b + repeats)

    def purchase_rate(self, repeats: Floats, age: Floats) -> Floats:
        """Expected purchases per day, [n], of customers who are still there and never leave."""
        return (self.r + repeats) / (self.alpha + age)

    def purchases_ahead(self, repeats: Floats, age: Floats, cases: Sequence[tuple[int, float]]) -> Floats:
        """Expected purchases of customers who are still there and may leave after each, [n, cases].

        A case is (further purchases today, days ahead). E[(1 - (1 + p·days/(alpha + age))^-(r + purchases)) / p] over
        the chance p of leaving ~ Beta(a, b + purchases), by a quadrature over y, p = y / (b + purchases + y), which has
        its nodes where that distribution is."""
        further, days = (np.array(values, dtype=np.float64)[:, None] for values in zip(*cases, strict=True))
        nodes, weights = _dropout_nodes(self.a)
        bought, known = np.expand_dims(repeats, (1, 2)) + further, np.expand_dims(age, (1, 2)) + self.alpha
        stayed = bought + (self.b + 1)
        weight = weights * np.exp(-(stayed + self.a) * np.log(1 + nodes / stayed))
        dropout = np.maximum(nodes / (stayed + nodes), MIN_DROPOUT)
        # not log1p, which the graph does not have: both must round alike
        none_by_then = np.exp(-(bought + self.r) * np.log(1 + dropout * (days / known)))
        expected: Floats = (weight * (1 - none_by_then) / dropout).sum(axis=2) / weight.sum(axis=2)
        return expected

    def _log_no_purchase(self, repeats: Floats, last: Floats, age: Floats, days: float | Floats) -> Floats:
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


def _dropout_nodes(a: float) -> tuple[Floats, Floats]:
    """Nodes y and weights of ∫ y^(a-1) f(y) dy from 0 to ∞, up to a factor, for an f that falls from y = a on.

    y = max(1, a) · (u / (1 - u))^(1/k): with k = a there is no singularity at 0, and for a large a the nodes are as
    close together as the standard deviation √a asks for."""
    nodes, weights = np.polynomial.legendre.leggauss(DROPOUT_NODES)
    u = (nodes + 1) / 2
    spread = np.log(u / (1 - u)) / min(a, 1.5 * np.sqrt(a))
    log_y = np.log(max(1.0, a)) + np.clip(spread, -DROPOUT_LOG_LIMIT, DROPOUT_LOG_LIMIT)
    return np.exp(log_y), weights / (u * (1 - u)) * np.exp(a * (log_y - np.log(max(1.0, a))))


def history(features: Floats) -> tuple[Floats, Floats, Floats]:
    """The process's input for each customer: repeat purchases, days from the first to the last, days from the first."""
    repeats = np.maximum(column(features, "frequency") - 1, 0)
    recency = np.maximum(column(features, "recency_days"), 0)
    age = np.maximum(column(features, "tenure_days"), recency)
    return repeats, np.where(repeats > 0, age - recency, 0.0), age
