"""Customers and campaigns for tests, without a shop."""

from datetime import date

import numpy as np
import pyarrow as pa

from flows.campaigns.definition import Campaign

LAUNCHED_ON = date(2026, 3, 31)
HORIZON_DAYS = 90


def campaign(**changes):
    """A campaign with a holdout of a fifth."""
    whole = {
        "name": "spring", "offer": {"text": "5 off", "cost_per_contact": 0.5, "cost_per_redemption": 5},
        "margin": 0.4, "budget": 300, "holdout": 0.2, "window_days": 30,
    }  # fmt: skip
    return Campaign.model_validate(whole | changes)


def candidates(n=1_000, seed=0, **columns):
    """Rows as campaign_tables.read_candidates yields them; `columns` replaces some."""
    rng = np.random.default_rng(seed)
    probability = rng.uniform(0.05, 0.99, n)
    frequency = rng.geometric(0.3, n)
    value = np.exp(rng.normal(3.5, 0.6, n))
    table = {
        "customer_id": [f"C{i:05d}" for i in range(n)],
        "email": [f"c{i}@example.com" for i in range(n)],
        "may_be_contacted": [True] * n,
        "opted_out": pa.array([False] * n),
        "consents_to_advertising": ["yes"] * n,
        "lifecycle": rng.choice(["new", "active", "due", "slipping", "gone"], n),
        "expected_loss": probability * value * frequency,
        "currency": ["EUR"] * n,
        "segment": rng.choice(["Champions", "At risk", "Lost"], n),
        "risk_band": np.where(probability >= 0.7, "high", np.where(probability >= 0.4, "medium", "low")),
        "churn_probability": probability,
        "expected_spend": (1 - probability) * value,
        "recency_days": pa.array(rng.integers(0, 400, n), pa.int32()),
        "frequency": pa.array(frequency, pa.int32()),
        "monetary": value * frequency,
        "tenure_days": pa.array(rng.integers(400, 900, n), pa.int32()),
        "average_order_value": value,
        "spend_last_365_days": value * frequency,
        "spend_last_period": value * rng.integers(0, 2, n),
        "country": ["Germany"] * n,
        "channel": rng.choice(["social", "referral"], n),
        "contacts_lately": pa.array([0] * n, pa.int64()),
        "open_campaign": pa.array([None] * n, pa.string()),
        "was_never_contacted": [False] * n,
        "traits": pa.nulls(n, pa.string()),
    }
    return pa.table(table | columns)
