"""Does a ranking beat chance? A randomisation test: the arms of past campaigns are drawn again many times.

If contacting changed nothing, every draw of the arms was as likely as the one that happened, so the test is exact,
although folds depend on each other: in every draw each fold is ranked by a fit to the others. That fit is one step of
the uplift model from a common start, so that hundreds of draws take a second."""

import numpy as np
from numpy.typing import NDArray

from flows.campaigns.covariates import Columns, Floats, Ints
from flows.campaigns.out_of_fold import FOLDS, rank_weights
from flows.campaigns.past_targets import PastTargets
from flows.campaigns.response_fit import SLOPE_VARIANCE, basket_of, logistic

DRAWS = 299
LEVEL = 0.05
_PARTITIONS = 2  # the statistic is a mean over so many divisions into folds
_VALUES_AT_ONCE = 2_000_000


def randomisation_p(past: PastTargets, rng: np.random.Generator) -> float:
    """The share of draws in which ranking would have gained as much or more over chance as with the arms as they were:
    without any effect it is at most LEVEL in LEVEL of the histories."""
    matrix = Columns.of(past.known).matrix(past.known)
    everybody = np.ones(len(past.treated), dtype=bool)
    line = logistic(matrix, past.purchased, np.ones(len(matrix)), everybody)
    columns = np.column_stack([np.ones(len(matrix)), matrix])
    chance = 1 / (1 + np.exp(-(columns @ line)))
    orders = past.known.covariates["average_order_value"]
    usual = float(np.nanmean(orders)) if not np.isnan(orders).all() else 1.0
    basket = basket_of(past.known, usual)
    partitions = [rng.permutation(int(past.customer.max()) + 1)[past.customer] % FOLDS for _ in range(_PARTITIONS)]

    def gains(treated: NDArray[np.bool_]) -> Floats:
        share = past.share[:, None]
        effect = np.where(treated, 1 / share, -1 / (1 - share)) * (past.purchased - chance)[:, None]
        single = [_gains(columns, chance, basket, effect, past.share, fold) for fold in partitions]
        return np.asarray(np.mean(single, axis=0))

    observed = gains(past.treated[:, None])[0]
    at_once = max(1, min(DRAWS, _VALUES_AT_ONCE // len(chance)))
    drawn = np.concatenate(
        [gains(_redrawn(past, min(at_once, DRAWS - done), rng)) for done in range(0, DRAWS, at_once)]
    )
    return float((1 + (drawn >= observed).sum()) / (1 + DRAWS))


def _gains(columns: Floats, chance: Floats, basket: Floats, effect: Floats, share: Floats, fold: Ints) -> Floats:
    """The gain of ranking over chance, out of fold, for each of k draws. effect: of each customer, [n, k]."""
    information = columns * (chance * (1 - chance))[:, None]
    penalty = np.full(columns.shape[1], np.mean(1 / (share * (1 - share))) / (2 * SLOPE_VARIANCE))
    penalty[0] = 0  # of the mean effect
    score, curvature = columns.T @ effect, columns.T @ information
    total = np.zeros(effect.shape[1])
    for part in range(FOLDS):
        own = fold == part
        others = curvature - columns[own].T @ information[own] + np.diag(penalty)
        slopes = np.linalg.solve(others, score - columns[own].T @ effect[own])
        predicted = slopes.T @ (information[own] * -basket[own, None]).T
        order, size = np.argsort(predicted, axis=1), int(own.sum())
        in_order = np.take_along_axis((effect[own] * basket[own, None]).T, order, axis=1)
        total += in_order @ rank_weights(np.arange(size) / size, size) * size / len(fold)
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
