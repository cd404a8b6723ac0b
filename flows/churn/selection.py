"""Which model to keep: each candidate is tested on dates later than anything it was trained on."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from flows.churn.candidates import BOOSTED, CANDIDATES, LOGISTIC, churn_probability
from flows.churn.evaluation import Quality, measure
from flows.churn.training_set import TrainingSet
from flows.errors import TooLittleData

HELD_OUT_DATES = 3
FEWEST_CUSTOMERS = 200
FEWEST_OF_EACH_OUTCOME = 20
STANDARD_ERRORS_TO_WIN = 2.0


@dataclass(frozen=True)
class HeldOut:
    """One date that no candidate has seen: the customers then, and what each candidate said of them."""

    day: date
    trained_on: tuple[date, ...]
    customers: TrainingSet
    probability: dict[str, NDArray[np.float64]]

    def quality(self, candidate: str) -> Quality:
        return measure(self.customers.churned, self.probability[candidate])


@dataclass(frozen=True)
class Comparison:
    """`held_out` is newest first. Gains are those of the boosted trees over the logistic regression."""

    held_out: tuple[HeldOut, ...]
    brier_gain: float
    brier_gain_standard_error: float

    @property
    def auc_gain(self) -> float:
        return float(np.mean([h.quality(BOOSTED).auc - h.quality(LOGISTIC).auc for h in self.held_out]))

    @property
    def winner(self) -> str:
        """The simpler model, unless the other both ranks customers and rates them better by more than noise.

        A better Brier score alone may be a base rate that happened to fit one season.
        """
        ranks_better = self.auc_gain > self.held_out[0].quality(LOGISTIC).auc_standard_error
        rates_better = self.brier_gain > STANDARD_ERRORS_TO_WIN * self.brier_gain_standard_error
        return BOOSTED if ranks_better and rates_better else LOGISTIC


def compare_candidates(data: TrainingSet, horizon_days: int) -> Comparison:
    """Trains every candidate for each of the last dates on what was known at that date, and tests it there.

    A snapshot may be trained on only if its outcome was complete by the held-out date.

    Raises:
        TooLittleData: when the history is too short, the customers too few or all of one kind.
    """
    _require_enough(data, horizon_days)
    held_out: list[HeldOut] = []
    for day in reversed(data.snapshot_dates):
        known = known_by(data, day, horizon_days)
        if len(held_out) == HELD_OUT_DATES or not _has_both_outcomes(data.at(known)):
            break
        customers, past = data.at([day]), data.at(known)
        if not _has_both_outcomes(customers):
            continue
        said = {name: churn_probability(fit(past), customers.features) for name, fit in CANDIDATES.items()}
        held_out.append(HeldOut(day, tuple(known), customers, said))
    if not held_out:
        raise TooLittleData(
            f"No past date can be tested: trained on what was known by then, and seen {horizon_days} days on,"
            " both customers who left and customers who stayed are needed. A shorter HORIZON_DAYS may do."
        )
    gain, standard_error = _paired_brier_gain(held_out)
    return Comparison(tuple(held_out), gain, standard_error)


def known_by(data: TrainingSet, day: date, horizon_days: int) -> list[date]:
    """The snapshot dates whose outcome was complete at the end of `day`."""
    return [d for d in data.snapshot_dates if d + timedelta(days=horizon_days) <= day]


def _require_enough(data: TrainingSet, horizon_days: int) -> None:
    dates = data.snapshot_dates
    if not dates or not known_by(data, dates[-1], horizon_days):
        raise TooLittleData(
            f"The history is shorter than two and a half horizons of {horizon_days} days: nothing is left to test a"
            " model on. Give more history or a shorter HORIZON_DAYS."
        )
    customers = len(data.at([dates[-1]]))
    if customers < FEWEST_CUSTOMERS:
        raise TooLittleData(
            f"{customers} customers had bought by {dates[-1]}, the last date whose outcome is known;"
            f" a model needs {FEWEST_CUSTOMERS}."
        )
    if not _has_both_outcomes(data):
        left = int(data.churned.sum())
        raise TooLittleData(
            f"{left} of {len(data)} past outcomes are churn: a model needs at least {FEWEST_OF_EACH_OUTCOME} customers"
            " who left and as many who stayed. Another HORIZON_DAYS may part them."
        )


def _has_both_outcomes(data: TrainingSet) -> bool:
    left = int(data.churned.sum())
    return min(left, len(data) - left) >= FEWEST_OF_EACH_OUTCOME


def _paired_brier_gain(held_out: list[HeldOut]) -> tuple[float, float]:
    """Mean gain and its standard error; a customer who is in several dates counts as one observation."""
    ids = np.concatenate([h.customers.customer_ids for h in held_out])
    gains = np.concatenate(
        [
            (h.probability[LOGISTIC] - h.customers.churned) ** 2 - (h.probability[BOOSTED] - h.customers.churned) ** 2
            for h in held_out
        ]
    )
    _, customer = np.unique(ids, return_inverse=True)
    deviations = np.bincount(customer, gains - gains.mean())
    return float(gains.mean()), float(np.sqrt((deviations**2).sum()) / len(gains))
