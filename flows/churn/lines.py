"""Linear models of columns of very different sizes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler


def fit_line(
    estimator: BaseEstimator, columns: NDArray[np.float64], target: NDArray[Any]
) -> tuple[float, NDArray[np.float64]]:
    """Intercept and slopes of a linear estimator, fitted to standardised columns, in the columns' own units."""
    scaler = StandardScaler().fit(columns)
    line = estimator.fit(scaler.transform(columns), target)
    slopes: NDArray[np.float64] = np.ravel(line.coef_) / scaler.scale_
    return float(np.ravel(line.intercept_)[0] - slopes @ scaler.mean_), slopes


def fit_logistic(columns: NDArray[np.float64], churned: NDArray[np.bool_]) -> tuple[float, NDArray[np.float64]]:
    """Intercept and slopes of a logistic regression."""
    return fit_line(LogisticRegression(max_iter=1_000), columns, churned)
