"""Does a ranking beat chance? A randomisation test: the arms of past campaigns are drawn again many times.

If contacting changed nothing, every draw of the arms was as likely as the one that happened, so the test is exact,
although folds depend on each other: in every draw each fold is ranked by a fit to the others. That fit is a plain form
of the uplift model's (simple rankings and a ridge, of purchases and of spend), so that hundreds of draws take a
second."""

import numpy as np
from numpy.typing import NDArray

from flows.campaigns.covariates import Columns, Floats, Ints
from flows.campaigns.out_of_fold import rank_weights
from flows.campaigns.past_targets import PastTargets
from flows.campaigns.response_fit import FOLDS, Responses, basket_of
from flows.campaigns.stepwise import ridge_residuals, ridge_slopes, stepwise

DRAWS = 299
LEVEL = 0.05
_STEPS = 12
_EFFECT_SPREAD = 0.015  # prior standard deviation of the slope of an effect, in usual baskets
_PARTITIONS = 2  # the statistic is a mean over so many divisions into folds
_VALUES_AT_ONCE = 2_000_000


def randomisation_p(past: PastTargets, rng: np.random.Generator) -> float:
    """The share of draws in which ranking would have gained as much or more over chance as with the arms as they were:
    without any effect it is at most LEVEL in LEVEL of the histories."""
    matrix = Columns.of(past.known).matrix(past.known)
    responses, once = Responses.of(past), np.ones(len(matrix))
    basket = basket_of(past.known, responses.usual_order)
    residuals = [ridge_residuals(matrix, outcome, once) for outcome in (responses.orders, responses.spend)]
    inverse = 1 / (past.share * (1 - past.share))  # the mean square of the weights of an arm, however it is drawn
    penalties = [float(np.mean(residual**2 * inverse)) / _EFFECT_SPREAD**2 for residual in residuals]
    partitions = [rng.permutation(int(past.customer.max()) + 1)[past.customer] % FOLDS for _ in range(_PARTITIONS)]

    def gains(treated: NDArray[np.bool_]) -> Floats:
        """By purchases and by spend, what the best gain and how predictions go with effects, [4, draws]."""
        share = past.share[:, None]
        sign = np.where(treated, 1 / share, -1 / (1 - share))
        every = zip((sign * residual[:, None] for residual in residuals), penalties, strict=True)
        return np.concatenate(
            [
                np.mean([_gains(matrix, basket, effect, penalty, fold) for fold in partitions], axis=0)
                for effect, penalty in every
            ]
        )

    observed = gains(past.treated[:, None])
    at_once = max(1, min(DRAWS, _VALUES_AT_ONCE // len(basket)))
    drawn = [gains(_redrawn(past, min(at_once, DRAWS - done), rng)) for done in range(0, DRAWS, at_once)]
    every = np.concatenate([observed, *drawn], axis=1)
    spread = every.std(axis=1, keepdims=True)
    gain = ((every - every.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)).sum(axis=0)
    return float((gain >= gain[0] - 1e-12).mean())


def _gains(matrix: Floats, basket: Floats, effect: Floats, penalty: float, fold: Ints) -> Floats:
    """Out of fold, for each of k draws: the gain over chance of contacting the best of the ranking, and the covariance
    of effects with predictions of unit spread, which sees the whole ranking, [2, k]. effect: of each customer in usual
    baskets, [n, k]. penalty: of the ridge, in customers."""
    total = np.zeros((2, effect.shape[1]))
    for part in range(FOLDS):
        own, others = np.flatnonzero(fold == part), np.flatnonzero(fold != part)
        once = np.ones(len(others))
        (by_steps,) = stepwise(matrix[others], effect[others], once, (_STEPS,))
        line = by_steps + ridge_slopes(matrix[others], effect[others], once, penalty / len(others))
        predicted = (line[0] + matrix[own] @ line[1:]) * basket[own, None]
        money = effect[own] * basket[own, None]
        in_order = np.take_along_axis(money, np.argsort(-predicted, axis=0), axis=0)
        best = rank_weights(np.arange(len(own)) / len(own), len(own)) @ in_order
        spread = predicted.std(axis=0)
        deviation = (predicted - predicted.mean(axis=0)) / np.where(spread > 0, spread, 1)
        total += np.array([best, (deviation * money).mean(axis=0)]) * len(own) / len(fold)
    return total


def _redrawn(past: PastTargets, draws: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Treated or not, [n, draws]: in each stratum of each campaign as many as were."""
    treated = np.empty((len(past.treated), draws), dtype=bool)
    by_stratum = np.argsort(past.stratum, kind="stable")
    for rows in np.split(by_stratum, np.cumsum(np.bincount(past.stratum))[:-1]):
        if len(rows):
            place = rng.random((len(rows), draws)).argsort(axis=0)
            treated[rows] = place < past.treated[rows].sum()
    return treated
