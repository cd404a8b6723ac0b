"""The churn model: risk, season, spend and the date of the next order, of one shop for one horizon."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
from scipy.special import expit

from flows.churn.btyd import BuyTillYouDie, Floats, history
from flows.churn.risk import Risk
from flows.churn.spend import SpendModel
from flows.churn.training_set import TrainingSet
from functions.prediction_record import NEXT_ORDER_COLUMNS

Fit = Callable[[TrainingSet, BuyTillYouDie], Risk]

# older snapshots are used for the season and for tests, not for training: customers change
RECENT_SNAPSHOTS = 12
# the probabilities with which the next order has come by the earliest, the median and the latest date
NEXT_ORDER_CHANCES = tuple(percent / 100 for percent in NEXT_ORDER_COLUMNS)


@dataclass(frozen=True)
class ChurnModel:
    """`season` is added to all log-odds: the difference of the horizon after the as-of date from the mean one."""

    horizon_days: int
    risk: Risk
    season: float
    process: BuyTillYouDie
    spend: SpendModel

    @classmethod
    def train(cls, fit: Fit, past: TrainingSet, process: BuyTillYouDie) -> Self:
        """Trains on the newest of the snapshots, all of which must have been known by then; without a season."""
        recent = past.newest(RECENT_SNAPSHOTS)
        model = cls(past.horizon_days, fit(recent, process), 0.0, process, SpendModel.fit(recent))
        return model._at_level_of(recent)

    def in_season(self, past: TrainingSet, as_of: date) -> Self:
        """With base rate and level of spend as they were a year before `as_of`; the same if that is not known."""
        year_before = past.year_before(as_of)
        if year_before is None:
            return self
        shift = base_rate_shift(self.risk.log_odds(year_before.features), year_before.totals.churn_rate)
        shifted = type(self)(self.horizon_days, self.risk, shift, self.process, self.spend)
        return shifted._at_level_of(year_before)

    def _at_level_of(self, data: TrainingSet) -> Self:
        spent, expected = data.totals.mean_spend, float(self.expected_spend(data.features).mean())
        return self.with_spend_level(spent / expected) if spent > 0 else self

    def with_spend_level(self, factor: float) -> Self:
        """The same model with its expected spend multiplied by a factor."""
        return type(self)(self.horizon_days, self.risk, self.season, self.process, self.spend.scaled(factor))

    def churn_probability(self, features: Floats) -> Floats:
        """P(no purchase in the horizon), [n], of customers with these features, [n, number of features]."""
        probability: Floats = expit(self.risk.log_odds(features) + self.season)
        return probability

    def contributions(self, features: Floats) -> Floats:
        """The difference between a typical active customer's log-odds and this customer's, by cause, [n, causes]."""
        return self.risk.contributions(features)

    def expected_spend(self, features: Floats) -> Floats:
        """P(buys) · E[spend | buys] within the horizon, in the reporting currency, [n]."""
        return (1 - self.churn_probability(features)) * self.spend.if_bought(features)

    def next_order_days(self, features: Floats) -> Floats:
        """Days by which the next order has come with each of NEXT_ORDER_CHANCES, [n, 3]; NaN: later than two
        horizons."""
        churn, known = self.churn_probability(features), history(features)
        return np.column_stack(
            [self.process.days_until(chance, *known, churn, self.horizon_days) for chance in NEXT_ORDER_CHANCES]
        )


def base_rate_shift(log_odds: Floats, churn_rate: float) -> float:
    """The number to add to the log-odds so that their mean probability is the share that churned."""
    observed = np.clip(churn_rate, 0.5 / len(log_odds), 1 - 0.5 / len(log_odds))
    shift = 0.0
    for _ in range(50):
        p = expit(log_odds + shift)
        step = float((observed - p.mean()) / np.maximum((p * (1 - p)).mean(), 1e-9))
        shift += float(np.clip(step, -2, 2))
        if abs(step) < 1e-12:
            break
    return shift
