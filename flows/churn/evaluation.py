"""How good probabilities were, once it is known what happened."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score


@dataclass(frozen=True)
class Quality:
    """Of n predicted churn probabilities.

    auc: chance that a customer who left was rated above one who stayed, ± auc_standard_error.
    brier, log_loss: less is better. ece: mean distance of probability and frequency over ten equal groups.
    lift_top_decile: churners among the tenth rated highest, by churners among all.
    """

    customers: int
    churn_rate: float
    mean_probability: float
    auc: float
    auc_standard_error: float
    brier: float
    log_loss: float
    ece: float
    lift_top_decile: float

    def as_dict(self) -> dict[str, float]:
        return {name: round(value, 5) for name, value in asdict(self).items()}


def measure(churned: NDArray[np.bool_], probability: NDArray[np.floating]) -> Quality:
    """Quality of `probability` [n] given what happened [n]. Both outcomes must occur."""
    p = np.asarray(probability, dtype=np.float64)
    auc = float(roc_auc_score(churned, p))
    return Quality(
        customers=len(p),
        churn_rate=float(churned.mean()),
        mean_probability=float(p.mean()),
        auc=auc,
        auc_standard_error=_auc_standard_error(auc, int(churned.sum()), int((~churned).sum())),
        brier=float(brier_score_loss(churned, p)),
        log_loss=float(log_loss(churned, np.clip(p, 1e-7, 1 - 1e-7))),
        ece=expected_calibration_error(churned, p),
        lift_top_decile=_lift(churned, p),
    )


def expected_calibration_error(churned: NDArray[np.bool_], probability: NDArray[np.float64], groups: int = 10) -> float:
    """Mean |predicted − observed| over groups of equal size, from the lowest probabilities to the highest."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, groups) if len(part)]
    return float(sum(len(part) * abs(probability[part].mean() - churned[part].mean()) for part in parts) / len(order))


def _auc_standard_error(auc: float, positives: int, negatives: int) -> float:
    """Hanley and McNeil, Radiology 143 (1982)."""
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (positives - 1) * (q1 - auc**2) + (negatives - 1) * (q2 - auc**2)
    return float(np.sqrt(variance / (positives * negatives)))


def _lift(churned: NDArray[np.bool_], probability: NDArray[np.float64]) -> float:
    top = np.argsort(-probability, kind="stable")[: max(1, len(probability) // 10)]
    return float(churned[top].mean() / churned.mean())
