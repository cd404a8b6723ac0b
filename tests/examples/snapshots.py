"""Training snapshots made by hand, of any size and shape."""

from datetime import date

import numpy as np

from flows.churn.training_set import TrainingSet
from functions.churn_api.contract import FEATURE_NAMES, FEATURES

SEGMENTS = np.array(["Champions", "Lost"], dtype=object)


def made_up_snapshots(
    dates: list[date],
    customers: int,
    *,
    horizon_days: int = 60,
    curved: bool = False,
    seed: int = 0,
    always: bool | None = None,
    busy_months: tuple[int, ...] = (),
) -> TrainingSet:
    """Customers whose churn follows their recency, or, if `curved`, something no straight line follows.

    In busy months everybody is much likelier to buy.
    """
    rng = np.random.default_rng(seed)
    n = len(dates) * customers
    features = rng.gamma(2.0, 30.0, (n, len(FEATURE_NAMES)))

    def put(name, values):
        features[:, FEATURE_NAMES.index(name)] = values

    recency, frequency = np.floor(rng.gamma(2.0, 30.0, n)), 1.0 + rng.poisson(2, n)
    gap = np.floor(rng.gamma(4.0, 10.0, n)) + 1
    put("recency_days", recency)
    put("frequency", frequency)
    put("tenure_days", recency + gap * (frequency - 1))
    put("shrunk_gap_days", gap)
    put("recency_to_shrunk_gap", recency / gap)
    for position, name in enumerate(FEATURE_NAMES):
        if not FEATURES[name].is_required:
            features[rng.random(n) < 0.3, position] = np.nan
    trend = features[:, FEATURE_NAMES.index("trend_90_days")]
    score = 3 * np.sin(trend / 25) if curved else (recency - 55) / 25
    months = np.repeat([day.month for day in dates], customers)
    score = score - 2.5 * np.isin(months, busy_months)
    churned = rng.random(n) < 1 / (1 + np.exp(-score)) if always is None else np.full(n, always)
    stacked = np.repeat(np.array(dates, dtype="datetime64[D]"), customers)
    passed = stacked + np.timedelta64(365, "D") <= np.datetime64(max(dates, default=date(2020, 1, 1))) + np.timedelta64(
        horizon_days, "D"
    )
    ids = np.array([f"C{i:05d}" for i in range(customers)], dtype=object)
    return TrainingSet(
        horizon_days=horizon_days,
        clv_days=365,
        customer_ids=np.tile(ids, len(dates)),
        segments=SEGMENTS[(recency > 60).astype(int)],
        dates=stacked,
        features=features,
        churned=churned,
        spend=np.where(churned, 0.0, rng.gamma(2.0, 40.0, n)),
        days_to_next_purchase=np.where(churned, np.nan, np.ceil(rng.random(n) * horizon_days)),
        spend_in_clv_window=np.where(passed, rng.gamma(0.5, 300.0, n), np.nan),
    )
