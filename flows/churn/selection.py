"""Chooses a candidate and trains the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from flows.churn.backtest import Backtest, HeldOut
from flows.churn.btyd import Floats
from flows.churn.candidates import CANDIDATES
from flows.churn.churn_model import ChurnModel
from flows.churn.evaluation import given_the_base_rate
from flows.churn.forecast import SpendForecast, forecast_of_totals
from flows.churn.pace import fit_process
from flows.churn.training_set import TrainingSet
from flows.churn.waiting_time import WaitingTime

STANDARD_ERRORS_TO_WIN = 2.0


@dataclass(frozen=True)
class Gain:
    """The reduction of the mean squared error, ± standard error: overall, and with the base rate given."""

    brier: float
    standard_error: float
    brier_given_base_rate: float
    standard_error_given_base_rate: float

    @property
    def is_clear(self) -> bool:
        """A better base rate alone may fit one season by accident; better discrimination may not."""
        return (
            self.brier > STANDARD_ERRORS_TO_WIN * self.standard_error
            and self.brier_given_base_rate > STANDARD_ERRORS_TO_WIN * self.standard_error_given_base_rate
        )


@dataclass(frozen=True)
class Selection:
    """The chosen candidate. `gains`: of each other candidate over the one that was chosen when it was compared."""

    candidate: str
    gains: dict[str, Gain]
    spend: SpendForecast


def select(backtest: Backtest) -> Selection:
    """The simplest candidate, unless a more complex one is clearly better on the held-out dates.

    Compared are customers who could still be kept."""
    kept, *others = CANDIDATES
    gains = {}
    for other in others:
        gains[other] = gain_of(other, kept, backtest.held_out)
        kept = other if gains[other].is_clear else kept
    return Selection(kept, gains, _forecast(kept, backtest.held_out))


def train_selected(data: TrainingSet, backtest: Backtest, selection: Selection, as_of: date) -> ChurnModel:
    """The chosen candidate, trained on everything known by `as_of`, with the spend level and the waiting
    time of the backtest, and the value of customers at the level of past dates."""
    process = fit_process(data)
    model = ChurnModel.train(CANDIDATES[selection.candidate], data, process)
    if backtest.seasonal:
        model = model.in_season(data, as_of, whole_year=True)
    model = model.with_waiting_time(waiting_time_of(selection.candidate, backtest.held_out))
    return model.with_spend_level(selection.spend.level).with_value(data)


def waiting_time_of(candidate: str, held_out: Sequence[HeldOut]) -> WaitingTime:
    """When customers of the held-out dates bought within the horizon, against what was predicted for them."""
    return _fitted_to([h.models[candidate].waited(h.customers) for h in held_out], held_out)


def waiting_times_of_others(candidate: str, held_out: Sequence[HeldOut]) -> list[WaitingTime]:
    """For each held-out date that of the other dates."""
    waited = [h.models[candidate].waited(h.customers) for h in held_out]
    return [_fitted_to(waited[:date] + waited[date + 1 :], held_out) for date in range(len(held_out))]


def _fitted_to(waited: Sequence[tuple[Floats, Floats, Floats]], held_out: Sequence[HeldOut]) -> WaitingTime:
    if not waited:
        return WaitingTime()
    features, shares, haste = (np.concatenate(parts) for parts in zip(*waited, strict=True))
    return WaitingTime.fit(features, shares, haste, held_out[0].customers.horizon_days)


def _forecast(candidate: str, held_out: Sequence[HeldOut]) -> SpendForecast:
    """From actual and expected totals of the held-out dates."""
    totals = [h.customers.totals for h in held_out]
    means = [float(h.models[candidate].expected_spend(h.customers.features).mean()) for h in held_out]
    expected = np.array([of.customers * mean for of, mean in zip(totals, means, strict=True)])
    actual = np.array([of.spend for of in totals])
    days = [h.day.toordinal() for h in held_out]
    return forecast_of_totals(expected, actual, (max(days) - min(days)) / held_out[0].customers.horizon_days)


def gain_of(name: str, over: str, held_out: Sequence[HeldOut]) -> Gain:
    """The gain of one model over another for customers who could still be kept.

    A customer who is in several dates counts as one observation."""
    raw, adjusted = [], []
    for h in held_out:
        churned, a, b = (
            h.customers.churned[h.keepable],
            h.probability[name][h.keepable],
            h.probability[over][h.keepable],
        )
        raw.append((b - churned) ** 2 - (a - churned) ** 2)
        a, b = given_the_base_rate(churned, a), given_the_base_rate(churned, b)
        adjusted.append((b - churned) ** 2 - (a - churned) ** 2)
    ids = np.concatenate([h.customers.customer_ids[h.keepable] for h in held_out])
    return Gain(*mean_by_customer(ids, np.concatenate(raw)), *mean_by_customer(ids, np.concatenate(adjusted)))


def mean_by_customer(ids: Floats, values: Floats) -> tuple[float, float]:
    """Mean and standard error of values that are independent only between customers."""
    _, customer = np.unique(ids, return_inverse=True)
    deviations = np.bincount(customer, values - values.mean())
    return float(values.mean()), float(np.sqrt((deviations**2).sum()) / len(values))
