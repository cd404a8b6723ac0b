"""The models that compete: from what every analyst would try first to boosted trees."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from flows.churn.training_set import TrainingSet
from functions.churn_api.contract import FEATURE_NAMES

RECENCY = "recency alone"
LOGISTIC = "logistic regression (R, F, M, tenure)"
BOOSTED = "gradient-boosted trees (all features)"

Fit = Callable[[TrainingSet], BaseEstimator]


class Log1p(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """log(1 + x) of values that are zero or more; less than zero counts as zero."""

    def fit(self, X: NDArray[Any], y: None = None) -> "Log1p":  # noqa: ARG002
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(np.log1p(np.maximum(X, 0)))


def _logistic(*features: str) -> Fit:
    columns = [FEATURE_NAMES.index(name) for name in features]

    def fit(data: TrainingSet) -> BaseEstimator:
        model = make_pipeline(
            ColumnTransformer([("chosen", make_pipeline(Log1p(), StandardScaler()), columns)]),
            LogisticRegression(max_iter=1_000),
        )
        return model.fit(data.features, data.churned)

    return fit


def _boosted(data: TrainingSet) -> BaseEstimator:
    """Small trees, calibrated by a sigmoid on customers that the trees have not seen."""
    trees = HistGradientBoostingClassifier(
        max_iter=120, learning_rate=0.06, max_leaf_nodes=8, min_samples_leaf=60, l2_regularization=5.0,
        early_stopping=False, random_state=0,
    )  # fmt: skip
    by_customer = list(GroupKFold(n_splits=2).split(data.features, groups=data.customer_ids))
    model = CalibratedClassifierCV(trees, method="sigmoid", cv=by_customer, ensemble=False)
    return model.fit(data.features, data.churned)


# From simple to complex. The first is there to be beaten and is never chosen.
CANDIDATES: dict[str, Fit] = {
    RECENCY: _logistic("recency_days"),
    LOGISTIC: _logistic("recency_days", "frequency", "monetary", "tenure_days"),
    BOOSTED: _boosted,
}


def churn_probability(model: BaseEstimator, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """P(churn), shape [n]."""
    return np.asarray(model.predict_proba(features)[:, 1], dtype=np.float64)
