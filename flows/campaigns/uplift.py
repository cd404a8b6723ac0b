"""Who is worth contacting: an uplift model, fitted to past campaigns that assigned customers to arms by chance.

The additional spend is a sum of two terms in units of the customer's usual basket, because amounts are too noisy to fit
a difference of differences to: more purchases, and other baskets where that helps out of fold. Simple rankings of the
effect and the difference of two regressions of purchases, one of each arm, compete for the first and are stacked
(`response_fit.py`). On simulated shops (`tests/benchmarks/campaigns.py`) and worlds
(`tests/benchmarks/campaign_learners.py`) this is better than each alone. Churn risk is one of the covariates; it is
never taken for the effect."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from flows.campaigns.covariates import Columns, Floats, Known
from flows.campaigns.offer import Offer
from flows.campaigns.out_of_fold import ONE_SIDED_95, Interval, OutOfFold
from flows.campaigns.past_targets import PastTargets
from flows.campaigns.randomisation import LEVEL, randomisation_p
from flows.campaigns.response_fit import Contest, Fit
from flows.campaigns.transfer import AS_LEARNT, Transfer

REPLICATES = 30
_ROWS_AT_ONCE = 100_000
# resampling does not move what stacking and regularisation shrink: for 90 histories with a known effect, intervals as
# wide as the spread of the replicates covered it in 68 of 100 cases, with 2,000 targets as with 8,000
_WIDER = 1.5


@dataclass(frozen=True)
class InsufficientData:
    """Past campaigns are not enough to fit a model, and why."""

    why: str


@dataclass(frozen=True)
class Estimate:
    """Of n customers, in the shop's currency: the mean, and the ends of an interval that covers the mean profit of
    contacting such customers in about 90 of 100 histories: the uncertainty of a short history. It covers neither the
    deviation of a single customer nor changes of times and offers. The true mean of customers chosen for a high
    estimate is lower than the estimate.
    chance_if_contacted: probability of a purchase within the window."""

    mean: Floats
    low: Floats
    high: Floats
    chance_if_contacted: Floats


@dataclass(frozen=True)
class Uplift:
    """The fitted model. out_of_fold: what lists would have brought, on customers that the model was not fitted to.
    p: of the randomisation test of whether effects differ between customers, as a ranking needs it.

    windows: minimum and maximum window of the history; others are clipped to them.
    transfer: how far the effect learnt carries over to the offer at hand.
    replicates: the same fit on resampled customers; intervals come from their spread.
    """

    out_of_fold: OutOfFold
    p: float
    windows: tuple[float, float]
    columns: Columns
    replicates: tuple[Fit, ...]
    transfer: Transfer = AS_LEARNT

    @property
    def beats_random(self) -> bool:
        """Whether the ranking beats chance: without any effect it is False in 19 of 20 cases."""
        return self.p <= LEVEL and self.gain_over_chance.mean > 0

    @property
    def targets(self) -> int:
        return len(self.out_of_fold.fold)

    @property
    def gain_over_chance(self) -> Interval:
        return self.out_of_fold.gain_over_chance()

    @property
    def why(self) -> str:
        """Whether the ranking beats chance, for people to read."""
        gain = self.gain_over_chance
        subject = f"On {self.targets:,} past targets that it was not fitted to, the ranking"
        figures = (
            f"{gain.mean:+.2f} of additional spend per customer contacted"
            f" (in the shop's currency; 90 % interval {gain.low:+.2f} to {gain.high:+.2f};"
            f" effects seem to differ as much in {self.p:.1%} of random draws of the arms)"
        )
        if self.beats_random:
            return f"{subject} beat chance by {figures}."
        return (
            f"{subject} did not clearly beat chance: {figures}."
            " Contact by chance, with a holdout, until there are more targets to fit the model to."
        )

    def expected_profit(self, customers: pa.Table, margin: float, offer: Offer, window_days: int) -> Estimate:
        """margin × additional spend less the cost of contacting, for each customer. Columns: COVARIATES and channel."""
        window = float(np.clip(window_days, *self.windows))
        n = customers.num_rows
        mean, error, chance = np.empty(n), np.empty(n), np.empty(n)
        for start in range(0, n, _ROWS_AT_ONCE):
            part = slice(start, min(start + _ROWS_AT_ONCE, n))
            known = Known.of(customers.slice(start, _ROWS_AT_ONCE), window)
            columns = self.columns.matrix(known)
            profits = np.array([self._profit(fit, columns, known, margin, offer) for fit in self.replicates])
            mean[part], error[part] = profits.mean(axis=0), profits.std(axis=0, ddof=1)
            chances = np.mean([fit.chances(columns) for fit in self.replicates], axis=0)
            chance[part] = self.transfer.expected * chances[0] + (1 - self.transfer.expected) * chances[1]
        width = ONE_SIDED_95 * _WIDER * error
        return Estimate(mean, mean - width, mean + width, chance)

    def profit_of_list(self, customers: pa.Table, margin: float, offer: Offer, window_days: int) -> Interval:
        """What contacting all of these customers is expected to bring, whatever they were chosen by: measured on past
        targets who would have been at the same places of the ranking. The interval is as wide as it is uncertain how
        far the effect carries over."""
        window, past = float(np.clip(window_days, *self.windows)), self.out_of_fold.past.known
        in_order = np.sort(-self._score(past, margin, offer))
        score = self._score(Known.of(customers, window), margin, offer)
        places = np.searchsorted(in_order, -score) / len(in_order)
        expected, least, most = (
            self.out_of_fold.profit_of_list(margin, offer, places, effect)
            for effect in (self.transfer.expected, self.transfer.lowest, self.transfer.highest)
        )
        return Interval(
            expected.mean, min(expected.low, least.low, most.low), max(expected.high, least.high, most.high)
        )

    def _score(self, known: Known, margin: float, offer: Offer) -> Floats:
        columns = self.columns.matrix(known)
        return np.asarray(
            np.mean([self._profit(fit, columns, known, margin, offer) for fit in self.replicates], axis=0)
        )

    def _profit(self, fit: Fit, columns: Floats, known: Known, margin: float, offer: Offer) -> Floats:
        effect, (_, left_alone) = self.transfer.expected, fit.chances(columns)
        without = -offer.cost(left_alone)  # if contacting changes nothing
        return np.asarray(effect * fit.profit(columns, known, margin, offer) + (1 - effect) * without)


def fit_uplift(history: pa.Table, seed: int = 0) -> Uplift | InsufficientData:
    """`history`: one row per target of past campaigns: campaign, customer_id, arm, treatment_share, window_days,
    COVARIATES, channel, purchased and spend within the window.

    Targets who could not have been in the other arm are left out, as is everyone who is neither treated nor holdout.
    The others are weighted by the inverse probability of their arm."""
    past = PastTargets.of(history)
    missing = past.missing()
    if missing:
        return InsufficientData(missing)
    rng = np.random.default_rng(seed)
    columns = Columns.of(past.known)
    matrix = columns.matrix(past.known)
    customers = int(past.customer.max()) + 1
    # weights drawn by customer stand for customers drawn with replacement
    draws = (rng.exponential(1.0, customers)[past.customer] for _ in range(REPLICATES))
    # the matrices are small: on a busy machine several threads mostly wait for each other
    with threadpool_limits(1, "blas"):
        contest = Contest.of(past, rng)
        replicates = tuple(Fit.of(matrix, past, drawn, contest.stack(drawn)) for drawn in draws)
        out_of_fold = OutOfFold.of(past, rng)
        p = randomisation_p(past, rng)
    windows = (float(past.known.window.min()), float(past.known.window.max()))
    return Uplift(out_of_fold, p, windows, columns, replicates)
