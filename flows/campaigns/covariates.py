"""Covariates of customers, and the columns that a regression uses."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flows.campaigns.traits import TRAITS, Texts, decode

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

COVARIATES: tuple[str, ...] = (
    "recency_days", "frequency", "monetary", "tenure_days", "average_order_value", "spend_last_365_days",
    "spend_last_period", "churn_probability", "expected_spend",
)  # fmt: skip

PRIOR_GAP_DAYS = 90.0
_BENT = ("recency_days", "frequency", "wait_to_gap", "churn_probability")  # those in which an effect may rise and fall
_KNOTS = 5
_MIN_SHARE = 0.01  # of customers, who have a value, or of whom a covariate is unknown, to make a column of it


@dataclass(frozen=True)
class Known:
    """Covariates of n customers at contact; NaN where unknown: COVARIATES, then the shop's own. groups: country,
    channel and the shop's own, None where unknown."""

    covariates: dict[str, Floats]
    groups: dict[str, Texts]
    window: Floats

    @classmethod
    def of(cls, table: pa.Table, window: float | None = None) -> Self:
        """Columns: COVARIATES, channel, and where they are there country and traits."""
        covariates = {name: numbers(table, name) for name in COVARIATES}
        groups = {name: _texts(table, name) for name in ("channel", "country") if name in table.column_names}
        if TRAITS in table.column_names:
            figures, texts = decode(table.column(TRAITS))
            covariates |= figures
            groups |= texts
        days = numbers(table, "window_days") if window is None else np.full(table.num_rows, window)
        return cls(covariates, groups, days)

    def where(self, chosen: Flags) -> "Known":
        covariates = {name: values[chosen] for name, values in self.covariates.items()}
        groups = {name: values[chosen] for name, values in self.groups.items()}
        return Known(covariates, groups, self.window[chosen])

    def scales(self) -> dict[str, Floats]:
        """Each covariate on a scale on which its effect may be linear."""
        at_least_0 = {name: np.maximum(self.covariates[name], 0) for name in COVARIATES}
        logs = {name: np.log1p(values) for name, values in at_least_0.items()}
        gap = (at_least_0["tenure_days"] - at_least_0["recency_days"] + PRIOR_GAP_DAYS) / np.maximum(
            at_least_0["frequency"], 1
        )
        chance = np.clip(self.covariates["churn_probability"], 0.001, 0.999)
        own = {name: _own_scale(values) for name, values in self.covariates.items() if name not in COVARIATES}
        return (
            own
            | logs
            | {
                "churn_probability": np.log(chance / (1 - chance)),
                "wait_to_gap": logs["recency_days"] - np.log1p(np.maximum(gap, 0)),
                "window": np.log(np.maximum(self.window, 1)),
            }
        )


@dataclass(frozen=True)
class Columns:
    """How covariates become columns: linear, with `knots` where an effect may rise and fall, one for being unknown
    where some are, and one for each value of a group that enough customers share. Unknown values are replaced by the
    usual one, values outside the observed range by its nearest end."""

    names: tuple[str, ...]
    usual: Floats
    lowest: Floats
    highest: Floats
    knots: dict[str, Floats]
    unknown: tuple[str, ...]
    values: tuple[tuple[str, str], ...]
    mean: Floats
    scale: Floats

    @classmethod
    def of(cls, known: Known) -> Self:
        own = known.covariates.keys() - set(COVARIATES)
        scales = {name: values for name, values in known.scales().items() if name not in own or _tells(values)}
        names = tuple(scales)
        seen = [values[~np.isnan(values)] if not np.isnan(values).all() else np.zeros(1) for values in scales.values()]
        knots = {
            name: np.unique(np.quantile(values, np.linspace(0.1, 0.9, _KNOTS)))
            for name, values in zip(names, seen, strict=True)
            if name in _BENT
        }
        draft = cls(
            names=names,
            usual=np.array([np.median(values) for values in seen]),
            lowest=np.array([values.min() for values in seen]),
            highest=np.array([values.max() for values in seen]),
            knots=knots,
            unknown=tuple(name for name, values in scales.items() if _is_partly_unknown(values)),
            values=tuple(_shared_values(known)),
            mean=np.zeros(1),
            scale=np.ones(1),
        )
        raw = draft.matrix(known)
        spread = raw.std(axis=0)
        fields = {**draft.__dict__, "mean": raw.mean(axis=0), "scale": np.where(spread > 1e-9, spread, 1.0)}
        return cls(**fields)

    @property
    def sources(self) -> tuple[str, ...]:
        """The covariate or group of each column."""
        linear = (name for name in self.names for _ in range(1 + len(self.knots.get(name, ()))))
        return (*linear, *self.unknown, *(name for name, _ in self.values))

    def matrix(self, known: Known) -> Floats:
        """Standardised, [n, columns]. A covariate that these customers do not have is unknown of all of them."""
        scales, nothing = known.scales(), np.full(len(known.window), np.nan)
        columns = []
        for position, name in enumerate(self.names):
            given = scales.get(name, nothing)
            values = np.where(np.isnan(given), self.usual[position], given)
            values = np.clip(values, self.lowest[position], self.highest[position])
            columns += [values, *(np.maximum(values - knot, 0) for knot in self.knots.get(name, ()))]
        columns += [np.isnan(scales.get(name, nothing)).astype(np.float64) for name in self.unknown]
        nobody = np.full(len(nothing), None, dtype=object)
        columns += [(known.groups.get(name, nobody) == value).astype(np.float64) for name, value in self.values]
        return (np.column_stack(columns) - self.mean) / self.scale


def _tells(values: Floats) -> bool:
    """Whether a covariate of the shop's own is known of enough customers, and differs between them."""
    seen = values[~np.isnan(values)]
    return len(seen) > _MIN_SHARE * len(values) and float(np.ptp(seen)) > 0


def _is_partly_unknown(values: Floats) -> bool:
    return bool(_MIN_SHARE < np.isnan(values).mean() < 1 - _MIN_SHARE)


def _shared_values(known: Known) -> Iterator[tuple[str, str]]:
    for name, values in sorted(known.groups.items()):
        known_of = np.array([value for value in values if value is not None], dtype=str)
        found, customers = np.unique(known_of, return_counts=True)
        for value, n in zip(found.tolist(), customers.tolist(), strict=True):
            if n > _MIN_SHARE * len(values) and n < len(values):
                yield name, value


def _own_scale(values: Floats) -> Floats:
    """Amounts and counts by their logarithm; shares, and what may be negative, as they are."""
    seen = values[~np.isnan(values)]
    if len(seen) and seen.min() >= 0 and seen.max() > 1:
        return np.asarray(np.log1p(np.maximum(values, 0)))
    return values


def _texts(table: pa.Table, name: str) -> Texts:
    return np.asarray(pc.cast(table.column(name), pa.string()).to_numpy(), dtype=object)


def numbers(table: pa.Table, name: str) -> Floats:
    """A numeric column; NULL and infinite values become NaN."""
    values = np.asarray(table.column(name).cast(pa.float64()).to_numpy(), dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)
