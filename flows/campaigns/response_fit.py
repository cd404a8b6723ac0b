"""How likely customers buy if contacted and if left alone, and for how much: fitted to past targets."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from flows.campaigns.covariates import Flags, Floats, Known
from flows.campaigns.definition import Offer
from flows.campaigns.past_targets import PastTargets

PRIOR_ORDERS = 2.0  # so many average orders of the shop are added to a customer's average order value
SLOPE_VARIANCE = 0.05  # prior variance of the slopes of standardised columns


@dataclass(frozen=True)
class Fit:
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
        ratio = past.spend[bought] / basket_of(past.known.where(bought), usual_order)
        ratio = np.minimum(ratio, np.quantile(ratio, 0.99))
        return cls(
            contacted=logistic(matrix, bought, weight, past.treated),
            left_alone=logistic(matrix, bought, weight, ~past.treated),
            usual_order=usual_order,
            level=float(np.average(ratio, weights=weight[bought] * basket_of(past.known.where(bought), usual_order))),
        )

    def chances(self, matrix: Floats) -> tuple[Floats, Floats]:
        """Probability of a purchase if contacted, and if not, [n] each."""
        contacted, left_alone = (expit(line[0] + matrix @ line[1:]) for line in (self.contacted, self.left_alone))
        return contacted, left_alone

    def basket(self, known: Known) -> Floats:
        return self.level * basket_of(known, self.usual_order)

    def profit(self, matrix: Floats, known: Known, margin: float, offer: Offer) -> Floats:
        contacted, left_alone = self.chances(matrix)
        profit: Floats = margin * (contacted - left_alone) * self.basket(known) - offer.cost(contacted)
        return profit


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
