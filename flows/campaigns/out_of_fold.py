"""What lists of customers would have brought, on past targets that no model was fitted to.

Each past target's profit comes from the doubly robust estimate: what a model fitted to other customers predicts, plus
its error, weighted by the inverse probability of the arm. Its mean is unbiased for any model, because the
probabilities are known."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from flows.campaigns.covariates import Columns, Floats, Ints
from flows.campaigns.offer import Offer
from flows.campaigns.past_targets import PastTargets
from flows.campaigns.response_fit import FOLDS, Contest, Fit

ONE_SIDED_95 = 1.645  # and both sides of 90 %
BUDGETS = (0.1, 0.2, 0.3, 0.4, 0.5)  # shares of the customers contacted, over which the gain is averaged
_MAX_BINS, _MIN_TARGETS_PER_BIN = 20, 100


@dataclass(frozen=True)
class Interval:
    """A mean and the ends of its 90 % interval, in the shop's currency."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, mean: float, standard_error: float) -> Self:
        width = ONE_SIDED_95 * standard_error
        return cls(mean, mean - width, mean + width)


@dataclass(frozen=True)
class OutOfFold:
    """Of n past targets, [n] each: probability of a purchase if contacted and if left alone, the usual basket, and the
    additional spend if contacted, by a model that was fitted to other customers, its stack included. fold: the part of
    the customers that it was not fitted to."""

    past: PastTargets
    fold: Ints
    contacted: Floats
    left_alone: Floats
    basket: Floats
    additional_spend: Floats

    @classmethod
    def of(cls, past: PastTargets, rng: np.random.Generator) -> Self:
        fold = rng.permutation(int(past.customer.max()) + 1)[past.customer] % FOLDS
        contacted, left_alone, basket, additional = (np.empty(len(fold)) for _ in range(4))
        for part in range(FOLDS):
            own, others = fold == part, past.where(fold != part)
            columns = Columns.of(others.known)
            once = np.ones(len(others.treated))
            fit = Fit.of(columns.matrix(others.known), others, once, Contest.of(others, rng).stack(once))
            known = past.known.where(own)
            matrix = columns.matrix(known)
            contacted[own], left_alone[own] = fit.chances(matrix)
            basket[own], additional[own] = fit.basket(known), fit.additional_spend(matrix, known)
        return cls(past, fold, contacted, left_alone, basket, additional)

    def predicted_profit(self, margin: float, offer: Offer) -> Floats:
        return np.asarray(margin * self.additional_spend - offer.cost(self.contacted))

    def profit_without_effect(self, offer: Offer) -> Floats:
        """The doubly robust profit of contacting each if it changed nothing, [n]: the cost of the offer."""
        past = self.past
        error = np.where(past.treated, 0.0, past.weight * (past.purchased - self.left_alone))
        return np.asarray(-offer.cost(self.left_alone + error))

    def profit(self, margin: float, offer: Offer) -> Floats:
        """The doubly robust profit of contacting each, [n]: single values are noise, means are honest."""
        past = self.past
        chance = past.share * self.contacted + (1 - past.share) * self.left_alone
        spend = chance * self.basket + np.where(past.treated, 1 - past.share, -past.share) * self.additional_spend
        expected = margin * spend - np.where(past.treated, offer.cost(self.contacted), 0)
        observed = margin * past.spend - np.where(past.treated, offer.cost(past.purchased), 0)
        sign = np.where(past.treated, 1.0, -1.0)
        return np.asarray(self.predicted_profit(margin, offer) + sign * past.weight * (observed - expected))

    def gain_over_chance(self) -> Interval:
        """Additional spend per customer when contacting the best of the ranking rather than as many by chance, averaged
        over BUDGETS."""
        free = Offer(text="free")
        effect, weight = self.profit(1.0, free), self._weight_of_rank(self.predicted_profit(1.0, free))
        return Interval.of(float((weight * effect).sum()), self._error(weight, effect - effect.mean()))

    def profit_of_list(self, margin: float, offer: Offer, places: Floats, effect: float = 1.0) -> Interval:
        """What contacting a list brings. `places`: where each of its customers would be in the ranking of the past
        targets, from 0 (first) to 1. Past targets with such places stand for them. `effect`: the share of the effect
        learnt that is expected.

        Lists are chosen for what they gain over as many customers by lot, so that gain is too high by chance: it is
        shrunk by its own noise. Without that, promises of ranked lists were a quarter to a half too high."""
        bins = int(np.clip(len(self.fold) // _MIN_TARGETS_PER_BIN, 1, _MAX_BINS))
        own = np.minimum((self._place(self.predicted_profit(margin, offer)) * bins).astype(int), bins - 1)
        listed = np.bincount(np.minimum((places * bins).astype(int), bins - 1), minlength=bins)
        in_bin = np.bincount(own, minlength=bins)
        profit = effect * self.profit(margin, offer) + (1 - effect) * self.profit_without_effect(offer)
        mean = np.bincount(own, profit, minlength=bins) / np.maximum(in_bin, 1)
        weight = (listed / np.maximum(in_bin, 1))[own]
        by_lot, deviation = len(places) * float(profit.mean()), profit - mean[own]
        gain = float(listed @ mean) - by_lot
        kept = _kept_of_gain(gain, self._error(weight - len(places) / len(own), deviation))
        return Interval.of(by_lot + kept * gain, self._error(weight, deviation))

    def _place(self, predicted: Floats) -> Floats:
        """From 0 (first) to 1, within the fold: two models may be at different levels."""
        place = np.empty(len(predicted))
        for part in range(FOLDS):
            own = np.flatnonzero(self.fold == part)
            place[own] = np.argsort(np.argsort(-predicted[own], kind="stable"), kind="stable") / len(own)
        return place

    def _weight_of_rank(self, predicted: Floats) -> Floats:
        """[n], whose sum with the effects is the mean effect on the best less that on all, averaged over BUDGETS."""
        size = np.bincount(self.fold, minlength=FOLDS)[self.fold]
        weights = rank_weights(self._place(predicted), size)
        return np.asarray(weights * size / len(size))

    def _error(self, weight: Floats, deviation: Floats) -> float:
        """The standard error of a weighted sum; several campaigns of one customer are not independent observations."""
        by_customer = np.bincount(self.past.customer, weight * deviation)
        return float(np.sqrt((by_customer**2).sum()))


def _kept_of_gain(gain: float, error: float) -> float:
    """The share of a gain that is no noise, at least 0 (positive-part shrinkage)."""
    return max(0.0, 1 - (error / gain) ** 2) if gain else 0.0


def rank_weights(place: Floats, size: Floats | Ints | int) -> Floats:
    """The weights of customers at these places (from 0 to 1) of `size` ones in the mean of the best less that of all,
    averaged over BUDGETS."""
    best = np.mean([(place < share) / np.ceil(share * np.asarray(size)) for share in BUDGETS], axis=0)
    return np.asarray(best - 1 / np.asarray(size))
