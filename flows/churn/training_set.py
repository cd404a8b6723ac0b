"""Stacked snapshots of customers: their features at past dates, and what was observed next."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flows.churn.horizon import DEFAULT_CLV_DAYS
from functions.churn_api.contract import FEATURE_NAMES, NotInContract, feature_position

# Maximum deviation from a year for a snapshot to count as "a year before" another.
YEAR_TOLERANCE_DAYS = 3
# Customers whose last order is longer ago than so many horizons can hardly be kept: telling that they stay away is
# easy, and of no use. Quality is measured first on all others.
HORIZONS_TO_KEEP = 2


@dataclass(frozen=True)
class Totals:
    """Totals of all customers at a snapshot date: customers, churned customers, and spend in the horizon."""

    customers: int
    churned: int
    spend: float

    @property
    def churn_rate(self) -> float:
        return self.churned / self.customers

    @property
    def mean_spend(self) -> float:
        return self.spend / self.customers


@dataclass(frozen=True)
class TrainingSet:
    """n rows, one for each customer and snapshot date: all customers, or a sample of them.

    features: float64 [n, number of features], as the model uses it; NaN where a value is missing. churned: no purchase
    in the horizon. spend: in the horizon, reporting currency. days_to_next_purchase: NaN where none was known when the
    snapshots were built. spend_in_clv_window: spend in clv_days; NaN where they had not passed. population: totals of
    all customers for each date of a sample."""

    horizon_days: int
    clv_days: int
    customer_ids: NDArray[np.object_]
    segments: NDArray[np.object_]
    dates: NDArray[np.datetime64]
    features: NDArray[np.float64]
    churned: NDArray[np.bool_]
    spend: NDArray[np.float64]
    days_to_next_purchase: NDArray[np.float64]
    spend_in_clv_window: NDArray[np.float64]
    population: Mapping[date, Totals] = field(default_factory=dict)

    @classmethod
    def from_table(
        cls,
        snapshots: pa.Table,
        horizon_days: int,
        population: Mapping[date, Totals] | None = None,
        clv_days: int = DEFAULT_CLV_DAYS,
    ) -> Self:
        """From the rows of `intermediate.int_training_snapshots`, in a fixed order."""
        ordered = snapshots.sort_by([("as_of_date", "ascending"), ("customer_id", "ascending")])
        return cls(
            horizon_days=horizon_days,
            clv_days=clv_days,
            customer_ids=ordered.column("customer_id").to_numpy(),
            segments=ordered.column("segment").to_numpy(),
            dates=ordered.column("as_of_date").to_numpy().astype("datetime64[D]"),
            features=feature_matrix(ordered),
            churned=ordered.column("churned").to_numpy(),
            spend=ordered.column("spend_in_horizon").to_numpy(),
            days_to_next_purchase=ordered.column("days_to_next_purchase").cast(pa.float64()).to_numpy(),
            spend_in_clv_window=ordered.column("spend_in_clv_window").cast(pa.float64()).to_numpy(),
            population=population or {},
        )

    def __len__(self) -> int:
        return len(self.churned)

    @property
    def snapshot_dates(self) -> list[date]:
        """The dates of the snapshots, oldest first."""
        return [day.item() for day in np.unique(self.dates)]

    def at(self, dates: Collection[date]) -> Self:
        """The rows of the given snapshot dates."""
        return self.where(np.isin(self.dates, np.array(list(dates), dtype="datetime64[D]")))

    def where(self, chosen: NDArray[np.bool_]) -> Self:
        """The rows for which `chosen` is true."""
        of_all = ("horizon_days", "clv_days", "population")
        return replace(self, **{f.name: getattr(self, f.name)[chosen] for f in fields(self) if f.name not in of_all})

    def known_by(self, day: date) -> Self:
        """The snapshots whose outcome was complete at the end of `day`, and of the spend in clv_days what was."""
        known = self.at([d for d in self.snapshot_dates if d + timedelta(days=self.horizon_days) <= day])
        passed = known.dates + np.timedelta64(self.clv_days, "D") <= np.datetime64(day)
        return replace(known, spend_in_clv_window=np.where(passed, known.spend_in_clv_window, np.nan))

    def newest(self, dates: int) -> Self:
        """The rows of the newest snapshot dates; `dates`: how many."""
        return self.at(self.snapshot_dates[-dates:])

    def year_before(self, day: date) -> Self | None:
        """The snapshot a year before `day`, if there is one."""
        a_year_ago = day - timedelta(days=365)
        near = [d for d in self.snapshot_dates if abs((d - a_year_ago).days) <= YEAR_TOLERANCE_DAYS]
        return self.at([min(near, key=lambda d: abs((d - a_year_ago).days))]) if near else None

    @property
    def totals(self) -> Totals:
        """Totals of all customers of these dates, including those who are not in the sample."""
        if not self.population:
            return Totals(len(self), int(self.churned.sum()), float(self.spend.sum()))
        of_dates = [self.population[day] for day in self.snapshot_dates]
        return Totals(
            sum(of.customers for of in of_dates), sum(of.churned for of in of_dates), sum(of.spend for of in of_dates)
        )

    @property
    def keepable(self) -> NDArray[np.bool_]:
        """Of every row, whether the customer could still be kept at its date."""
        return can_be_kept(self.column("recency_days"), self.horizon_days)

    def column(self, name: str) -> NDArray[np.float64]:
        """One feature of every row."""
        return column(self.features, name)


def can_be_kept(recency_days: NDArray[np.float64], horizon_days: int) -> NDArray[np.bool_]:
    """Whether the last order is recent enough for the customers to be kept, [n]."""
    return recency_days <= HORIZONS_TO_KEEP * horizon_days


def sample_below(wanted: int, customers: int) -> str:
    """The bound below which the md5 of a customer's id is for about `wanted` of all customers; every md5 is below
    "g"."""
    return "g" if customers <= wanted else f"{wanted * 16**8 // customers:08x}"


def feature_matrix(table: pa.Table) -> NDArray[np.float64]:
    """The contract's columns of a table, [n, number of features]; NULL becomes NaN.

    Raises:
        NotInContract: when the table lacks one.
    """
    if missing := [name for name in FEATURE_NAMES if name not in table.column_names]:
        raise NotInContract(
            f"The warehouse has no column {', '.join(missing)}, which functions/churn_api/contract.py names: compute"
            " it in dbt_project/macros/features/customer_features.sql, and run `make generate`."
        )
    features = np.empty((table.num_rows, len(FEATURE_NAMES)))
    for position, name in enumerate(FEATURE_NAMES):
        features[:, position] = table.column(name).cast(pa.float64()).to_numpy()
    return features


def column(features: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """One feature of every row of a feature matrix."""
    return features[:, feature_position(name)]
