"""When within the horizon the next purchase comes, of those who buy: what past held-out dates say of the process.

The process of btyd.py forgets when somebody last bought. Real customers do not: after a purchase they wait, and when
their usual gap has passed they are due. Of those who bought in the horizon, the share that had by some day, as the
process has it, is therefore given the distribution of Kumaraswamy (Journal of Hydrology 46, 1980), 1 - (1 - share^a)^b,
whose inverse is in closed form too. Its power b is the haste of those who come: a season has its own, because a horizon
that begins before the busy weeks fills late, and one that begins in them early."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.optimize import minimize

from flows.churn.btyd import Floats
from flows.churn.training_set import column

TERMS = 4  # of log a and of log b: a constant and the three of _causes
# standard deviation of what is expected of the coefficients: with few purchases they stay near 0, the process's own
USUAL_COEFFICIENT = 0.3
COEFFICIENT_LIMIT = 2.0
# shares this close to 0 or 1 are as good as those: beyond, a power of them would be one of rounding errors
MIN_SHARE = 1e-6
# standard deviation of what is expected of the log haste of a season: with few purchases there is none
USUAL_HASTE = 0.2
LOG_GAP_LIMITS = (-2.0, 1.0)


@dataclass(frozen=True)
class WaitingTime:
    """Coefficients of log a and log b, [TERMS] each; zeros: the process's own waiting time."""

    log_a: tuple[float, ...] = (0.0,) * TERMS
    log_b: tuple[float, ...] = (0.0,) * TERMS

    @classmethod
    def fit(cls, features: Floats, share: Floats, log_haste: Floats, horizon_days: int) -> Self:
        """Maximum likelihood, for customers who bought in the horizon: the share of such purchases that the process
        expects by the day of theirs, and the log haste of their season, [n] each."""
        if not len(share):
            return cls()
        causes = np.column_stack([np.ones(len(share)), *_causes(features, horizon_days)])
        log_share = np.log(np.clip(share, MIN_SHARE, 1 - MIN_SHARE))

        def loss(coefficients: Floats) -> tuple[float, Floats]:
            log_a, log_b = coefficients[:TERMS], coefficients[TERMS:]
            a, b = np.exp(causes @ log_a), np.exp(causes @ log_b + log_haste)
            power = np.minimum(np.exp(a * log_share), 1 - MIN_SHARE)
            log_rest = np.log(1 - power)
            likelihood = np.log(a) + np.log(b) + (a - 1) * log_share + (b - 1) * log_rest
            of_log_a = 1 + a * log_share * (1 - (b - 1) * power / (1 - power))
            slope = np.concatenate([causes.T @ of_log_a, causes.T @ (1 + b * log_rest)])
            unusual = coefficients / USUAL_COEFFICIENT**2
            total = likelihood.sum() - (coefficients @ unusual) / 2
            return -total / len(share), (unusual - slope) / len(share)

        limits = [(-COEFFICIENT_LIMIT, COEFFICIENT_LIMIT)] * (2 * TERMS)
        found = minimize(loss, np.zeros(2 * TERMS), jac=True, method="L-BFGS-B", bounds=limits).x.tolist()
        return cls(tuple(found[:TERMS]), tuple(found[TERMS:]))

    def chances_of_process(
        self, chances: Floats, features: Floats, purchase: Floats, log_haste: float | Floats, horizon_days: int
    ) -> Floats:
        """By the day on which the process has these chances, [n, k], the next purchase has come with `chances`, [n, k].

        `purchase`: P(purchase in the horizon), [n]: a chance beyond that is the process's, its day is in no horizon.
        `log_haste`: of the season, one number or [n]."""
        causes = _causes(features, horizon_days)
        within = np.expand_dims(purchase, (1,))
        to_come = np.maximum(1 - chances / within, MIN_SHARE)
        power = 1 - np.exp(np.log(to_come) * _inverse(self.log_b, causes, log_haste))
        share = np.exp(np.log(np.maximum(power, MIN_SHARE)) * _inverse(self.log_a, causes))
        found: Floats = np.where(within > chances, within * share, chances)
        return found


def haste_of_season(share: Floats, usual: Floats) -> float:
    """By how much log b of a season is above that of a whole year, given the shares of purchases that the process
    expects by the day of theirs, [n] and [m]; as far as chance does not explain it.

    From mean shares, which are 1 / (1 + b) for a = 1: a likelihood would look at the last days of the horizon most."""
    if not (len(share) and len(usual)):
        return 0.0
    season, year = (np.log(1 / np.clip(of.mean(), MIN_SHARE, 1 - MIN_SHARE) - 1) for of in (share, usual))
    chance = 4 / (3 * len(share))  # the variance of the logarithm for shares that are uniform
    return float((season - year) * USUAL_HASTE**2 / (USUAL_HASTE**2 + chance))


def _causes(features: Floats, horizon_days: int) -> tuple[Floats, Floats, Floats]:
    """What the waiting time depends on, [n] each: the silence in usual gaps, up to one and up to two of them, and how
    long such a gap is."""
    silence = column(features, "recency_to_shrunk_gap")
    gap = np.log(np.maximum(column(features, "shrunk_gap_days"), 1.0) / horizon_days)
    return np.minimum(silence, 1.0), np.minimum(silence, 2.0), np.clip(gap, *LOG_GAP_LIMITS)


def _inverse(log_power: tuple[float, ...], causes: tuple[Floats, ...], more: float | Floats = 0.0) -> Floats:
    """1 / a, or 1 / b, whose logarithm has `more` added to it, [n, 1]."""
    constant, *slopes = log_power
    exponent = sum((slope * cause for slope, cause in zip(slopes, causes, strict=True)), constant + more)
    return np.expand_dims(np.exp(-exponent), (1,))
