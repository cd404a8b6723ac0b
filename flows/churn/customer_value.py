"""What customers are worth: their spend in the next `clv_days`, what is lost if they leave, and what winning them back
brings.

The expected spend within the horizon (trained, and good at sorting customers) is extended by the buy-till-you-die
process: by how many more purchases it expects in clv_days than in the horizon. Both sides are without the season of the
horizon, since clv_days are whole years. The level is fitted on past dates whose clv_days have passed.
"""

from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np

from flows.churn.btyd import BuyTillYouDie, Floats, history
from flows.churn.forecast import COVERAGE, forecast_of_totals
from flows.churn.training_set import TrainingSet, column

# dates whose clv_days have passed: the level follows the newest, the interval needs more customers
LEVEL_DATES = 4
INTERVAL_DATES = 12
INTERVAL_GROUPS = 12
MIN_PER_INTERVAL_GROUP = 40
# a customer's own mean order value counts as much as the shop's from so many orders on
ORDERS_OF_THE_SHOP = 3.0
LEVEL_RANGE = (0.25, 4.0)


@dataclass(frozen=True)
class Interval:
    """Quantiles of what customers spent in clv_days given what was expected of them, both as log(1 + amount).

    Piecewise linear through the origin: Σ slope change · max(log(1 + expected) - knot, 0). knots, changes: [2, pieces],
    of the lower and the upper end.
    """

    knots: Floats
    changes: Floats

    @classmethod
    def fit(cls, expected: Floats, spent: Floats) -> Self | None:
        """From groups of customers of whom about as much was expected; None: too few customers."""
        groups = min(INTERVAL_GROUPS, len(expected) // MIN_PER_INTERVAL_GROUP)
        if groups < 2:
            return None
        parts = np.array_split(np.argsort(expected, kind="stable"), groups)
        at = np.log1p([float(expected[part].mean()) for part in parts])
        distinct = np.concatenate([[True], np.diff(at) > 1e-6]) & (at > 1e-6)
        if distinct.sum() < 2:
            return None
        ends = np.log1p([_ends(spent[part]) for part in parts]).T
        at, ends = at[distinct], np.maximum.accumulate(ends[:, distinct], axis=1)
        slopes = np.diff(np.concatenate([np.zeros((2, 1)), ends], axis=1)) / np.diff(at, prepend=0.0)
        # beyond the last group both ends grow as the expected spend does, and nothing stays nothing
        slopes = np.concatenate([slopes, ends[:, -1:] > 0], axis=1)
        return cls(np.tile(np.concatenate([[0.0], at]), (2, 1)), np.diff(slopes, prepend=0.0))

    def ends(self, expected: Floats) -> tuple[Floats, Floats]:
        """Lower and upper end for customers of whom so much is expected, which lies between them; each [n]."""
        above = np.maximum(np.expand_dims(np.log(1 + expected), (1, 2)) - self.knots, 0)
        spent = np.exp((above * self.changes).sum(axis=2)) - 1
        return np.clip(spent[:, 0], 0, expected), np.maximum(spent[:, 1], expected)


def _ends(spent: Floats) -> Floats:
    """Lower and upper end of what a group spent. Where as many spent nothing as may lie below, nobody lies below, and
    all who may lie outside lie above."""
    outside = 1 - COVERAGE
    low, high, high_from_zero = np.quantile(spent, [outside / 2, 1 - outside / 2, 1 - outside])
    return np.array([low, high if low > 0 else high_from_zero])


@dataclass(frozen=True)
class Outlook:
    """Per customer, [n] each; money in the reporting currency.

    clv: expected spend in clv_days. clv_low, clv_high: an interval of 80 % for what they spend; NaN where no past
    clv_days are known. expected_loss: what they would spend if they stayed, less clv. win_back_value: what they would
    spend if they ordered again today, that order included, weighted by the probability that they have left.
    """

    clv: Floats
    clv_low: Floats
    clv_high: Floats
    expected_loss: Floats
    win_back_value: Floats


@dataclass(frozen=True)
class CustomerValue:
    """`level`: spend ÷ the spend that the process extends the horizon's to. `mean_order_value`, `order_value_level`: of
    the shop. `interval`: None where no past clv_days are known. `total`: how far from its expected total the clv of all
    customers may come, as factors; None where fewer than two dates are known."""

    clv_days: int
    level: float = 1.0
    mean_order_value: float = 0.0
    order_value_level: float = 1.0
    interval: Interval | None = None
    total: tuple[float, float] | None = None

    @classmethod
    def fit(
        cls, past: TrainingSet, process: BuyTillYouDie, spend_in_horizon: Floats, clv_days: int, horizon_days: int
    ) -> Self:
        """From snapshots, with the expected spend in the horizon of their rows, [n], that knows no season.

        Without one whose clv_days have passed, the level is the horizon's and there is no interval."""
        shop = cls(clv_days, mean_order_value=float(past.column("average_order_value").mean()))
        expected = shop._clv(past.features, process, spend_in_horizon, horizon_days)
        spent, level, interval, total = past.spend_in_clv_window, 1.0, None, None
        known = [day for day in past.snapshot_dates if not np.isnan(spent[past.dates == np.datetime64(day)]).any()]
        if known:
            newest = np.isin(past.dates, np.array(known[-LEVEL_DATES:], dtype="datetime64[D]"))
            level = float(np.clip(spent[newest].sum() / max(expected[newest].sum(), 1e-9), *LEVEL_RANGE))
            several = np.isin(past.dates, np.array(known[-INTERVAL_DATES:], dtype="datetime64[D]"))
            interval = Interval.fit(level * expected[several], spent[several])
            total = _total(past, expected, known[-INTERVAL_DATES:], clv_days)
        now = past.newest(1).features
        alive, rate = 1 - process.gone_probability(*history(now)), _ahead(now, process, clv_days, horizon_days)[1]
        per_order = float((alive * rate * shop._order_value(now)).sum())
        of_newest = level * float(expected[past.dates == past.dates.max()].sum())
        return cls(
            clv_days, level, shop.mean_order_value,
            float(np.clip(of_newest / max(per_order, 1e-9), *LEVEL_RANGE)), interval, total,
        )  # fmt: skip

    def outlook(
        self, features: Floats, process: BuyTillYouDie, spend_in_horizon: Floats, gone: Floats, horizon_days: int
    ) -> Outlook:
        """`spend_in_horizon`: expected, without a season, [n]; `gone`: the probability that they have left."""
        horizon, leaving, after_today = _ahead(features, process, self.clv_days, horizon_days)
        per_purchase = self.level * spend_in_horizon / horizon
        clv = per_purchase * leaving
        staying = per_purchase * process.purchases_if_staying(*history(features), self.clv_days)
        returned = (1 + after_today) * self._order_value(features) * self.order_value_level
        unknown = clv * np.nan
        low, high = self.interval.ends(clv) if self.interval else (unknown, unknown)
        return Outlook(clv, low, high, np.maximum(staying - clv, 0), gone * returned)

    def _clv(self, features: Floats, process: BuyTillYouDie, spend_in_horizon: Floats, horizon_days: int) -> Floats:
        horizon, leaving, _ = _ahead(features, process, self.clv_days, horizon_days)
        return self.level * spend_in_horizon * leaving / horizon

    def _order_value(self, features: Floats) -> Floats:
        orders, mean = column(features, "frequency"), column(features, "average_order_value")
        return (mean * orders + ORDERS_OF_THE_SHOP * self.mean_order_value) / (orders + ORDERS_OF_THE_SHOP)


def _total(past: TrainingSet, expected: Floats, days: list[date], clv_days: int) -> tuple[float, float] | None:
    if len(days) < 2:
        return None
    rows = [past.dates == np.datetime64(day) for day in days]
    sums = [np.array([values[of].sum() for of in rows]) for values in (expected, past.spend_in_clv_window)]
    found = forecast_of_totals(sums[0], sums[1], (days[-1] - days[0]).days / clv_days)
    return found.low, found.high


def _ahead(features: Floats, process: BuyTillYouDie, clv_days: int, horizon_days: int) -> tuple[Floats, Floats, Floats]:
    """Expected purchases, [n] each, of customers who are still there: in the horizon, in clv_days, and in clv_days
    after one more today."""
    return process.purchases_ahead(*history(features), horizon_days, clv_days)
