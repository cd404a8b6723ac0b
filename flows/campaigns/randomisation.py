"""Does a ranking beat chance? A randomisation test: the arms of past campaigns are drawn again many times.

If contacting changed nothing, every draw of the arms was as likely as the one that happened, so the test is exact,
whatever figure it compares. The figure is how much better effects that differ between customers explain what they did
than one effect on all (a Bayes factor). Customers may differ by many columns a little, or by one; in purchases, or in
spend. No folds are needed: each draw is searched for differences as the arms that happened are."""

import numpy as np
from numpy.typing import NDArray

from flows.campaigns.covariates import Columns, Floats
from flows.campaigns.past_targets import PastTargets
from flows.campaigns.response_fit import Responses
from flows.campaigns.stepwise import ridge_residuals

DRAWS = 299
LEVEL = 0.05
_SIGNALS = (1.0, 4.0, 16.0, 64.0)  # how much differing effects may explain, in variances of noise; equally likely
_VALUES_AT_ONCE = 2_000_000


def randomisation_p(past: PastTargets, rng: np.random.Generator) -> float:
    """The share of draws in which effects would have seemed to differ as much or more as with the arms as they were:
    without any effect it is at most LEVEL in LEVEL of the histories."""
    matrix = Columns.of(past.known).matrix(past.known)
    responses, once = Responses.of(past), np.ones(len(matrix))
    residuals = [ridge_residuals(matrix, outcome, once) for outcome in (responses.orders, responses.spend)]
    centred = matrix - matrix.mean(axis=0)
    variance, axes = np.linalg.eigh(centred.T @ centred)
    is_there = variance > 1e-9 * variance.max()
    every, along = centred @ axes[:, is_there], variance[is_there]
    in_line, of_columns = np.hstack([every, centred]), np.concatenate([along, (centred**2).sum(axis=0)])

    def evidence(treated: NDArray[np.bool_]) -> Floats:
        """[draws], of arms [n, draws]."""
        share = past.share[:, None]
        sign = np.where(treated, 1 / share, -1 / (1 - share))
        found = []
        for residual in residuals:
            effect = sign * residual[:, None]
            effect -= effect.mean(axis=0)
            noise = np.where(of_columns > 0, of_columns, 1.0)[:, None] * (effect**2).mean(axis=0)
            squares = (in_line.T @ effect) ** 2 / noise
            found += [_by_many(squares[: len(along)], along), _by_one(squares[len(along) :])]
        return np.asarray(np.logaddexp.reduce(found))

    observed = evidence(past.treated[:, None])[0]
    at_once = max(1, min(DRAWS, _VALUES_AT_ONCE // len(matrix)))
    drawn = [evidence(_redrawn(past, min(at_once, DRAWS - done), rng)) for done in range(0, DRAWS, at_once)]
    return float((1 + (np.concatenate(drawn) >= observed - 1e-12).sum()) / (1 + DRAWS))


def _by_many(squares: Floats, variance: Floats) -> Floats:
    """Log Bayes factor of slopes that are all drawn alike, [draws]. squares: along independent directions of the
    columns, [directions, draws], 1 on average for noise. variance: of each direction."""
    grown = [1 + signal * variance[:, None] / variance.sum() for signal in _SIGNALS]
    each = [((squares * (1 - 1 / of) - np.log(of)) / 2).sum(axis=0) for of in grown]
    return np.asarray(np.logaddexp.reduce(each) - np.log(len(each)))


def _by_one(squares: Floats) -> Floats:
    """Log Bayes factor of a slope of one column that may be any, [draws]. squares: of each column, [columns, draws]."""
    each = [(squares * (1 - 1 / (1 + signal)) - np.log(1 + signal)) / 2 for signal in _SIGNALS]
    return np.asarray(np.logaddexp.reduce(np.concatenate(each)) - np.log(len(each) * len(squares)))


def _redrawn(past: PastTargets, draws: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Treated or not, [n, draws]: in each stratum of each campaign as many as were."""
    treated = np.empty((len(past.treated), draws), dtype=bool)
    by_stratum = np.argsort(past.stratum, kind="stable")
    for rows in np.split(by_stratum, np.cumsum(np.bincount(past.stratum))[:-1]):
        if len(rows):
            place = rng.random((len(rows), draws)).argsort(axis=0)
            treated[rows] = place < past.treated[rows].sum()
    return treated
