"""Covariates of customers, and the columns that a regression uses."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

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


@dataclass(frozen=True)
class Known:
    """Covariates of n customers at contact; NaN where unknown. channel: None where unknown."""

    covariates: dict[str, Floats]
    channel: NDArray[np.object_]
    window: Floats

    @classmethod
    def of(cls, table: pa.Table, window: float | None = None) -> Self:
        covariates = {name: numbers(table, name) for name in COVARIATES}
        days = numbers(table, "window_days") if window is None else np.full(table.num_rows, window)
        channel = np.asarray(pc.cast(table.column("channel"), pa.string()).to_numpy(), dtype=object)
        return cls(covariates, channel, days)

    def where(self, chosen: Flags) -> "Known":
        covariates = {name: values[chosen] for name, values in self.covariates.items()}
        return Known(covariates, self.channel[chosen], self.window[chosen])

    def scales(self) -> dict[str, Floats]:
        """Each covariate on a scale on which its effect may be linear."""
        at_least_0 = {name: np.maximum(values, 0) for name, values in self.covariates.items()}
        logs = {name: np.log1p(values) for name, values in at_least_0.items()}
        gap = (at_least_0["tenure_days"] - at_least_0["recency_days"] + PRIOR_GAP_DAYS) / np.maximum(
            at_least_0["frequency"], 1
        )
        chance = np.clip(self.covariates["churn_probability"], 0.001, 0.999)
        return logs | {
            "churn_probability": np.log(chance / (1 - chance)),
            "wait_to_gap": logs["recency_days"] - np.log1p(np.maximum(gap, 0)),
            "window": np.log(np.maximum(self.window, 1)),
        }


@dataclass(frozen=True)
class Columns:
    """How covariates become columns: linear, with `knots` where an effect may rise and fall, and one column per
    channel. Unknown values are replaced by the usual one, values outside the observed range by its nearest end."""

    names: tuple[str, ...]
    usual: Floats
    lowest: Floats
    highest: Floats
    knots: dict[str, Floats]
    channels: tuple[str, ...]
    mean: Floats
    scale: Floats

    @classmethod
    def of(cls, known: Known) -> Self:
        scales = known.scales()
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
            channels=tuple(sorted({name for name in known.channel.tolist() if name is not None})),
            mean=np.zeros(1),
            scale=np.ones(1),
        )
        raw = draft.matrix(known)
        spread = raw.std(axis=0)
        fields = {**draft.__dict__, "mean": raw.mean(axis=0), "scale": np.where(spread > 1e-9, spread, 1.0)}
        return cls(**fields)

    def matrix(self, known: Known) -> Floats:
        """Standardised, [n, columns]."""
        scales = known.scales()
        columns = []
        for position, name in enumerate(self.names):
            values = np.where(np.isnan(scales[name]), self.usual[position], scales[name])
            values = np.clip(values, self.lowest[position], self.highest[position])
            columns += [values, *(np.maximum(values - knot, 0) for knot in self.knots.get(name, ()))]
        columns += [(known.channel == name).astype(np.float64) for name in self.channels]
        return (np.column_stack(columns) - self.mean) / self.scale


def numbers(table: pa.Table, name: str) -> Floats:
    """A numeric column; NULL and infinite values become NaN."""
    values = np.asarray(table.column(name).cast(pa.float64()).to_numpy(), dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)
