"""Who is worth contacting: an uplift model, fitted to past campaigns that assigned customers to arms by chance.

Two regularised logistic regressions predict how likely a customer buys within the window, one fitted to contacted
customers and one to the control group; the uplift is the difference. Money comes in afterwards: the additional
probability times a usual basket, because amounts are too noisy to fit a difference of differences to. On simulated
shops (`tests/benchmarks/campaigns.py`) this is better than residual-on-residual learners, forests and boosted trees
with 2,000 as with 8,000 targets. Churn risk is one of the covariates; it is never taken for the effect."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from flows.campaigns.covariates import Columns, Flags, Floats, Ints, Known
from flows.campaigns.definition import Offer
from flows.campaigns.past_targets import PastTargets

REPLICATES = 30
FOLDS = 5
ONE_SIDED_95 = 1.645  # and both sides of 90 %
BUDGETS = (0.1, 0.2, 0.3, 0.4, 0.5)  # shares of the customers contacted, over which the gain is averaged
PRIOR_ORDERS = 2.0  # so many average orders of the shop are added to a customer's average order value
_SLOPE_VARIANCE = 0.05  # prior variance of the slopes of standardised columns
_ROWS_AT_ONCE = 100_000
# resampling does not move what regularisation shrinks: for 40 histories with a known effect, intervals as wide as the
# spread of the replicates covered it in 85 of 100 cases, with 2,000 targets as with 8,000
_WIDER = 1.15


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
class Gain:
    """Additional spend per customer when contacting the best of the ranking rather than as many by chance, averaged
    over BUDGETS, with its standard error and 90 % interval."""

    mean: float
    standard_error: float

    @property
    def low(self) -> float:
        return self.mean - ONE_SIDED_95 * self.standard_error

    @property
    def high(self) -> float:
        return self.mean + ONE_SIDED_95 * self.standard_error


@dataclass(frozen=True)
class Uplift:
    """The fitted model. gain_over_chance: out of fold, on customers that the ranking model was not fitted to.

    windows: minimum and maximum window of the history; others are clipped to them.
    replicates: the same fit on resampled customers; intervals come from their spread.
    """

    targets: int
    gain_over_chance: Gain
    windows: tuple[float, float]
    columns: Columns
    replicates: "tuple[_Fit, ...]"

    @property
    def beats_random(self) -> bool:
        """Whether the ranking beats chance with 95 % confidence, one-sided: without any effect it is False in 19 of 20
        cases."""
        return self.gain_over_chance.low > 0

    @property
    def why(self) -> str:
        """Whether the ranking beats chance, for people to read."""
        gain = self.gain_over_chance
        subject = f"On {self.targets:,} past targets that it was not fitted to, the ranking"
        figures = (
            f"{gain.mean:+.2f} of additional spend per customer contacted"
            f" (in the shop's currency; 90 % interval {gain.low:+.2f} to {gain.high:+.2f})"
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
            profits = np.array([fit.profit(columns, known, margin, offer) for fit in self.replicates])
            mean[part], error[part] = profits.mean(axis=0), profits.std(axis=0, ddof=1)
            chance[part] = np.mean([fit.chances(columns)[0] for fit in self.replicates], axis=0)
        width = ONE_SIDED_95 * _WIDER * error
        return Estimate(mean, mean - width, mean + width, chance)

    def profit_together(
        self, customers: pa.Table, margin: float, offer: Offer, window_days: int
    ) -> tuple[float, float, float]:
        """What contacting all of these customers is expected to bring, with the ends of its 90 % interval: narrower
        than the sum of the single intervals, because not all estimates are too high at once."""
        window, totals = float(np.clip(window_days, *self.windows)), np.zeros(len(self.replicates))
        for start in range(0, customers.num_rows, _ROWS_AT_ONCE):
            known = Known.of(customers.slice(start, _ROWS_AT_ONCE), window)
            columns = self.columns.matrix(known)
            totals += [float(fit.profit(columns, known, margin, offer).sum()) for fit in self.replicates]
        mean, width = float(totals.mean()), float(ONE_SIDED_95 * _WIDER * totals.std(ddof=1))
        return mean, mean - width, mean + width


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
        replicates = tuple(_Fit.of(matrix, past, past.weight * drawn) for drawn in draws)
        gain = _gain(past, rng)
    windows = (float(past.known.window.min()), float(past.known.window.max()))
    return Uplift(len(past.treated), gain, windows, columns, replicates)


@dataclass(frozen=True)
class _Fit:
    """Chance of a purchase = logistic(intercept + columns · slopes) of each arm; basket = level × usual basket."""

    contacted: Floats  # intercept first
    left_alone: Floats
    usual_order: float
    level: float

    @classmethod
    def of(cls, matrix: Floats, past: PastTargets, weight: Floats) -> Self:
        orders = past.known.covariates["average_order_value"]
        usual_order = float(np.nan_to_num(np.nanmean(orders))) if not np.isnan(orders).all() else 0.0
        bought = past.purchased
        # one huge order must not raise the expectation for everyone
        ratio = past.spend[bought] / _basket(past.known.where(bought), usual_order)
        ratio = np.minimum(ratio, np.quantile(ratio, 0.99))
        return cls(
            contacted=_logistic(matrix, bought, weight, past.treated),
            left_alone=_logistic(matrix, bought, weight, ~past.treated),
            usual_order=usual_order,
            level=float(np.average(ratio, weights=weight[bought] * _basket(past.known.where(bought), usual_order))),
        )

    def chances(self, matrix: Floats) -> tuple[Floats, Floats]:
        """Probability of a purchase if contacted, and if not, [n] each."""
        contacted, left_alone = (expit(line[0] + matrix @ line[1:]) for line in (self.contacted, self.left_alone))
        return contacted, left_alone

    def basket(self, known: Known) -> Floats:
        return self.level * _basket(known, self.usual_order)

    def profit(self, matrix: Floats, known: Known, margin: float, offer: Offer) -> Floats:
        contacted, left_alone = self.chances(matrix)
        profit: Floats = margin * (contacted - left_alone) * self.basket(known) - offer.cost(contacted)
        return profit


def _basket(known: Known, usual_order: float) -> Floats:
    """The customer's average order, shrunk towards that of all: the fewer orders, the more."""
    orders = np.nan_to_num(np.maximum(known.covariates["frequency"], 0))
    own = known.covariates["average_order_value"]
    own = np.where(np.isnan(own), usual_order, np.maximum(own, 0))
    return np.maximum((orders * own + PRIOR_ORDERS * usual_order) / (orders + PRIOR_ORDERS), 0.01)


def _logistic(matrix: Floats, bought: Flags, weight: Floats, chosen: Flags) -> Floats:
    """Intercept and slopes, from the chosen rows; only relative weights matter."""
    regression = LogisticRegression(C=_SLOPE_VARIANCE, solver="newton-cholesky", max_iter=200)
    relative = weight[chosen] / weight[chosen].mean()
    line = regression.fit(matrix[chosen], bought[chosen], sample_weight=relative)
    return np.concatenate([line.intercept_, line.coef_[0]])


def _gain(past: PastTargets, rng: np.random.Generator) -> Gain:
    """Cross-fitted: each customer's rank and effect come from a model that was fitted to others.

    The effect is the doubly robust estimate: the prediction plus its error, weighted by the inverse probability of the
    arm. Its mean is unbiased for any model, because the probabilities are known."""
    fold = rng.permutation(int(past.customer.max()) + 1)[past.customer] % FOLDS
    predicted, effect = np.empty(len(fold)), np.empty(len(fold))
    for part in range(FOLDS):
        others, own = past.where(fold != part), past.where(fold == part)
        columns = Columns.of(others.known)
        fit = _Fit.of(columns.matrix(others.known), others, others.weight)
        contacted, left_alone = fit.chances(columns.matrix(own.known))
        basket = fit.basket(own.known)
        error: Floats = own.purchased - np.where(own.treated, contacted, left_alone)
        sign = np.where(own.treated, 1.0, -1.0)
        predicted[fold == part] = (contacted - left_alone) * basket
        effect[fold == part] = predicted[fold == part] + sign * own.weight * error * basket
    weight = _weight_of_rank(predicted, fold)
    # the effects of one customer in several campaigns are not independent observations
    by_customer = np.bincount(past.customer, weight * (effect - effect.mean()))
    return Gain(float((weight * effect).sum()), float(np.sqrt((by_customer**2).sum())))


def _weight_of_rank(predicted: Floats, fold: Ints) -> Floats:
    """[n], whose sum with the effects is the mean effect on the best less that on all, averaged over BUDGETS.

    Ranks are within the fold: two models may be at different levels.
    """
    weight = np.empty(len(predicted))
    for part in range(FOLDS):
        own = np.flatnonzero(fold == part)
        rank = np.argsort(np.argsort(-predicted[own], kind="stable"), kind="stable") / len(own)
        best = np.mean([(rank < share) / max((rank < share).sum(), 1) for share in BUDGETS], axis=0)
        weight[own] = (best - 1 / len(own)) * len(own) / len(predicted)
    return weight
