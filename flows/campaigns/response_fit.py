"""What customers do if contacted and if left alone: fitted to past targets.

Two regressions of purchases, one of each arm, compete with simple rankings of the effect itself, and a second term says
what contacting changes in baskets. How far each is followed is decided out of fold (stacking)."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from flows.campaigns.covariates import Columns, Flags, Floats, Known
from flows.campaigns.offer import Offer
from flows.campaigns.past_targets import PastTargets
from flows.campaigns.stepwise import ridge_residuals, stepwise

FOLDS = 5
PRIOR_ORDERS = 2.0  # so many average orders of the shop are added to a customer's average order value
SLOPE_VARIANCE = 0.05  # prior variance of the slopes of standardised columns
STEPS = (0, 3, 6, 12, 25, 50)  # of the simple rankings; 0: the same effect on everybody, in usual baskets
# Candidates are weighted by the exponential of what they lose out of fold, at half its size: in simulated worlds
# followed less surely than at its whole size, they ranked better (tests/benchmarks/campaign_learners.py).
_TEMPERATURE = 0.5
_PRIOR_OF_NO_SECOND_TERM = 0.5
_MAX_RATIO_QUANTILE = 0.99  # of spend to the usual basket: one huge order must not raise the expectation for everyone


@dataclass(frozen=True)
class Stack:
    """How far each candidate is followed; each array adds up to 1. orders: simple rankings after each of STEPS, then
    the difference of the two regressions. baskets: no second term, then one after each of STEPS."""

    orders: Floats
    baskets: Floats


@dataclass(frozen=True)
class Contest:
    """What each candidate of a stack loses on each past target, that it was not fitted to: squared errors in units of
    their variance, [candidates, n]."""

    orders: Floats
    baskets: Floats

    @classmethod
    def of(cls, past: PastTargets, rng: np.random.Generator) -> Self:
        fold = rng.permutation(int(past.customer.max()) + 1)[past.customer] % FOLDS
        orders, baskets = np.empty((len(STEPS) + 1, len(fold))), np.zeros((len(STEPS) + 1, len(fold)))
        responses, matrix = Responses.of(past), Columns.of(past.known).matrix(past.known)
        effects = responses.effects(matrix, past, np.ones(len(fold)))
        for part in range(FOLDS):
            own, others = fold == part, fold != part
            lines = stepwise(matrix[others], effects[others], np.ones(int(others.sum())), STEPS)
            predicted = lines[:, :1] + np.einsum("np,spk->snk", matrix[own], lines[:, 1:])
            orders[:-1, own], baskets[1:, own] = predicted[:, :, 0], predicted[:, :, 1]
            two = TwoRegressions.of(matrix[others], past.where(others), past.weight[others])
            contacted, left_alone = two.chances(matrix[own])
            orders[-1, own] = responses.level * (contacted - left_alone)
        spread = np.where(effects.var(axis=0) > 0, effects.var(axis=0), 1.0)  # every order may be a usual basket
        lost = (effects.T[:, None] - np.stack([orders, baskets])) ** 2 / spread[:, None, None]
        return cls(*lost)

    def stack(self, drawn: Floats) -> Stack:
        """Candidates by what they lose. drawn: how often each past target counts."""
        second_term = (1 - _PRIOR_OF_NO_SECOND_TERM) / len(STEPS)
        prior = np.array([_PRIOR_OF_NO_SECOND_TERM] + [second_term] * len(STEPS))
        return Stack(_weights(self.orders @ drawn, np.ones(len(prior))), _weights(self.baskets @ drawn, prior))


def _weights(lost: Floats, prior: Floats) -> Floats:
    weight = prior * np.exp(-_TEMPERATURE * (lost - lost.min()) / 2)
    return np.asarray(weight / weight.sum())


@dataclass(frozen=True)
class Responses:
    """What past targets did, in usual baskets: spend (without the largest), and what purchases alone make of it.
    level: spend of a purchase."""

    orders: Floats
    spend: Floats
    usual_order: float
    level: float

    @classmethod
    def of(cls, past: PastTargets) -> Self:
        own = past.known.covariates["average_order_value"]
        usual_order = float(np.nan_to_num(np.nanmean(own))) if not np.isnan(own).all() else 0.0
        basket = basket_of(past.known, usual_order)
        ratio = past.spend / basket
        largest = float(np.quantile(ratio[past.purchased], _MAX_RATIO_QUANTILE))
        ratio = np.asarray(np.where(past.purchased, np.minimum(ratio, largest), 0.0), dtype=np.float64)
        buyers = past.weight * basket * past.purchased
        level = float(np.average(ratio, weights=buyers))
        return cls(np.asarray(level * past.purchased), ratio, usual_order, level)

    def effects(self, matrix: Floats, past: PastTargets, drawn: Floats) -> Floats:
        """Of each past target an unbiased, noisy effect of contacting: by more purchases, and by other baskets,
        [n, 2]."""
        sign = np.where(past.treated, past.weight, -past.weight)
        parts = (self.orders, self.spend - self.orders)
        return np.column_stack([sign * ridge_residuals(matrix, part, drawn) for part in parts])


@dataclass(frozen=True)
class TwoRegressions:
    """Chance of a purchase = logistic(intercept + columns · slopes) of each arm; intercepts come first."""

    contacted: Floats
    left_alone: Floats

    @classmethod
    def of(cls, matrix: Floats, past: PastTargets, weight: Floats) -> Self:
        return cls(*(logistic(matrix, past.purchased, weight, arm) for arm in (past.treated, ~past.treated)))

    def chances(self, matrix: Floats) -> tuple[Floats, Floats]:
        """Probability of a purchase if contacted, and if not, [n] each."""
        contacted, left_alone = (expit(line[0] + matrix @ line[1:]) for line in (self.contacted, self.left_alone))
        return contacted, left_alone


@dataclass(frozen=True)
class Fit:
    """line: intercept and slopes of the effect by simple rankings and on baskets; of_two: how far the difference of the
    two regressions is followed beside it. Both in usual baskets, of which a purchase is `level`."""

    two: TwoRegressions
    of_two: float
    line: Floats
    usual_order: float
    level: float

    @classmethod
    def of(cls, matrix: Floats, past: PastTargets, drawn: Floats, stack: Stack) -> Self:
        """drawn: how often each past target counts."""
        responses = Responses.of(past)
        lines = stepwise(matrix, responses.effects(matrix, past, drawn), drawn, STEPS)
        line = np.einsum("s,sp->p", stack.orders[:-1], lines[:, :, 0])
        line += np.einsum("s,sp->p", stack.baskets[1:], lines[:, :, 1])
        two = TwoRegressions.of(matrix, past, past.weight * drawn)
        return cls(two, float(stack.orders[-1]), line, responses.usual_order, responses.level)

    def chances(self, matrix: Floats) -> tuple[Floats, Floats]:
        """Probability of a purchase if contacted, and if not, [n] each."""
        return self.two.chances(matrix)

    def basket(self, known: Known) -> Floats:
        """Of a purchase, [n], in the shop's currency."""
        return self.level * basket_of(known, self.usual_order)

    def additional_spend(self, matrix: Floats, known: Known) -> Floats:
        """What contacting changes in each customer's spend, [n], in the shop's currency."""
        contacted, left_alone = self.chances(matrix)
        effect = self.of_two * self.level * (contacted - left_alone) + self.line[0] + matrix @ self.line[1:]
        return np.asarray(effect * basket_of(known, self.usual_order))

    def profit(self, matrix: Floats, known: Known, margin: float, offer: Offer) -> Floats:
        cost = offer.cost(self.chances(matrix)[0])
        return np.asarray(margin * self.additional_spend(matrix, known) - cost)


def basket_of(known: Known, usual_order: float) -> Floats:
    """The customer's average order, shrunk towards that of all: the fewer orders, the more."""
    orders = np.nan_to_num(np.maximum(known.covariates["frequency"], 0))
    own = known.covariates["average_order_value"]
    own = np.where(np.isnan(own), usual_order, np.maximum(own, 0))
    return np.maximum((orders * own + PRIOR_ORDERS * usual_order) / (orders + PRIOR_ORDERS), 0.01)


def logistic(matrix: Floats, bought: Flags, weight: Floats, chosen: Flags) -> Floats:
    """Intercept and slopes, from the chosen rows; only relative weights matter."""
    regression = LogisticRegression(C=SLOPE_VARIANCE, solver="newton-cholesky", max_iter=200)
    relative = weight[chosen] / weight[chosen].mean()
    line = regression.fit(matrix[chosen], bought[chosen], sample_weight=relative)
    return np.concatenate([line.intercept_, line.coef_[0]])
