"""Quality of predicted probabilities and amounts, given the observed outcomes."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from flows.churn.btyd import Floats
from flows.churn.churn_model import base_rate_shift

Flags = NDArray[np.bool_]
ECE_GROUPS = 10
# the calibration error, beyond chance, from which the promotion gate and the monitoring warn
MAX_ECE = 0.05


@dataclass(frozen=True)
class Quality:
    """Quality of n predicted churn probabilities.

    auc: probability that a customer who left was rated above one who stayed, ± auc_standard_error. pr_auc: average
    precision; that of a random ranking is the churn rate. brier (± brier_standard_error), log_loss: less is better.
    ece: mean distance of probability and frequency over ten groups of equal size; ece_of_chance: the mean of a perfect
    model with as many customers.
    lift_by_decile: churn rate of each decile of the customers, divided by the churn rate of all, highest rated first.
    """

    customers: int
    churn_rate: float
    mean_probability: float
    auc: float
    auc_standard_error: float
    pr_auc: float
    brier: float
    brier_standard_error: float
    log_loss: float
    ece: float
    ece_of_chance: float
    lift_by_decile: tuple[float, ...]

    @property
    def lift_top_decile(self) -> float:
        return self.lift_by_decile[0]

    def as_dict(self) -> dict[str, float | list[float]]:
        figures = asdict(self)
        lifts = [round(lift, 4) for lift in figures.pop("lift_by_decile")]
        return {name: round(value, 5) for name, value in figures.items()} | {"lift_by_decile": lifts}


def measure(churned: Flags, probability: NDArray[np.floating]) -> Quality:
    """Quality of `probability` [n] given the observed outcomes [n]. Both outcomes must occur."""
    p = np.asarray(probability, dtype=np.float64)
    auc = float(roc_auc_score(churned, p))
    squared_errors = (p - churned) ** 2
    groups = [len(part) for part in _deciles(p)]
    return Quality(
        customers=len(p),
        churn_rate=float(churned.mean()),
        mean_probability=float(p.mean()),
        auc=auc,
        auc_standard_error=_auc_standard_error(auc, int(churned.sum()), int((~churned).sum())),
        pr_auc=min(1.0, float(average_precision_score(churned, p))),  # rounding may take sums of shares beyond 1
        brier=float(brier_score_loss(churned, p)),
        brier_standard_error=float(squared_errors.std() / np.sqrt(len(p))),
        log_loss=float(log_loss(churned, np.clip(p, 1e-7, 1 - 1e-7))),
        ece=expected_calibration_error(churned, p),
        ece_of_chance=float(
            sum(np.sqrt(2 / np.pi * p[part].mean() * (1 - p[part].mean()) * len(part)) for part in _deciles(p))
            / sum(groups)
        ),
        lift_by_decile=tuple(float(churned[part].mean() / churned.mean()) for part in reversed(_deciles(p))),
    )


def mean_quality(qualities: Iterable[Quality]) -> dict[str, float]:
    """The mean of each figure over several dates; of the lifts only the top decile's, as `lift`."""
    rows = [quality.as_dict() | {"lift": quality.lift_top_decile} for quality in qualities]
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0] if name != "lift_by_decile"}


@dataclass(frozen=True)
class GroupQuality:
    """Quality for one group of customers, such as a segment. `auc` is None where all of them left or all stayed."""

    group: str
    customers: int
    churn_rate: float
    mean_probability: float
    lift: float
    auc: float | None
    brier: float


def by_group(churned: Flags, probability: Floats, groups: NDArray[np.object_]) -> list[GroupQuality]:
    """The quality of each group, in alphabetical order; lift is the group's churn rate divided by that of all."""
    found = []
    for group in sorted(set(groups.tolist())):
        left, p = churned[groups == group], probability[groups == group]
        both = 0 < left.sum() < len(left)
        found.append(
            GroupQuality(
                group=group,
                customers=len(left),
                churn_rate=float(left.mean()),
                mean_probability=float(p.mean()),
                lift=float(left.mean() / churned.mean()),
                auc=float(roc_auc_score(left, p)) if both else None,
                brier=float(((p - left) ** 2).mean()),
            )
        )
    return found


def expected_calibration_error(churned: Flags, probability: Floats) -> float:
    """Mean |predicted − observed| over groups of equal size, from the lowest probabilities to the highest."""
    parts = _deciles(probability)
    return float(sum(len(part) * abs(probability[part].mean() - churned[part].mean()) for part in parts) / len(churned))


def reliability(churned: Flags, probability: Floats) -> list[dict[str, float]]:
    """For each decile of the customers by probability: mean probability, churn rate and its standard error."""
    rows = []
    for part in _deciles(probability):
        rate, n = float(churned[part].mean()), len(part)
        rows.append(
            {
                "mean_probability": float(probability[part].mean()),
                "churn_rate": rate,
                "standard_error": float(np.sqrt(max(rate * (1 - rate), 0.25 / n) / n)),
                "customers": n,
            }
        )
    return rows


def given_the_base_rate(churned: Flags, probability: Floats) -> Floats:
    """The probabilities shifted to the true share of churners: what remains is discrimination."""
    log_odds = logit(np.clip(probability, 1e-9, 1 - 1e-9))
    shifted: Floats = expit(log_odds + base_rate_shift(log_odds, float(churned.mean())))
    return shifted


def normalised_gini(amount: Floats, predicted: Floats) -> float:
    """How well a prediction sorts customers by amount (Gini): 1 as the amounts themselves, 0 as a random order."""
    return _gini(amount, predicted) / _gini(amount, amount)


def _gini(amount: Floats, order_by: Floats) -> float:
    share = np.cumsum(amount[np.argsort(-order_by, kind="stable")]) / amount.sum()
    return float(share.mean() - (len(amount) + 1) / (2 * len(amount)))


def _deciles(probability: Floats) -> list[NDArray[np.intp]]:
    order = np.argsort(probability, kind="stable")
    return [part for part in np.array_split(order, ECE_GROUPS) if len(part)]


def _auc_standard_error(auc: float, positives: int, negatives: int) -> float:
    """Hanley and McNeil, Radiology 143 (1982)."""
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (positives - 1) * (q1 - auc**2) + (negatives - 1) * (q2 - auc**2)
    return float(np.sqrt(variance / (positives * negatives)))
