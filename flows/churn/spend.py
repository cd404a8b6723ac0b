"""The expected spend within the horizon of customers who buy."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from sklearn.linear_model import GammaRegressor

from flows.churn.btyd import Floats
from flows.churn.lines import fit_line
from flows.churn.training_set import TrainingSet, column

SPEND_FEATURES = (
    "recency_days", "frequency", "monetary", "tenure_days", "average_order_value", "spend_last_365_days",
    "decayed_purchases_120_days",
)  # fmt: skip


@dataclass(frozen=True)
class SpendModel:
    """E[spend | buys] = exp(intercept + Σ slope · log(1 + feature)), by a gamma regression with log link."""

    intercept: float
    slopes: tuple[float, ...]

    @classmethod
    def fit(cls, data: TrainingSet) -> Self:
        """Trains on the customers who bought."""
        bought = data.where(~data.churned & (data.spend > 0))
        estimator = GammaRegressor(alpha=1e-3, solver="newton-cholesky", max_iter=100)
        intercept, slopes = fit_line(estimator, spend_logs(bought.features), bought.spend)
        return cls(intercept, tuple(slopes.tolist()))

    def if_bought(self, features: Floats, log_level: float | Floats = 0.0) -> Floats:
        """Mean spend of customers with these features if they buy, [n], at the level of a season."""
        mean: Floats = np.exp(self.intercept + log_level + spend_logs(features) @ np.array(self.slopes))
        return mean

    def scaled(self, factor: float) -> Self:
        return replace(self, intercept=self.intercept + float(np.log(factor)))


def spend_logs(features: Floats) -> Floats:
    """log(1 + x) of the features that matter for spend, [n, 7]; less than zero counts as zero."""
    return np.log1p(np.maximum(np.column_stack([column(features, name) for name in SPEND_FEATURES]), 0))


def rate_so_far(customers: TrainingSet) -> Floats:
    """Spend per day since the first purchase: the baseline."""
    return customers.column("monetary") / (customers.column("tenure_days") + 1)
