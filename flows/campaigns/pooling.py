"""What several campaigns of a shop say together, when each of them alone says little."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True)
class Measured:
    """An effect per treated customer, and its standard error."""

    mean: float
    error: float


def pooled(effects: Sequence[Measured]) -> Measured:
    """What the next campaign of the same kind is expected to change: the mean of all, weighted by how well each is
    known, and how uncertain that is for one more campaign. Campaigns that differ by more than chance count more alike,
    and say less of the next (DerSimonian and Laird, Controlled Clinical Trials 1986)."""
    between = _variance_between(effects)
    weights = [1 / (of.error**2 + between) for of in effects]
    mean = sum(weight * of.mean for weight, of in zip(weights, effects, strict=True)) / sum(weights)
    return Measured(mean, sqrt(1 / sum(weights) + between))


def shrunk(effects: Sequence[Measured]) -> list[Measured]:
    """Each effect, in the order of the campaigns, as it is known from the campaign itself and those before it."""
    known = list(effects[:1])
    for n in range(1, len(effects)):
        known.append(_combined(effects[n], pooled(effects[:n])))
    return known


def _combined(own: Measured, before: Measured) -> Measured:
    weight = before.error**2 / (before.error**2 + own.error**2)
    return Measured(weight * own.mean + (1 - weight) * before.mean, sqrt(weight) * own.error)


def _variance_between(effects: Sequence[Measured]) -> float:
    """The variance of true effects between campaigns, beyond chance; 0 for one campaign."""
    weights = [1 / of.error**2 for of in effects]
    total = sum(weights)
    mean = sum(weight * of.mean for weight, of in zip(weights, effects, strict=True)) / total
    heterogeneity = sum(weight * (of.mean - mean) ** 2 for weight, of in zip(weights, effects, strict=True))
    scale = total - sum(weight**2 for weight in weights) / total
    return max(heterogeneity - (len(effects) - 1), 0.0) / scale if scale > 1e-12 * total else 0.0
