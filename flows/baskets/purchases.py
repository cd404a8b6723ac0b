"""Who bought what on which day, as arrays, and what that says about each product."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# A product's own gaps count for as much as those of the whole shop once there are so many; the same of its buyers.
GAPS_TO_TRUST, BUYERS_TO_TRUST = 5, 5
MIN_REBOUGHT_SHARE = 0.05  # of its buyers; below that a product is bought once
BOUGHT_ONCE_FOR_DAYS = 365  # for so long a product that is not bought again is not shown to its buyers


@dataclass(frozen=True)
class Purchases:
    """What was bought, each product once a day and customer, sorted by customer, product and day.

    customer_ids, products: names. customer, product [n]: positions in these. day [n]: proleptic ordinals."""

    customer_ids: pa.StringArray
    products: pa.StringArray
    customer: Ints
    product: Ints
    day: Ints

    @classmethod
    def of(cls, rows: pa.Table) -> "Purchases":
        """rows: customer_id, product and bought_on (a date), in any order, also repeated."""
        customer_ids, customer = _encoded(rows["customer_id"])
        products, product = _encoded(rows["product"])
        day = rows["bought_on"].cast(pa.date32()).cast(pa.int32()).to_numpy().astype(np.int64) + _EPOCH
        first = int(day.min()) if len(day) else 0
        days, width = (int(day.max()) - first + 1 if len(day) else 1), max(len(products), 1)
        key = np.unique((customer * width + product) * days + (day - first))
        pair, since = np.divmod(key, days)
        return cls(customer_ids, products, pair // width, pair % width, since + first)

    def __len__(self) -> int:
        return len(self.day)

    def where(self, rows: Flags) -> "Purchases":
        """Of some rows; names and positions stay."""
        return Purchases(
            self.customer_ids, self.products, self.customer[rows], self.product[rows], self.day[rows]
        )  # fmt: skip

    def renamed(self, names: Mapping[str, str]) -> "Purchases":
        """The same by other names of products, such as their categories; without those that have none."""
        of = pa.array([names.get(product) for product in self.products.to_pylist()], pa.string())
        has_name = of.is_valid().to_numpy(zero_copy_only=False)[self.product]
        day = pa.array((self.day[has_name] - _EPOCH).astype(np.int32)).cast(pa.date32())
        rows = {
            "customer_id": self.customer_ids.take(pa.array(self.customer[has_name])),
            "product": of.take(pa.array(self.product[has_name])),
            "bought_on": day,
        }
        return Purchases.of(pa.table(rows))

    def until(self, day: int) -> "Purchases":
        return self.where(self.day <= day)

    @cached_property
    def starts(self) -> Ints:
        """The first row of each pair of customer and product."""
        if not len(self):
            return np.zeros(0, np.int64)
        changes = (self.customer[1:] != self.customer[:-1]) | (self.product[1:] != self.product[:-1])
        return np.flatnonzero(np.r_[True, changes])


_EPOCH = 719_163  # date(1970, 1, 1).toordinal()


def _encoded(column: pa.ChunkedArray) -> tuple[pa.StringArray, Ints]:
    """The distinct texts in order, and the position of each row's."""
    encoded = column.combine_chunks().dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return encoded.dictionary.take(pa.array(order)), rank[encoded.indices.to_numpy()]


@dataclass(frozen=True)
class Pairs:
    """One entry per customer and product that they bought, sorted by both."""

    customer: Ints
    product: Ints
    bought_times: Ints
    first_day: Ints
    last_day: Ints

    @classmethod
    def of(cls, purchases: Purchases) -> "Pairs":
        starts = purchases.starts
        ends = np.r_[starts[1:], len(purchases)] - 1 if len(starts) else starts
        return cls(
            purchases.customer[starts],
            purchases.product[starts],
            ends - starts + 1,
            purchases.day[starts],
            purchases.day[ends],
        )


@dataclass(frozen=True)
class Habits:
    """How each product is bought; arrays of one entry per product.

    gap_days: the usual days until it is bought again; NaN where nobody in the shop bought anything again. is_rebought:
    whether people buy it again. is_in_catalogue: whether anybody bought it in the last `catalogue_days`. popularity:
    customers who did."""

    gap_days: Floats
    is_rebought: Flags
    is_in_catalogue: Flags
    popularity: Floats

    @classmethod
    def of(cls, purchases: Purchases, pairs: Pairs, as_of: int, catalogue_days: int) -> "Habits":
        products = len(purchases.products)
        again = np.ones(len(purchases), dtype=bool)
        again[purchases.starts] = False
        rows = np.flatnonzero(again)
        gap, product = purchases.day[rows] - purchases.day[rows - 1], purchases.product[rows]
        buyers = np.bincount(pairs.product, minlength=products)
        rebuyers = np.bincount(pairs.product, pairs.bought_times > 1, products)
        of_shop = rebuyers.sum() / max(buyers.sum(), 1)
        share = (rebuyers + BUYERS_TO_TRUST * of_shop) / (buyers + BUYERS_TO_TRUST)
        recent = pairs.last_day > as_of - catalogue_days
        popularity = np.bincount(pairs.product, recent, products).astype(float)
        return cls(
            gap_days=_median_by(product, gap, products),
            is_rebought=share >= MIN_REBOUGHT_SHARE,
            is_in_catalogue=popularity > 0,
            popularity=popularity,
        )

    def without(self, products: Flags) -> "Habits":
        """The same, with none of these in the catalogue."""
        return replace(
            self,
            is_in_catalogue=self.is_in_catalogue & ~products,
            popularity=np.where(products, 0.0, self.popularity),
        )


def _median_by(group: Ints, value: Ints, groups: int) -> Floats:
    """The median of the values of each group, drawn towards that of all where a group has few."""
    if not len(value):
        return np.full(groups, np.nan)
    of_all = float(np.median(value))
    order = np.lexsort((value, group))
    count = np.bincount(group, minlength=groups)
    first = np.cumsum(count) - count
    at = np.minimum(first + np.maximum(count - 1, 0) // 2, len(value) - 1)
    own = np.where(count > 0, value[order][at], of_all)
    return np.asarray((count * own + GAPS_TO_TRUST * of_all) / (count + GAPS_TO_TRUST))


def just_bought(pairs: Pairs, habits: Habits, as_of: int) -> Flags:
    """Per pair: whether the customer has the product and has no use for another: people do not buy it again."""
    return np.asarray(~habits.is_rebought[pairs.product] & (as_of - pairs.last_day < BOUGHT_ONCE_FOR_DAYS))
