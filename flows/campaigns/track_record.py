"""What past campaigns were expected to bring, and what they brought: how far the next promise is to be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from flows.campaigns.measurement import NORMAL_95
from flows.campaigns.out_of_fold import ONE_SIDED_95, Interval

MAX_STATED = 4  # campaigns that are reported


@dataclass(frozen=True)
class KeptPromise:
    """Of one campaign: its treated customers, the profit that was promised (with the correction of then), the same
    without correction and its standard error, and the profit that was measured and its standard error."""

    treated: int
    promised: float
    uncorrected: float
    uncorrected_error: float
    came: float
    came_error: float

    @classmethod
    def of(
        cls, treated: int, promised: float, uncorrected: tuple[float, float, float], came: tuple[float, float, float]
    ) -> Self:
        """uncorrected, came: the mean and the ends of the interval, of 90 % and of 95 %."""
        errors = (uncorrected[2] - uncorrected[1]) / (2 * ONE_SIDED_95), (came[2] - came[1]) / (2 * NORMAL_95)
        return cls(treated, promised, uncorrected[0], errors[0], came[0], errors[1])


@dataclass(frozen=True)
class TrackRecord:
    """Of campaigns whose window has ended, newest first."""

    promises: Sequence[KeptPromise] = ()

    def corrected(self, promised: Interval, treated: int) -> Interval:
        """The promise less what past ones were too high by, per customer, as far as that is more than chance.

        Each past error is uncertain by what was promised and by what was measured. Their mean is shrunk towards no
        error at all: before the first result, an error as large as a promise's own standard error is expected."""
        if not self.promises:
            return promised
        treated_then = np.array([of.treated for of in self.promises], dtype=float)
        errors = np.array([of.uncorrected - of.came for of in self.promises]) / treated_then
        of_promise = (np.array([of.uncorrected_error for of in self.promises]) / treated_then) ** 2
        of_result = (np.array([of.came_error for of in self.promises]) / treated_then) ** 2
        weight = 1 / np.maximum(of_promise + of_result, 1e-12)
        mean, variance, prior = float((weight * errors).sum() / weight.sum()), 1 / weight.sum(), of_promise.mean()
        kept = float(prior / (prior + variance))
        bias, uncertainty = kept * mean * treated, float(kept * variance) * treated**2
        own = (promised.high - promised.low) / (2 * ONE_SIDED_95)
        return Interval.of(promised.mean - bias, float(np.sqrt(own**2 + uncertainty)))

    def total(self) -> tuple[int, float, float]:
        """Of the newest MAX_STATED: their number, what was promised and what came."""
        newest = self.promises[:MAX_STATED]
        return len(newest), sum(of.promised for of in newest), sum(of.came for of in newest)


NO_RECORD = TrackRecord()


def deviation(promised: float, came: float) -> float | None:
    """How much too high what was promised was, as a share of what came; None where that says nothing, because one of
    them is not above zero."""
    return promised / came - 1 if promised > 0 and came > 0 else None
