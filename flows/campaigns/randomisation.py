"""Does a ranking beat chance? A randomisation test: the arms of past campaigns are drawn again many times.

If contacting changed nothing, every draw of the arms was as likely as the one that happened, so the test is exact,
whatever figure it compares. The figure is how much better effects that differ between customers explain what they did
than one effect on all (a Bayes factor). Customers may differ by many columns a little, by one, or by how likely
they buy anyway: who is likelier to often gains more (Kent et al., The PATH Statement, Annals of Internal Medicine 172,
2020); in purchases, or in spend. No folds are needed: each draw is searched for differences as the arms that happened
are."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_ndtr

from flows.campaigns.covariates import Columns, Floats
from flows.campaigns.past_targets import PastTargets
from flows.campaigns.response_fit import Responses, logistic
from flows.campaigns.stepwise import ridge_residuals

DRAWS = 299
LEVEL = 0.05
_SIGNALS = (1.0, 4.0, 16.0, 64.0)  # how much differing effects may explain, in variances of noise; equally likely
# How effects may differ, and how likely that is beforehand. Of shares near these, all found about as much on simulated
# histories of other seeds than the benchmarks', and on parts of a real experiment (tests/benchmarks/hillstrom.py).
_BY_MANY, _BY_ONE, _BY_CHANCE = 0.25, 0.6, 0.15
_VALUES_AT_ONCE = 2_000_000


def randomisation_p(past: PastTargets, rng: np.random.Generator) -> float:
    """The share of draws in which effects would have seemed to differ as much or more as with the arms as they were:
    without any effect it is at most LEVEL in LEVEL of the histories."""
    columns = Columns.of(past.known)
    matrix = columns.matrix(past.known)
    responses, once, everybody = Responses.of(past), np.ones(len(matrix)), np.ones(len(matrix), dtype=bool)
    residuals = [ridge_residuals(matrix, outcome, once) for outcome in (responses.orders, responses.spend)]
    anyway = logistic(matrix, past.purchased, once, everybody)
    chance = expit(anyway[0] + matrix @ anyway[1:])
    differs = matrix.std(axis=0) > 1e-9
    centred = matrix[:, differs] - matrix[:, differs].mean(axis=0)
    variance, axes = np.linalg.eigh(centred.T @ centred)
    is_there = variance > 1e-9 * variance.max(initial=0.0)
    along, prior = variance[is_there], _prior_of_columns(np.array(columns.sources)[differs])
    in_line = np.column_stack([centred @ axes[:, is_there], centred, chance - chance.mean()])
    length = (in_line**2).sum(axis=0)

    def evidence(treated: NDArray[np.bool_]) -> Floats:
        """[draws], of arms [n, draws]."""
        share = past.share[:, None]
        sign = np.where(treated, 1 / share, -1 / (1 - share))
        found = []
        for residual in residuals:
            effect = sign * residual[:, None]
            effect -= effect.mean(axis=0)
            noise = np.where(length > 0, length, 1.0)[:, None] * (effect**2).mean(axis=0)
            deviation = (in_line.T @ effect) / np.sqrt(noise)
            squares = deviation**2
            found += [
                np.log(_BY_MANY) + _by_many(squares[: len(along)], along),
                np.log(_BY_ONE) + _by_one(squares[len(along) : -1], prior),
                np.log(_BY_CHANCE) + _by_chance(deviation[-1]),
            ]
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


def _by_one(squares: Floats, prior: Floats) -> Floats:
    """Log Bayes factor of a slope of one column that may be any, [draws]. squares: of each column, [columns, draws].
    prior: of each column."""
    each = [(squares * (1 - 1 / (1 + signal)) - np.log(1 + signal)) / 2 + np.log(prior)[:, None] for signal in _SIGNALS]
    return np.asarray(np.logaddexp.reduce(np.concatenate(each)) - np.log(len(each)))


def _by_chance(deviation: Floats) -> Floats:
    """Log Bayes factor of a slope of the chance of a purchase that is not negative, [draws]. deviation: from no slope,
    in standard errors."""
    kept = [signal / (1 + signal) for signal in _SIGNALS]
    each = [(deviation**2 * of + np.log(1 - of)) / 2 + np.log(2) + log_ndtr(deviation * np.sqrt(of)) for of in kept]
    return np.asarray(np.logaddexp.reduce(each) - np.log(len(each)))


def _prior_of_columns(sources: NDArray[np.str_]) -> Floats:
    """Each covariate is as likely as any other, however many columns it has."""
    _, place, columns = np.unique(sources, return_inverse=True, return_counts=True)
    return np.asarray(1 / (columns[place] * len(columns)))


def _redrawn(past: PastTargets, draws: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Treated or not, [n, draws]: in each stratum of each campaign as many as were."""
    treated = np.empty((len(past.treated), draws), dtype=bool)
    by_stratum = np.argsort(past.stratum, kind="stable")
    for rows in np.split(by_stratum, np.cumsum(np.bincount(past.stratum))[:-1]):
        if len(rows):
            place = rng.random((len(rows), draws)).argsort(axis=0)
            treated[rows] = place < past.treated[rows].sum()
    return treated
