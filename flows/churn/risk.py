"""Models of the log-odds of churn with the contribution of each cause for each customer.

Two kinds: a linear model of the logarithms of recency, frequency, monetary and tenure together with a buy-till-you-die
process; and boosted trees, each of which sees the features of one cause only, so that their sum is a sum over causes.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold

from flows.churn.btyd import MAX_AGE_DAYS, BuyTillYouDie, Floats, history
from flows.churn.lines import fit_logistic
from flows.churn.training_set import TrainingSet, column
from functions.churn_api.contract import CAUSE_NAMES, CAUSES, FEATURE_NAMES, FEATURES, feature_position

# of an average of the process and a regression: the process is the better of the two on most shops, and calibrated
PROCESS_SHARE = 0.75


@dataclass(frozen=True)
class LinearRisk:
    """log-odds = intercept + Σ slope · log(1 + R, F, M, T) + process_weight · log-odds of the process.

    `typical`: the median logarithms of active customers, of R, F, M and tenure: see `contributions`.
    """

    intercept: float
    slopes: tuple[float, float, float, float]
    process: BuyTillYouDie
    process_weight: float
    horizon_days: int
    typical: tuple[float, float, float, float]

    @classmethod
    def averaged(cls, data: TrainingSet, process: BuyTillYouDie) -> Self:
        """A regression on R, F, M and tenure, and the process: two views whose errors differ."""
        intercept, slopes = fit_logistic(logs_of(data.features), data.churned)
        rest = 1 - PROCESS_SHARE
        return cls(rest * intercept, _four(rest * slopes), process, PROCESS_SHARE, data.horizon_days, _middle(data))

    @classmethod
    def stacked(cls, data: TrainingSet, process: BuyTillYouDie) -> Self:
        """A regression on R, F, M, tenure and the log-odds of the process."""
        expected = process.log_odds_of_no_purchase(*history(data.features), data.horizon_days)
        columns = np.column_stack([logs_of(data.features), expected])
        intercept, slopes = fit_logistic(columns, data.churned)
        return cls(intercept, _four(slopes), process, float(slopes[4]), data.horizon_days, _middle(data))

    def log_odds(self, features: Floats) -> Floats:
        recency, frequency, monetary, _ = _rfmt(features)
        return self._log_odds(recency, frequency, monetary, *history(features))

    def contributions(self, features: Floats) -> Floats:
        """The difference between a typical active customer's log-odds and this customer's, by cause, [n, causes].

        Recency: the change from the day on which the next order usually comes until today. That day follows from the
        customer's own gaps or, after one order, from the usual wait of active customers. Frequency: the remaining
        difference to the typical customer on that day. Spend: its slope. Causes that are not in the linear model are
        zero. The sum is the difference to the typical customer."""
        recency, frequency, monetary, tenure = _rfmt(features)
        repeats, last, _ = history(features)
        r, f, m, t = self.typical
        to_last = tenure - recency
        usual = np.where(repeats > 0, np.maximum(to_last / np.maximum(repeats, 1), 1), r)
        on_the_usual_day = self._log_odds(usual, frequency, monetary, repeats, last, to_last + usual)
        of_typical = ([of] for of in (r, f, m, max(f - 1, 0.0), t - r if f > 1 else 0.0, t))
        (typical,) = self._log_odds(*map(np.array, of_typical)).tolist()
        zero = np.zeros_like(recency)
        spend = self.slopes[2] * (np.log1p(monetary) - np.log1p(m))
        by_cause = {
            "recency": self.log_odds(features) - on_the_usual_day,
            "frequency": on_the_usual_day - typical - spend,
            "spend": spend,
        }
        return np.column_stack([by_cause.get(cause, zero) for cause in CAUSE_NAMES])

    def _log_odds(
        self, recency: Floats, frequency: Floats, monetary: Floats, repeats: Floats, last: Floats, age: Floats
    ) -> Floats:
        expected = self.process.log_odds_of_no_purchase(repeats, last, age, self.horizon_days)
        return self._line(recency, frequency, monetary, age) + self.process_weight * expected

    def _line(self, recency: Floats, frequency: Floats, monetary: Floats, tenure: Floats) -> Floats:
        r, f, m, t = self.slopes
        line = self.intercept + r * np.log1p(recency) + f * np.log1p(frequency) + m * np.log1p(monetary)
        odds: Floats = line + t * np.log1p(tenure)
        return odds


@dataclass(frozen=True)
class CauseTrees:
    """Fitted trees, each of which sees the features of one cause only, summed up by cause."""

    fitted: HistGradientBoostingClassifier

    @property
    def baseline(self) -> float:
        """The baseline that the trees are added to."""
        return float(self.fitted._baseline_prediction.item())

    def sums(self, features: Floats) -> Floats:
        """Sum of the trees of each cause, [n, causes]."""
        sums = np.zeros((len(features), len(CAUSE_NAMES)))
        no_categories, no_map = np.zeros((0, 8), dtype=np.uint32), np.zeros(0, dtype=np.uint32)
        for (tree,) in self.fitted._predictors:
            cause = cause_of_tree(tree.nodes)
            if cause is not None:
                sums[:, cause] += tree.predict(features, no_categories, no_map, 1)
        return sums


@dataclass(frozen=True)
class AdditiveTrees:
    """log-odds = intercept + slope · (baseline + Σ trees).

    `typical` is each cause's mean sum of trees over the active customers of the newest snapshot, [causes].
    """

    trees: CauseTrees
    slope: float
    intercept: float
    typical: Floats

    @classmethod
    def fit(cls, data: TrainingSet) -> Self:
        """Small trees; slope and intercept (Platt scaling) are fitted out of fold."""
        unseen = np.empty(len(data))
        for train, test in GroupKFold(n_splits=2).split(data.features, groups=data.customer_ids):
            trees = _fit_trees(data.features[train], data.churned[train])
            unseen[test] = trees.decision_function(data.features[test])
        intercept, slopes = fit_logistic(unseen[:, None], data.churned)
        trees = CauseTrees(_fit_trees(data.features, data.churned))
        return cls(trees, float(slopes[0]), intercept, trees.sums(_active(data.newest(1))).mean(axis=0))

    def log_odds(self, features: Floats) -> Floats:
        in_all: Floats = self.trees.sums(features).sum(axis=1)
        return self.intercept + self.slope * (self.trees.baseline + in_all)

    def contributions(self, features: Floats) -> Floats:
        """Log-odds minus the log-odds with the cause's trees at their mean over active customers, [n, causes]."""
        return self.slope * (self.trees.sums(features) - self.typical)


Risk = LinearRisk | AdditiveTrees


def cause_of_tree(nodes: NDArray[np.void]) -> int | None:
    """Index in CAUSE_NAMES of the cause that a tree uses; None for a tree without splits."""
    if nodes[0]["is_leaf"]:
        return None
    name = FEATURE_NAMES[nodes[0]["feature_idx"]]
    return CAUSE_NAMES.index(FEATURES[name].cause)


def logs_of(features: Floats) -> Floats:
    """log(1 + R, F, M, T), [n, 4]; less than zero counts as zero."""
    return np.log1p(np.column_stack(_rfmt(features)))


def _four(slopes: Floats) -> tuple[float, float, float, float]:
    r, f, m, t = slopes[:4].tolist()
    return r, f, m, t


def _middle(data: TrainingSet) -> tuple[float, float, float, float]:
    return _four(np.expm1(logs_of(_active(data)).mean(axis=0)))


def _active(data: TrainingSet) -> Floats:
    """The features of active customers, who have not waited longer than usual for them; of all customers if none is
    active."""
    active = data.column("recency_to_shrunk_gap") <= 1
    return data.features[active] if active.any() else data.features


def _rfmt(features: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    frequency, monetary = (np.maximum(column(features, name), 0) for name in ("frequency", "monetary"))
    recency = np.clip(column(features, "recency_days"), 0, MAX_AGE_DAYS)
    return recency, frequency, monetary, history(features)[2]


def _fit_trees(features: Floats, churned: NDArray[np.bool_]) -> HistGradientBoostingClassifier:
    known_of_nobody = np.isnan(features).all(axis=0)
    if known_of_nobody.any():  # scikit-learn fails on a column of missing values; a column of zeros is never split
        features = np.where(known_of_nobody, 0.0, features)
    return _trees().fit(features, churned)


def _trees() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=120, learning_rate=0.06, max_leaf_nodes=8, min_samples_leaf=60, l2_regularization=5.0,
        early_stopping=False, random_state=0,
        interaction_cst=[[feature_position(name) for name in features] for features in CAUSES.values()],
    )  # fmt: skip
