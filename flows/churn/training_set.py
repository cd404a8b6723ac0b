"""Stacked snapshots of customers: what was known of them at past dates, and what happened next."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from functions.churn_api.contract import FEATURE_NAMES


@dataclass(frozen=True)
class TrainingSet:
    """n rows, one for each customer and snapshot date.

    `features` is float32 [n, number of features], as the model will see it; NaN where a value is missing.
    """

    customer_ids: NDArray[np.object_]
    dates: NDArray[np.datetime64]
    features: NDArray[np.float32]
    churned: NDArray[np.bool_]

    @classmethod
    def from_table(cls, snapshots: pa.Table) -> Self:
        """From the rows of `intermediate.int_training_snapshots`, in a fixed order."""
        ordered = snapshots.sort_by([("as_of_date", "ascending"), ("customer_id", "ascending")])
        features = np.empty((ordered.num_rows, len(FEATURE_NAMES)), dtype=np.float32)
        for position, name in enumerate(FEATURE_NAMES):
            features[:, position] = ordered.column(name).cast(pa.float64()).to_numpy()
        return cls(
            customer_ids=ordered.column("customer_id").to_numpy(),
            dates=ordered.column("as_of_date").to_numpy().astype("datetime64[D]"),
            features=features,
            churned=ordered.column("churned").to_numpy(),
        )

    def __len__(self) -> int:
        return len(self.churned)

    @property
    def snapshot_dates(self) -> list[date]:
        """The dates there are snapshots of, oldest first."""
        return [day.item() for day in np.unique(self.dates)]

    def at(self, dates: Collection[date]) -> Self:
        """The rows of the given snapshot dates."""
        chosen = np.isin(self.dates, np.array(list(dates), dtype="datetime64[D]"))
        return type(self)(self.customer_ids[chosen], self.dates[chosen], self.features[chosen], self.churned[chosen])

    def column(self, name: str) -> NDArray[np.float32]:
        """One feature of every row."""
        return self.features[:, FEATURE_NAMES.index(name)]
