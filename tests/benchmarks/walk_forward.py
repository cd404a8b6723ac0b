"""The whole procedure, judged as it is used: at each past date test, choose and train on what was known, then wait."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from flows.churn.backtest import run_backtest
from flows.churn.candidates import BASELINES
from flows.churn.churn_model import NEXT_ORDER_CHANCES, RECENT_SNAPSHOTS, ChurnModel
from flows.churn.evaluation import Flags, Quality, measure, normalised_gini
from flows.churn.selection import select, train_selected
from flows.churn.spend import rate_so_far
from flows.churn.training_set import TrainingSet

IF_BACK = "if back"


@dataclass(frozen=True)
class Came:
    """Whether the next order had come by its day, [n], of the customers with these ids, [n]: of those whose day has
    passed or, `IF_BACK`, of those who ordered within the horizon."""

    ids: NDArray[np.object_]
    came: Flags


@dataclass(frozen=True)
class Step:
    """Predicted and observed figures of one date. Nothing was tuned on it."""

    day: date
    kept: str
    seasonal: bool
    quality: Quality
    baselines: dict[str, Quality]
    expected_to_actual_spend: float
    total_is_in_interval: bool
    gini: float
    gini_of_the_rate_so_far: float
    next_orders: dict[str, Came]  # by "10%", "50%", "90%" and IF_BACK


def walk_forward(data: TrainingSet, dates: Sequence[int]) -> Iterator[Step]:
    """One step for each of the dates, given as positions counted back from the newest snapshot."""
    for position in dates:
        day = data.snapshot_dates[-1 - position]
        past, customers = data.known_by(day), data.at([day])
        backtest = run_backtest(past)
        selection = select(backtest)
        model = train_selected(past, backtest, selection, day)
        expected = model.expected_spend(customers.features)
        recent = past.newest(RECENT_SNAPSHOTS)
        followed = (data.snapshot_dates[-1] - day).days + data.horizon_days
        yield Step(
            day=day,
            kept=selection.candidate,
            seasonal=backtest.seasonal,
            quality=measure(customers.churned, model.churn_probability(customers.features)),
            baselines={
                name: measure(customers.churned, fit(recent)(customers.features)) for name, fit in BASELINES.items()
            },
            expected_to_actual_spend=float(expected.sum() / customers.spend.sum()),
            total_is_in_interval=bool(
                selection.spend.low <= customers.spend.sum() / expected.sum() <= selection.spend.high
            ),
            gini=normalised_gini(customers.spend, expected),
            gini_of_the_rate_so_far=normalised_gini(customers.spend, rate_so_far(customers)),
            next_orders=_next_orders(model, customers, followed),
        )


def _next_orders(model: ChurnModel, customers: TrainingSet, days_followed: int) -> dict[str, Came]:
    *days_of_chances, if_back = np.ceil(model.next_order_days(customers.features)).T
    judged = {
        f"{chance:.0%}": (days, days <= days_followed)
        for chance, days in zip(NEXT_ORDER_CHANCES, days_of_chances, strict=True)
    }
    judged[IF_BACK] = if_back, ~customers.churned
    return {
        name: Came(customers.customer_ids[of], customers.days_to_next_purchase[of] <= days[of])
        for name, (days, of) in judged.items()
    }


def mean_ece(steps: Sequence[Step]) -> float:
    return float(np.mean([step.quality.ece for step in steps]))


def mean_ece_of_best_baseline(steps: Sequence[Step]) -> float:
    return min(float(np.mean([step.baselines[name].ece for step in steps])) for name in BASELINES)
