"""How regular a shop's customers buy: the gaps between their purchases, as far as a Poisson process's are not it.

Gaps of one customer are Gamma distributed around the customer's own mean, with a shape that the shop's customers share
(Platzer and Reutterer, Marketing Science 35, 2016, with a shape of each customer's own): 1 is a Poisson process. Where
gaps are more regular, the same silence says more, and a process that does not know it takes leavers for the slow."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betainc

from flows.churn.training_set import column

Floats = NDArray[np.float64]

SHAPES = (0.75, 3.0)
# a Poisson process, as if it were known from so many gaps
USUAL_GAPS = 100.0
# multiples of bought · share and of the share in the logarithms of `_logs`: those with which so few are about as right,
# over shapes from .8 to 2.7, as twice as many that are spread evenly
TIMES = (1.0, 26.0)
TIMES_OF_SHARE = (1.6,)
MIN_CHANCE = 1e-7
_OF_BOTH = (*TIMES, *[0.0] * len(TIMES_OF_SHARE))
_OF_SHARE = (*[0.0] * len(TIMES), *TIMES_OF_SHARE)


def shape_of_gaps(features: Floats) -> float:
    """The shape with which the gaps of customers vary around their means as they do.

    Of n gaps of shape k that add up to what they do, the squared coefficient of variation is (n - 1) / (n k + 1) in the
    mean."""
    gaps, variation = column(features, "frequency") - 1, column(features, "gap_variation")
    known = (gaps >= 2) & ~np.isnan(variation)
    gaps, squared = gaps[known], variation[known] ** 2
    if not len(gaps):
        return 1.0

    def excess(shape: float) -> float:
        found = (gaps * squared).sum() + USUAL_GAPS / 2
        return float(found - (gaps * (gaps - 1) / (gaps * shape + 1)).sum() - USUAL_GAPS / (1 + shape))

    low, high = SHAPES
    if excess(low) >= 0:
        return low
    return high if excess(high) <= 0 else float(brentq(excess, low, high))


@dataclass(frozen=True)
class Gaps:
    """Of customers whose paces are Gamma(bought, 1/known), `known` as of their last purchase. Arguments have as
    many axes, [n] or [n, k], and broadcast.

    The chance that a gap is longer than some days is an incomplete beta function, which the graph of a model does not
    have: its logarithm, less that of a Poisson process, is fitted once for the shape by a sum of logarithms."""

    shape: float = 1.0

    def silent(self, bought: Floats, known: Floats, days: Floats) -> Floats:
        """log P(no purchase for so many days after one), of customers who stay. Where that chance is above .001, and
        for `bought` from .13 on, right within .015, and within .045 for shapes below .85."""
        rest, share = self._shares(known, days)
        log_p = bought * np.log(rest)
        return log_p if self.shape == 1 else log_p + self._irregular(bought, share)

    def known_by_now(self, bought: Floats, known: Floats, days: Floats) -> Floats:
        """`bought` divided by the mean pace of those who stay and have bought nothing for so many days since."""
        rest, share = self._shares(known, days)
        if self.shape == 1:
            return known / rest
        return known / rest * np.exp(self._irregular(bought, share) - self._irregular(bought + 1, share))

    def slopes_of_silent(self, bought: Floats, known: Floats, days: Floats) -> tuple[Floats, Floats]:
        """Of `silent`, over bought and over known."""
        rest, share = self._shares(known, days)
        of_bought, of_share = np.log(rest), -bought / rest
        if self.shape != 1:
            for weight, times in zip(self._weights, TIMES, strict=False):
                of_bought = of_bought + weight * times * share / (1 + times * bought * share)
                of_share = of_share + weight * times * bought / (1 + times * bought * share)
            for weight, times in zip(self._weights[len(TIMES) :], TIMES_OF_SHARE, strict=False):
                of_share = of_share + weight * times / (1 + times * share)
            pairs, weight = bought * (bought + 1) / 2, self._weights[-1]
            third = 1 + bought * share + pairs * share**2
            of_bought = of_bought + weight * (share + (bought + 0.5) * share**2) / third
            of_share = of_share + weight * (bought + 2 * pairs * share) / third
        return of_bought, -of_share * share * rest / known

    def _irregular(self, bought: Floats, share: Floats) -> Floats:
        of_both, third = _logs(bought, share)
        *weights, of_third = self._weights
        in_all: Floats = (of_both * _along_axis_1(weights, of_both)).sum(axis=1) + of_third * third
        return in_all

    @cached_property
    def _weights(self) -> list[float]:
        return _weights_of(self.shape)

    def _shares(self, known: Floats, days: Floats) -> tuple[Floats, Floats]:
        """Known and silent of both: 1 and 0 on the day of the last purchase, towards 0 and 1 after a long silence."""
        silent = self.shape * np.maximum(days, 0.0)
        return known / (known + silent), silent / (known + silent)


def _logs(bought: Floats, share: Floats) -> tuple[Floats, Floats]:
    """The logarithms that are summed up: three along axis 1, and a last one. 1 + bought · share is exact for the shape
    2, and the last one for 3."""
    share_of_each, factors = np.expand_dims(share, (1,)), np.expand_dims(bought, (1,))
    factors = factors * _along_axis_1(_OF_BOTH, factors) + _along_axis_1(_OF_SHARE, factors)
    pairs = bought * (bought + 1) / 2
    return np.log(1 + factors * share_of_each), np.log(1 + (bought + pairs * share) * share)


def _along_axis_1(values: Sequence[float], other: Floats) -> Floats:
    """[k] in the shape in which it is combined with [n, k, …]."""
    return np.reshape(values, (-1, *[1] * (other.ndim - 2)))


@cache
def _weights_of(shape: float) -> list[float]:
    """By least squares over paces of all kinds and silences of up to hundreds of usual gaps."""
    bought, usual_gaps = (np.exp(grid).ravel() for grid in np.meshgrid(np.linspace(-2, 6, 25), np.linspace(-7, 6, 60)))
    share = usual_gaps / (bought + usual_gaps)
    chance = betainc(bought, shape, 1 - share)
    usable = chance > MIN_CHANCE
    bought, share, chance = bought[usable], share[usable], chance[usable]
    importance = np.sqrt(chance)
    wanted = np.log(chance) - bought * np.log(1 - share)
    matrix = np.column_stack(_logs(bought, share))
    found: list[float] = np.linalg.lstsq(matrix * importance[:, None], wanted * importance, rcond=None)[0].tolist()
    return found
