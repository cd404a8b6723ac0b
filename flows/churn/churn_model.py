"""The churn model: risk, season, spend and the date of the next order, of one shop for one horizon."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from flows.churn.btyd import BuyTillYouDie, Floats, history
from flows.churn.customer_value import CustomerValue, Outlook
from flows.churn.lifecycle import lifecycle
from flows.churn.risk import Risk
from flows.churn.season import Season
from flows.churn.spend import SpendModel
from flows.churn.training_set import YEAR_TOLERANCE_DAYS, TrainingSet
from flows.churn.waiting_time import WaitingTime, haste_of_season
from functions.churn_api.scorer import day_of_year
from functions.predicted import NEXT_ORDER_COLUMNS

Fit = Callable[[TrainingSet, BuyTillYouDie], Risk]

# older snapshots are used for the season and for tests, not for training: customers change
RECENT_SNAPSHOTS = 12
# the probabilities with which the next order has come by the earliest, the median and the latest date
NEXT_ORDER_CHANCES = tuple(
    int(name.removeprefix("chance_")) / 100 for name in NEXT_ORDER_COLUMNS if name.startswith("chance_")
)
# and, if they order within the horizon at all, the one with which that has happened by the day `if_back`
IF_BACK_CHANCE = 0.5
# a purchase of a day is, on average, one of its middle
HALF_A_DAY = 0.5

# what ONNX Runtime rounds of a probability below it would show in what a very rich customer is worth
MIN_GONE = 1e-9


@dataclass(frozen=True)
class ChurnModel:
    """As of a day whose season it follows: see `as_of`. `shift` is added to all log-odds, `log_spend` to the logarithm
    of expected spend, and `log_haste` to that of how early those come who do: the difference of the horizon after the
    as-of date from the year's mean, one number or one for each of n customers."""

    horizon_days: int
    risk: Risk
    process: BuyTillYouDie
    spend: SpendModel
    value: CustomerValue
    waiting: WaitingTime = field(default_factory=WaitingTime)
    season: Season = field(default_factory=Season.unknown)
    shift: float | Floats = 0.0
    log_spend: float | Floats = 0.0
    log_haste: float | Floats = 0.0

    @classmethod
    def train(cls, fit: Fit, past: TrainingSet, process: BuyTillYouDie) -> Self:
        """Trains on the newest of the snapshots, all of which must have been known by then; without a season."""
        recent = past.newest(RECENT_SNAPSHOTS)
        risk, spend, value = fit(recent, process), SpendModel.fit(recent), CustomerValue(past.clv_days)
        model = cls(past.horizon_days, risk, process, spend, value)
        return model._at_level_of(recent)

    def in_season(self, past: TrainingSet, as_of: date, whole_year: bool = False) -> Self:
        """With base rate, level of spend and haste as they were a year before `as_of`; with the `whole_year`, also a
        year before each later day on which the model may be used. The same if the year before is not known."""
        year_before = past.year_before(as_of)
        if year_before is None:
            return self
        of_days = {day_of_year(as_of): year_before}
        if whole_year:
            *_, newest = days = past.snapshot_dates
            of_year = [day for day in days if (newest - day).days < 365 - YEAR_TOLERANCE_DAYS]
            of_days = {day_of_year(day + timedelta(days=365)): past.at([day]) for day in of_year} | of_days
        _, usual, _ = self.waited(past.newest(RECENT_SNAPSHOTS))
        season = Season.between({day: self._difference_from(then, usual) for day, then in of_days.items()})
        return replace(self, season=season).as_of(np.array([day_of_year(as_of)]))

    def as_of(self, days_of_year: NDArray[np.int64]) -> Self:
        """The model for other days of the year: one for each of n customers, [n], or one for all, [1]."""
        tables = self.season.log_odds, self.season.log_spend, self.season.log_haste
        shift, log_spend, haste = (np.take_along_axis(table, days_of_year, 0) for table in tables)
        return replace(self, shift=shift, log_spend=log_spend, log_haste=haste)

    def _difference_from(self, data: TrainingSet, usual: Floats) -> tuple[float, float, float]:
        """What to add to log-odds, log spend and log haste, so that base rate, level of spend and haste are those of
        the data. `usual`: see waiting_time.haste_of_season."""
        shift = base_rate_shift(self.risk.log_odds(data.features), data.totals.churn_rate)
        then, spent = replace(self, shift=shift), data.totals.mean_spend
        expected = float(then.expected_spend(data.features).mean())
        _, share, _ = then.waited(data)
        return shift, float(np.log(spent / expected)) if spent > 0 else 0.0, haste_of_season(share, usual)

    def _at_level_of(self, data: TrainingSet) -> Self:
        spent, expected = data.totals.mean_spend, float(self.expected_spend(data.features).mean())
        return self.with_spend_level(spent / expected) if spent > 0 else self

    def with_spend_level(self, factor: float) -> Self:
        """The same model with its expected spend multiplied by a factor."""
        return replace(self, spend=self.spend.scaled(factor))

    def with_value(self, past: TrainingSet) -> Self:
        """The same model with the level and the interval of what customers spent in clv_days after past dates."""
        without_season = self._spend_without_season(past.features)
        fitted = CustomerValue.fit(past, self.process, without_season, self.value.clv_days, self.horizon_days)
        return replace(self, value=fitted)

    def churn_probability(self, features: Floats) -> Floats:
        """P(no purchase in the horizon), [n], of customers with these features, [n, number of features]."""
        probability: Floats = expit(self.risk.log_odds(features) + self.shift)
        return probability

    def contributions(self, features: Floats) -> Floats:
        """The difference between a typical active customer's log-odds and this customer's, by cause, [n, causes]."""
        return self.risk.contributions(features)

    def expected_spend(self, features: Floats) -> Floats:
        """P(buys) · E[spend | buys] within the horizon, in the reporting currency, [n]."""
        return (1 - self.churn_probability(features)) * self.spend.if_bought(features, self.log_spend)

    def alive_probability(self, features: Floats) -> Floats:
        """P(still a customer), [n]: the process's, and at least that of a purchase, because who left buys nothing."""
        return 1 - self._gone_probability(features)

    def _gone_probability(self, features: Floats) -> Floats:
        no_purchase = np.maximum(self.churn_probability(features), MIN_GONE)
        gone: Floats = np.minimum(self.process.gone_probability(*history(features)), no_purchase)
        return gone

    def lifecycle(self, features: Floats) -> Floats:
        """Positions in `contract.LIFECYCLES`, [n]."""
        return lifecycle(features, self.alive_probability(features), self.process)

    def customer_value(self, features: Floats) -> Floats:
        """`clv`, `clv_low`, `clv_high`, `expected_loss`, `win_back_value`: see customer_value.Outlook; [n, 5]."""
        outlook = self.value.outlook(
            features, self.process, self._spend_without_season(features), self._gone_probability(features),
            self.horizon_days,
        )  # fmt: skip
        return np.column_stack([getattr(outlook, part.name) for part in fields(Outlook)])

    def _spend_without_season(self, features: Floats) -> Floats:
        purchase: Floats = 1 - expit(self.risk.log_odds(features))
        return purchase * self.spend.if_bought(features)

    def next_order_days(self, features: Floats) -> Floats:
        """Days by which, rounded up, the next order has come with each of NEXT_ORDER_CHANCES; NaN: later than two
        horizons. Last, those by which half of the customers have who order within the horizon; [n, 4]."""
        churn = self.churn_probability(features)
        purchase = np.expand_dims(1 - churn, (1,))
        wanted = purchase * np.array([0.0] * len(NEXT_ORDER_CHANCES) + [IF_BACK_CHANCE])
        wanted = wanted + np.array([*NEXT_ORDER_CHANCES, 0.0])
        chances = self.waiting.chances_of_process(wanted, features, 1 - churn, self.log_haste, self.horizon_days)
        days = self.process.days_until(chances, *history(features), churn, self.horizon_days)
        # the chance is that of the nearest day: of the next one it would be more, for the fast by several points
        return np.maximum(days - HALF_A_DAY, HALF_A_DAY)

    def waited(self, customers: TrainingSet) -> tuple[Floats, Floats, Floats]:
        """Of customers who bought in the horizon: their features, [n, number of features], the share of such purchases
        that the process expects by the day of theirs, and the log haste of their season, [n] each."""
        bought = customers.where(customers.days_to_next_purchase <= self.horizon_days)
        features, days = bought.features, bought.days_to_next_purchase - HALF_A_DAY
        churn = self.churn_probability(features)
        share = self.process.share_of_purchases_by(days, *history(features), churn, self.horizon_days)
        return features, share, np.broadcast_to(self.log_haste, len(share))

    def with_waiting_time(self, waiting: WaitingTime) -> Self:
        """The same model with a waiting time that was fitted to dates it was not trained on."""
        return replace(self, waiting=waiting)


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
