"""What all campaigns changed together: everyone who could be contacted, compared with the global holdout.

Membership is a draw by the customer's id alone, so customers in and out of it differ by chance and by campaigns. A
figure that is looked at every day sooner or later looks like an effect; this one is looked at at the end of a quarter.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

import numpy as np
import pyarrow as pa

from flows.campaigns.assignment import GLOBAL_HOLDOUT_SALT, draws
from flows.campaigns.measurement import Difference, money_difference, rate_difference, sample_ratio_p

MAX_DAYS, MIN_DAYS = 365, 28


@dataclass(frozen=True)
class Period:
    """The days after `starts_after`, up to and including `ends_on`."""

    starts_after: date
    ends_on: date

    @classmethod
    def of(cls, first_launch: date, as_of: date) -> Self | None:
        """From the first launch to the end of the last quarter, a year at most; None where that is too short."""
        ends_on = last_quarter_end(as_of)
        starts_after = max(first_launch, ends_on - timedelta(days=MAX_DAYS))
        return cls(starts_after, ends_on) if (ends_on - starts_after).days >= MIN_DAYS else None


def last_quarter_end(day: date) -> date:
    """The last day of a quarter, that day or before it."""
    tomorrow = day + timedelta(days=1)
    return date(tomorrow.year, tomorrow.month - (tomorrow.month - 1) % 3, 1) - timedelta(days=1)


@dataclass(frozen=True)
class EffectOfAll:
    """customers, held_out: who could be contacted, and who was in the global holdout; their rates are shares who
    bought. lift: the difference of rates. revenue: the difference of revenue per customer."""

    customers: int
    held_out: int
    customer_rate: float
    held_out_rate: float
    lift: Difference
    revenue: Difference
    sample_ratio_p: float


def effect_of_all(outcomes: pa.Table, shares: tuple[float, float]) -> EffectOfAll | None:
    """outcomes: every customer known when the period started: customer_id, orders, spend_before and recency_days at its
    start; bought and revenue within it. shares: the smallest and the largest share of the global holdout in the period;
    who was in it for a part of the time is left out. None where an arm has nobody."""
    smallest, largest = shares
    draw = draws(GLOBAL_HOLDOUT_SALT, outcomes["customer_id"].to_pylist())
    is_held_out = draw < smallest
    chosen = is_held_out | (draw >= largest)
    could_be_contacted = ~is_held_out[chosen]
    counts = int(could_be_contacted.sum()), int((~could_be_contacted).sum())
    if not all(counts):
        return None
    bought = outcomes["bought"].to_numpy()[chosen].astype(bool)
    revenue = outcomes["revenue"].cast(pa.float64()).to_numpy()[chosen]
    known = [np.log1p(outcomes[name].cast(pa.float64()).to_numpy()[chosen]) for name in ("orders", "recency_days")] + [
        outcomes["spend_before"].cast(pa.float64()).to_numpy()[chosen]
    ]
    expectations = np.column_stack(known)
    return EffectOfAll(
        *counts,
        float(bought[could_be_contacted].mean()),
        float(bought[~could_be_contacted].mean()),
        rate_difference(bought, could_be_contacted, expectations),
        money_difference(revenue, bought, could_be_contacted, expectations),
        sample_ratio_p(counts, (1 - largest) / (1 - largest + smallest)),
    )
