"""Customers who respond to a campaign in a known way: worlds in which effects are small, as those of real mails are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from flows.campaigns.covariates import Floats
from tests.examples.candidates import candidates

LAUNCHED_ON = date(2026, 3, 1)  # of the past campaign
OFFER_TEXT = "a mail with a voucher"

Response = tuple[Floats | float, Floats | float]  # probability of a purchase if contacted; factor on the basket


@dataclass(frozen=True)
class World:
    """response: of customers (by column) whose probability of a purchase is known, to being contacted. learnt: their
    response to the past campaign, where it sent another offer. values: of the past and of the next offer."""

    name: str
    response: Callable[[dict[str, Floats], Floats], Response]
    learnt: Callable[[dict[str, Floats], Floats], Response] | None = None
    values: tuple[float, float] = (5.0, 5.0)


def _both(*conditions: Floats) -> Floats:
    return np.all(conditions, axis=0).astype(float)


WORLDS = (
    World("no effect", lambda of, p: (p, 1)),
    World("harm to the silent", lambda of, p: (np.where(of["recency_days"] > 60, 0.4 * p, p), 1)),
    World("everybody +3 points", lambda of, p: (p + 0.03, 1)),
    World(
        "lapsing +6, just bought −5",
        lambda of, p: (
            np.maximum(p + 0.06 * (of["recency_days"] > 100) - 0.05 * (of["recency_days"] < 30), 0.01),
            1,
        ),
    ),
    World("channel × orders", lambda of, p: (p + 0.08 * _both(of["is_social"], of["frequency"] >= 3), 1)),
    World("+25 in a visible 5 %", lambda of, p: (p + 0.25 * (of["frequency"] >= 6), 1)),
    World("baskets +25 %", lambda of, p: (p, 1.25)),
    World("learnt from four times the voucher", lambda of, p: (p + 0.01, 1), lambda of, p: (p + 0.04, 1), (20.0, 5.0)),
)
BY_NAME = {world.name: world for world in WORLDS}


def shop(n: int, rng: np.random.Generator) -> pa.Table:
    """Customers as `read_candidates` yields them, with the covariates of a shop."""
    frequency = 1.0 + rng.poisson(2, n)
    recency = np.floor(rng.gamma(2, 40, n))
    orders = rng.lognormal(3.7, 0.5, n)
    churn = np.clip(rng.beta(2, 2, n) * 0.7 + 0.3 * np.minimum(recency / 200, 1), 0.01, 0.99)
    return candidates(
        n,
        recency_days=recency,
        frequency=frequency,
        monetary=frequency * orders,
        tenure_days=recency + 40 * (frequency - 1),
        average_order_value=orders,
        spend_last_365_days=frequency * orders * rng.random(n),
        spend_last_period=orders * (recency < 90),
        churn_probability=churn,
        expected_spend=orders * (1 - churn),
        channel=rng.choice(["social", "marketplace"], n),
        risk_band=np.where(churn >= 0.7, "high", np.where(churn >= 0.4, "medium", "low")),
    )


def probabilities(world: World, customers: pa.Table, in_the_past: bool = False) -> tuple[Floats, Floats, Floats]:
    """Of each customer: probability of a purchase if left alone and if contacted, and the factor on the basket."""
    of = {
        name: np.asarray(customers[name].to_numpy(), dtype=float)
        for name in ("recency_days", "frequency", "churn_probability")
    }
    of["is_social"] = np.asarray(customers["channel"].to_numpy() == "social", dtype=float)
    alone = 0.03 + 0.16 * (1 - of["churn_probability"])
    response = world.learnt if in_the_past and world.learnt else world.response
    contacted, factor = response(of, alone)
    return alone, np.asarray(contacted), np.broadcast_to(factor, alone.shape)


def history(world: World, n: int, rng: np.random.Generator, holdout: float = 0.5) -> pa.Table:
    """A campaign whose targets were drawn by chance, as `fit_uplift` takes it, with its offer."""
    customers = shop(n, rng)
    alone, contacted, factor = probabilities(world, customers, in_the_past=True)
    treated = rng.random(n) >= holdout
    bought = rng.random(n) < np.where(treated, contacted, alone)
    basket = np.asarray(customers["average_order_value"].to_numpy()) * rng.lognormal(-0.125, 0.5, n)
    happened = {
        "campaign": np.full(n, "first"),
        "arm": np.where(treated, "treated", "holdout"),
        "treatment_share": np.full(n, 1 - holdout),
        "window_days": np.full(n, 30),
        "purchased": bought,
        "spend": bought * basket * np.where(treated, factor, 1),
        "launched_on": pa.array([LAUNCHED_ON] * n, pa.date32()),
        "offer_text": pa.array([OFFER_TEXT] * n),
        "offer_kind": pa.array(["amount_off"] * n),
        "offer_value": np.full(n, world.values[0]),
    }
    return pa.table({name: customers[name] for name in customers.column_names} | happened)
