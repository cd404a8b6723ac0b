"""Who responds, by simple rankings: a sum of small steps, each along the one column that tells most.

A difference of two regressions misses a gradient that a sort by one column finds. Here the effect itself is fitted: at
each step the column by which customers' responses differ most gets a tenth of its slope. Few steps are few sorts that
are added up; no step says that the effect is the same for all."""

import numpy as np

from flows.campaigns.covariates import Floats

_OF_THE_SLOPE = 0.1
_PENALTY = 0.05  # of the ridge, in variances of a column


def stepwise(matrix: Floats, responses: Floats, weight: Floats, steps: tuple[int, ...]) -> Floats:
    """matrix: [n, columns]. responses: [n, k], of each customer in k cases. weight: [n].

    Returns intercepts and slopes, [len(steps), 1 + columns, k], after each of so many steps, in ascending order."""
    share = weight / weight.sum()
    centre = share @ matrix
    weighted = (matrix - centre) * share[:, None]
    gram = weighted.T @ (matrix - centre)
    variance = np.where(np.diag(gram) > 1e-9, np.diag(gram), np.inf)  # a column that is the same for all gets no slope
    mean, left = share @ responses, weighted.T @ responses
    slopes, every = np.zeros_like(left), np.arange(left.shape[1])
    found = []
    for step in range(max(steps) + 1):
        if step in steps:
            found.append(np.vstack([mean - centre @ slopes, slopes]))
        best = np.argmax(np.abs(left) / np.sqrt(variance)[:, None], axis=0)
        change = _OF_THE_SLOPE * left[best, every] / variance[best]
        slopes[best, every] += change
        left -= gram[:, best] * change
    return np.stack(found)


def ridge_residuals(matrix: Floats, outcome: Floats, weight: Floats) -> Floats:
    """What a ridge on standardised columns does not explain of an outcome, whatever the arm, [n]: differences between
    arms stand out better in it."""
    share = weight / weight.sum()
    centred = matrix - share @ matrix
    weighted = centred * share[:, None]
    slopes = np.linalg.solve(weighted.T @ centred + _PENALTY * np.eye(matrix.shape[1]), weighted.T @ outcome)
    return np.asarray(outcome - share @ outcome - centred @ slopes)
