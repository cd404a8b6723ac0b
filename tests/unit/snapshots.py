"""Training snapshots made by hand, of any size and shape."""

from datetime import date

import numpy as np

from flows.churn.training_set import TrainingSet
from functions.churn_api.contract import FEATURE_NAMES, CustomerFeatures


def made_up_snapshots(
    dates: list[date], customers: int, *, curved: bool = False, seed: int = 0, always: bool | None = None
) -> TrainingSet:
    """Customers whose churn follows their recency, or, if `curved`, something no straight line follows."""
    rng = np.random.default_rng(seed)
    n = len(dates) * customers
    features = rng.gamma(2.0, 30.0, (n, len(FEATURE_NAMES))).astype(np.float32)
    features[:, FEATURE_NAMES.index("frequency")] = 1 + rng.poisson(3, n)
    for position, name in enumerate(FEATURE_NAMES):
        if not CustomerFeatures.model_fields[name].is_required():
            features[rng.random(n) < 0.3, position] = np.nan
    recency = features[:, FEATURE_NAMES.index("recency_days")]
    trend = features[:, FEATURE_NAMES.index("trend_90_days")]
    score = 3 * np.sin(trend / 25) if curved else (recency - 55) / 25
    churned = rng.random(n) < 1 / (1 + np.exp(-score)) if always is None else np.full(n, always)
    ids = np.array([f"C{i:05d}" for i in range(customers)], dtype=object)
    return TrainingSet(
        customer_ids=np.tile(ids, len(dates)),
        dates=np.repeat(np.array(dates, dtype="datetime64[D]"), customers),
        features=features,
        churned=churned,
    )
