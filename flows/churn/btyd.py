"""Buy till you die: the process behind repeat purchases, fitted to how often and how lately customers bought.

Customers buy at a pace of their own until they leave: with a purchase, the first one too, as in MBG/NBD (Batislam,
Denizel and Filiztekin, IJRM 24, 2007), or at any moment, as in Pareto/NBD (Schmittlein, Morrison and Colombo,
Management Science 33, 1987), in gaps that may be more regular than a Poisson process's (gaps.py). When they may have
left since the last purchase is an integral over that time; P(alive) and P(no purchase in the next days) follow.
(1 - P(alive), often shown instead, is no churn probability: who buys once a year is still there.)
"""

from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import roots_sh_jacobi

from flows.churn.btyd_fit import moments_of_silence, most_probable
from flows.churn.gaps import Gaps, shape_of_gaps
from flows.churn.training_set import column

Floats = NDArray[np.float64]
Days = TypeVar("Days", float, Floats, float | Floats)

# log P is kept this far from 0 and from -∞, so that its log-odds are finite and stable in double precision
LOG_P_RANGE = (-20.0, -1e-6)
# the odds of having left are at most 8,000 to 1: beyond that the waiting time below would be a difference of rounding
# errors
LOG_GONE_LIMIT = 9.0
MIN_P = 1e-12
LOG_GROWTH_LIMIT = 30.0
# a trend is carried back no further than 20 years: beyond, days at today's pace would be astronomically many
MAX_TREND_DAYS = 7_300.0
# a chance of leaving below this is as good as none, and a difference of rounding errors
MIN_DROPOUT = 1e-5
# an exponent of 0, which would divide by it
MIN_POWER = 1e-3
# more than anybody has: beyond, what customers would spend and what they will would differ by rounding errors
MAX_REPEATS, MAX_AGE_DAYS = 10_000.0, 36_525.0
DROPOUT_NODES = 8
# of the distribution that has the nodes; beyond, its moments would not fit into doubles
MAX_OF_NODES = 450.0


@dataclass(frozen=True)
class BuyTillYouDie:
    """Purchase rates ~ Gamma(r, 1/alpha days), chance of leaving with a purchase ~ Beta(a, b), rate of leaving at any
    moment ~ Gamma(s, 1/beta days). `trend`: the change per day of the logarithm of everybody's pace. The days of these
    distributions are days at today's pace: of last year more than 365, if the pace falls. `shape`: of gaps."""

    r: float
    alpha: float
    a: float
    b: float
    s: float
    beta: float
    trend: float = 0.0
    shape: float = 1.0

    @classmethod
    def fit(cls, features: Floats, trend: float = 0.0) -> Self:
        """The most probable process given the histories of customers at one date; features: [n, number of features]."""
        repeats, last, age = history(features)
        clock, shape = cls(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, trend), shape_of_gaps(features)
        r, alpha, a, b, s, beta = most_probable(repeats, *clock._at_todays_pace(last, age), Gaps(shape))
        return cls(r, alpha, a, b, s, beta, trend, shape)

    @property
    def gaps(self) -> Gaps:
        return Gaps(self.shape)

    def log_odds_of_no_purchase(self, repeats: Floats, last: Floats, age: Floats, days: float) -> Floats:
        """Log-odds of buying nothing within `days`, of customers with these histories: see `history`."""
        log_p = np.clip(self._log_no_purchase_in(days, repeats, last, age), *LOG_P_RANGE)
        log_odds: Floats = log_p - np.log(1 - np.exp(log_p))
        return log_odds

    def days_until(
        self, chances: Floats, repeats: Floats, last: Floats, age: Floats, churn_probability: Floats, horizon_days: int
    ) -> Floats:
        """Days within which the next purchase comes with the given chances, [n, k]; NaN: not within two horizons.

        The process determines the shape of the waiting time (proportional hazards), the churn probability its level at
        the horizon."""
        hazard_ratio = self._hazard_ratio(repeats, last, age, churn_probability, horizon_days)
        no_purchase_yet = np.exp(np.log(1 - chances) / np.expand_dims(hazard_ratio, (1,)))
        known, never = (np.expand_dims(of, (1,)) for of in self._known_and_never(repeats, last, age, horizon_days))
        left_over = no_purchase_yet * (1 + never) - never
        log_growth = -np.log(np.maximum(left_over, 1e-300)) / np.expand_dims(self._bought(repeats), (1,))
        days = self._calendar_days(known * (np.exp(np.minimum(log_growth, LOG_GROWTH_LIMIT)) - 1))
        return np.where((left_over > 0) & (days <= 2 * horizon_days), days, np.nan)

    def share_of_purchases_by(
        self, days: Floats, repeats: Floats, last: Floats, age: Floats, churn_probability: Floats, horizon_days: int
    ) -> Floats:
        """Share of the next purchases of the horizon that come within `days` of it, [n]: see `days_until`."""
        hazard_ratio = self._hazard_ratio(repeats, last, age, churn_probability, horizon_days)
        none_by_then = np.exp(hazard_ratio * self._log_no_purchase(repeats, last, age, days, horizon_days))
        share: Floats = (1 - none_by_then) / np.maximum(1 - churn_probability, 1e-9)
        return share

    def _hazard_ratio(
        self, repeats: Floats, last: Floats, age: Floats, churn_probability: Floats, horizon_days: int
    ) -> Floats:
        log_p = np.clip(self._log_no_purchase(repeats, last, age, horizon_days, horizon_days), *LOG_P_RANGE)
        ratio: Floats = np.log(np.clip(churn_probability, 1e-9, 1 - 1e-9)) / log_p
        return ratio

    def gone_probability(self, repeats: Floats, last: Floats, age: Floats) -> Floats:
        """P(has left), [n], of customers with these histories: see `history`."""
        odds = self._gone_to_stayed(repeats, *self._at_todays_pace(last, age))
        gone: Floats = odds / (1 + odds)  # not expit, which ONNX Runtime rounds to 14 decimals
        return gone

    def alive_after_purchase(self, repeats: Floats) -> Floats:
        """P(has not left) on the day of the last purchase, [n]."""
        return (self.b + repeats) / (self.a + self.b + repeats)

    def purchases_if_staying(self, repeats: Floats, last: Floats, age: Floats, days: float) -> Floats:
        """Expected purchases in the next days, [n], of customers who are still there and never leave."""
        known = self._known_by_now(repeats, *self._at_todays_pace(last, age))
        return self._bought(repeats) * (self._days_ahead(days) / known)

    def purchases_ahead(
        self, repeats: Floats, last: Floats, age: Floats, horizon_days: float, clv_days: float
    ) -> tuple[Floats, Floats, Floats]:
        """Expected purchases of customers who are still there and may leave, [n] each: in the horizon, in clv_days, and
        in clv_days after one more purchase today.

        The purchases of who leaves with purchases only, as far as customers are still there otherwise: on the mean of
        the horizon, and of the rest of clv_days."""
        last, since_first = self._at_todays_pace(last, age)
        horizon, clv = self._days_ahead(horizon_days), self._days_ahead(clv_days)
        known, if_bought_today = self._known_by_now(repeats, last, since_first), self.alpha + self.shape * since_first
        by_then = self._purchases_until_one_is_the_last(repeats, known, horizon, clv)
        after_one_more = self._purchases_until_one_is_the_last(repeats + 1, if_bought_today, clv)
        in_horizon, in_clv_days = by_then[:, 0], by_then[:, 1]
        lifetime = self.beta + since_first
        until_horizon = in_horizon * self._still_there(lifetime, 0.0, horizon)
        until_clv = until_horizon + (in_clv_days - in_horizon) * self._still_there(lifetime, horizon, clv)
        return until_horizon, until_clv, after_one_more[:, 0] * self._still_there(lifetime, 0.0, clv)

    def _still_there(self, lifetime: Floats, start: float, end: float) -> Floats:
        """Mean over days ahead of the chance to have left by then with purchases only."""
        if start == end:
            return lifetime / (lifetime + start)
        power = 1 - self.s if abs(1 - self.s) > MIN_POWER else MIN_POWER
        ends = [np.exp(power * np.log(1 + days / lifetime)) if days else 1.0 for days in (start, end)]
        mean: Floats = lifetime * (ends[1] - ends[0]) / (power * (end - start))
        return mean

    def _purchases_until_one_is_the_last(self, repeats: Floats, known: Floats, *days: float) -> Floats:
        """E[(1 - (1 + p·days/known)^-(r + shape·repeats)) / p] over the chance p of leaving ~ Beta(a, b + repeats + 1),
        [n, k] for k numbers of days, with known [n], by a quadrature over y, p = y / (b + repeats + 1 + y), which has
        its nodes where that distribution is."""
        nodes, log_weights = _dropout_nodes(self.a, self.b)
        stayed = np.expand_dims(repeats + (self.b + 1), (1,))
        weight = np.exp(log_weights - (stayed + self.a) * np.log(1 + nodes / stayed))
        dropout = np.maximum(nodes / (stayed + nodes), MIN_DROPOUT)
        # not log1p, which the graph does not have: both must round alike
        growth = np.expand_dims(dropout, (1,)) * np.expand_dims(np.column_stack([by / known for by in days]), (2,))
        none_by_then = np.exp(np.expand_dims(-self._bought(repeats), (1, 2)) * np.log(1 + growth))
        in_all = (np.expand_dims(weight / dropout, (1,)) * (1 - none_by_then)).sum(axis=2)
        expected: Floats = in_all / np.expand_dims(weight.sum(axis=1), (1,))
        return expected

    def _log_no_purchase(
        self, repeats: Floats, last: Floats, age: Floats, days: float | Floats, horizon_days: float
    ) -> Floats:
        """log P(no purchase for `days` more), as if gaps from now on were those of a Poisson process: of `days_until`,
        whose dates waiting_time.py corrects."""
        known, never = self._known_and_never(repeats, last, age, horizon_days)
        silent = -self._bought(repeats) * np.log(1 + self._days_ahead(days) / known)
        log_p: Floats = np.log(np.maximum((np.exp(silent) + never) / (1 + never), MIN_P))
        return log_p

    def _log_no_purchase_in(self, days: float, repeats: Floats, last: Floats, age: Floats) -> Floats:
        """log P(no purchase for `days` more)."""
        _, never = self._known_and_never(repeats, last, age, days)
        last, age = self._at_todays_pace(last, age)
        bought, known, silence = self._bought(repeats), self.alpha + self.shape * last, age - last
        silent = self.gaps.silent(bought, known, silence + self._days_ahead(days))
        silent = silent - self.gaps.silent(bought, known, silence)
        log_p: Floats = np.log(np.maximum((np.exp(silent) + never) / (1 + never), MIN_P))
        return log_p

    def _known_and_never(
        self, repeats: Floats, last: Floats, age: Floats, horizon_days: float
    ) -> tuple[Floats, Floats]:
        """What is known of the pace by now; and the odds that no purchase is to come, because the customer has left or,
        as far as the horizon is concerned, leaves before the purchase: before the time that those wait who buy in the
        horizon, which is half of it for the slow."""
        last, age = self._at_todays_pace(last, age)
        known = self._known_by_now(repeats, last, age)
        wait = 1 / (self._bought(repeats) / known + 2 / self._days_ahead(horizon_days))
        leaves = np.exp(self.s * np.log(1 + wait / (self.beta + age)))
        return known, (1 + self._gone_to_stayed(repeats, last, age)) * leaves - 1

    def _gone_to_stayed(self, repeats: Floats, last: Floats, age: Floats) -> Floats:
        """Odds of having left: with the last purchase, or at a moment since. Days at today's pace."""
        bought, known, log_lifetime = self._bought(repeats), self.alpha + self.shape * last, np.log(self.beta + age)
        silent = self.gaps.silent(bought, known, age - last)
        with_purchase = np.log(self.a / (self.b + repeats)) - silent
        with_purchase = with_purchase + self.s * (log_lifetime - np.log(self.beta + last))
        moments, weights = moments_of_silence(last, age, self.alpha)
        lifetimes = self.beta + moments
        bought, known, since_last = (np.expand_dims(of, (1,)) for of in (bought, known, last))
        since = self.gaps.silent(bought, known, moments - since_last) - np.expand_dims(silent, (1,))
        since = since + self.s * (np.expand_dims(log_lifetime, (1,)) - np.log(lifetimes))
        leaving = (np.exp(np.minimum(since, LOG_GONE_LIMIT)) * (self.s * weights / lifetimes)).sum(axis=1)
        odds: Floats = np.exp(np.minimum(with_purchase, LOG_GONE_LIMIT)) + leaving
        return np.minimum(odds, np.exp(LOG_GONE_LIMIT))

    def _bought(self, repeats: Floats) -> Floats:
        return self.r + self.shape * repeats

    def _known_by_now(self, repeats: Floats, last: Floats, age: Floats) -> Floats:
        """Days at today's pace: `_bought` divided by it is the pace, [n], of those who are still there."""
        return self.gaps.known_by_now(self._bought(repeats), self.alpha + self.shape * last, age - last)

    def _at_todays_pace(self, last: Floats, age: Floats) -> tuple[Floats, Floats]:
        since_first = self._days_since(age)
        return since_first - self._days_since(age - last), since_first

    def _days_since(self, days: Floats) -> Floats:
        """The days past as days at today's pace."""
        if not self.trend:
            return days
        return (1 - np.exp(-self.trend * np.minimum(days, MAX_TREND_DAYS))) / self.trend

    def _days_ahead(self, days: Days) -> Days:
        """The days to come as days at today's pace."""
        return (np.exp(self.trend * days) - 1) / self.trend if self.trend else days

    def _calendar_days(self, days: Floats) -> Floats:
        """The days to come that are so many at today's pace."""
        return np.log(np.maximum(1 + self.trend * days, 1e-300)) / self.trend if self.trend else days


def _dropout_nodes(a: float, b: float) -> tuple[Floats, Floats]:
    """Nodes y and logarithms of weights of ∫ y^(a-1) f(y) dy from 0 to ∞, up to a factor, for f(y) that fall like
    (1 + y / stayed)^-(stayed + a), with stayed from b + 1 on.

    Those of Gauss and Jacobi for a beta distribution that has as much at 0, and falls no faster than any of them: what
    is left to integrate is smooth."""
    of_zero, of_one = min(a, MAX_OF_NODES), min((a + b + 1) / 2, b + 1, MAX_OF_NODES)
    x, weights = roots_sh_jacobi(DROPOUT_NODES, of_zero + of_one - 1, of_zero)
    log_weights = np.log(weights) + (a - of_zero) * np.log(x) - (a + of_one) * np.log(1 - x)
    y = of_one * x / (1 - x)
    # in the middle of what they are for those who have just come and who have long been there: neither leaves the range
    # of doubles then, with an a of up to 300
    largest = [np.max(log_weights - of_y) for of_y in ((a + b + 1) * np.log(1 + y / (b + 1)), y)]
    return y, log_weights - np.mean(largest)


def history(features: Floats) -> tuple[Floats, Floats, Floats]:
    """The process's input for each customer: repeat purchases, days from the first to the last, days from the first."""
    repeats = np.clip(column(features, "frequency") - 1, 0, MAX_REPEATS)
    recency = np.clip(column(features, "recency_days"), 0, MAX_AGE_DAYS)
    age = np.maximum(np.minimum(column(features, "tenure_days"), MAX_AGE_DAYS), recency)
    return repeats, np.where(repeats > 0, age - recency, 0.0), age
