"""The candidate models, and the baselines that any analyst would try first."""

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from flows.churn.btyd import Floats, history
from flows.churn.churn_model import Fit
from flows.churn.lines import fit_logistic
from flows.churn.pace import fit_process
from flows.churn.risk import AdditiveTrees, LinearRisk, logs_of
from flows.churn.training_set import TrainingSet, column

AVERAGED = "logistic RFMT, averaged with buy-till-you-die"
STACKED = "logistic RFMT with buy-till-you-die inside"
TREES = "additive boosted trees"

# From simple to complex: a later one is chosen only where it is clearly better.
CANDIDATES: dict[str, Fit] = {
    AVERAGED: LinearRisk.averaged,
    STACKED: LinearRisk.stacked,
    TREES: lambda data, _: AdditiveTrees.fit(data),
}

Predict = Callable[[Floats], Floats]


def _recency(data: TrainingSet) -> Predict:
    return _regression(data, lambda features: logs_of(features)[:, :1])


def _rfm_sum(data: TrainingSet) -> Predict:
    """Quintiles of R, F and M, added up; the borders are those of the training set."""
    signs = {"recency_days": -1, "frequency": 1, "monetary": 1}
    borders = {name: np.quantile(sign * data.column(name), [0.2, 0.4, 0.6, 0.8]) for name, sign in signs.items()}

    def score(features: Floats) -> Floats:
        fifths = [np.searchsorted(borders[name], sign * column(features, name)) for name, sign in signs.items()]
        return np.asarray(sum(fifths), dtype=np.float64)[:, None]

    return _regression(data, score)


def _rfmt(data: TrainingSet) -> Predict:
    return _regression(data, logs_of)


def _process(data: TrainingSet) -> Predict:
    process = fit_process(data)
    return lambda features: expit(process.log_odds_of_no_purchase(*history(features), data.horizon_days))


BASELINES: dict[str, Callable[[TrainingSet], Predict]] = {
    "recency": _recency,
    "RFM sum": _rfm_sum,
    "logistic RFMT": _rfmt,
    "buy-till-you-die": _process,
}


def _regression(data: TrainingSet, columns_of: Callable[[Floats], Floats]) -> Predict:
    intercept, slopes = fit_logistic(columns_of(data.features), data.churned)
    return lambda features: np.asarray(expit(intercept + columns_of(features) @ slopes))
