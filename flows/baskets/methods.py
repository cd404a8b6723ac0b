"""How products are ranked for a customer: what they bought themselves, what goes with it, what customers like them buy,
and what is popular.

A score is a weighted sum of four parts, each between 0 and 1 for every customer:

own          how often they bought the product, a purchase counting half as much each `half_life_days`, weighed by
             whether it is due: how much of the usual gap has passed, theirs drawn towards the product's
co_purchase  what was bought by the same customers as their own products: cosine between products, shrunk where few
             bought both, of the nearest products
alike        what the customers bought whose own parts are nearest to theirs, by cosine: of up to MAX_ALIKE customers
             who bought lately, so that the work grows with the customers and not with their square
popularity   customers who bought it lately

Own and alike together are TIFU-kNN (Hu et al., SIGIR 2020) with decay by days instead of baskets."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from flows.baskets.purchases import Flags, Floats, Habits, Ints, Pairs, Purchases, just_bought

NEIGHBOURS = 40  # nearest products that are kept of each product
MAX_PRODUCTS_OF_CUSTOMER = 150  # the latest: whoever buys everything tells little about what goes together
SHRINK = 5.0  # customers who bought both count for half where they are so many
ALIKE, MAX_ALIKE = 100, 5_000  # nearest customers, and how many are looked at
POPULAR = 50  # products that everyone may be shown
FILL = 1e-4  # the least weight of popularity: it fills up where nothing else is known
CUSTOMERS_AT_A_TIME, CUSTOMERS_TO_COMPARE, PRODUCTS_AT_A_TIME = 10_000, 1_000, 1_000
DUE_GAPS_TO_TRUST = 1.0  # a customer's own gaps against the product's


@dataclass(frozen=True)
class Method:
    """Weights of the parts. half_life_days: None: all purchases count the same. due: the power of the share of the
    usual gap that has passed; 0: whether it is due does not matter."""

    name: str
    own: float = 0.0
    co_purchase: float = 0.0
    alike: float = 0.0
    popularity: float = 0.0
    half_life_days: float | None = None
    due: float = 0.0


POPULARITY = Method("popularity", popularity=1.0)
FREQUENCY = Method("personal frequency", own=1.0)
# from the simplest to the most complex; a later one must be better to be chosen
METHODS = (
    POPULARITY,
    FREQUENCY,
    Method("personal frequency, recent first", own=1.0, half_life_days=180),
    Method("co-purchase", co_purchase=1.0, half_life_days=180),
    Method("frequency and co-purchase", 1.0, 0.3, 0.0, 0.05),
    Method("recent and co-purchase", 1.0, 0.3, 0.0, 0.05, 180),
    Method("due and co-purchase", 1.0, 0.3, 0.0, 0.05, 365, 0.3),
    Method("frequency and customers alike", 1.0, 0.1, 1.0, 0.05),
    Method("recent and customers alike", 1.0, 0.1, 1.0, 0.05, 180),
    Method("due and customers alike", 1.0, 0.1, 1.0, 0.05, 365, 0.3),
)
DEFAULT = METHODS[4]  # where nothing can be tested yet


@dataclass(frozen=True)
class Ranked:
    """The best products of each customer, sorted by customer and rank, the best first. customer, product, rank [n];
    score [n] and its parts own, co_purchase, alike [n]."""

    customer: Ints
    product: Ints
    rank: Ints
    score: Floats
    own: Floats
    co_purchase: Floats
    alike: Floats


@dataclass(frozen=True)
class Shop:
    """What is known of a shop at the end of a day: `as_of`, an ordinal."""

    purchases: Purchases
    pairs: Pairs
    habits: Habits
    neighbours: sparse.csr_matrix
    as_of: int

    @classmethod
    def at(cls, purchases: Purchases, as_of: int, catalogue_days: int, inactive: Flags | None = None) -> "Shop":
        """Of purchases until then. `catalogue_days`: a product that nobody bought for so long is not sold any more, nor
        is one that is `inactive`."""
        known = purchases.until(as_of)
        pairs = Pairs.of(known)
        habits = Habits.of(known, pairs, as_of, catalogue_days)
        if inactive is not None:
            habits = habits.without(inactive)
        return cls(known, pairs, habits, nearest_products(pairs, len(known.products), habits), as_of)

    def own(self, method: Method) -> sparse.csr_matrix:
        """Customers × products: the own part, 1 for the best of each."""
        if method.half_life_days is None:
            weight = self.pairs.bought_times.astype(float)
        else:
            decayed = 0.5 ** ((self.as_of - self.purchases.day) / method.half_life_days)
            weight = np.add.reduceat(decayed, self.purchases.starts) if len(decayed) else decayed
        if method.due:
            gaps = self.pairs.bought_times - 1
            usual = self.habits.gap_days[self.pairs.product]
            span = self.pairs.last_day - self.pairs.first_day
            gap = (span + DUE_GAPS_TO_TRUST * usual) / (gaps + DUE_GAPS_TO_TRUST)
            passed = np.clip((self.as_of - self.pairs.last_day) / np.maximum(gap, 1.0), 0.02, 1.0)
            weight = weight * np.where(np.isnan(gap), 1.0, passed**method.due)
        return _scaled(self._by_customer(weight))

    def just_bought(self) -> sparse.csr_matrix:
        """Customers × products, with an entry for each that is not to be shown."""
        return self._by_customer(just_bought(self.pairs, self.habits, self.as_of).astype(float))

    def _by_customer(self, value: NDArray[np.floating]) -> sparse.csr_matrix:
        shape = len(self.purchases.customer_ids), len(self.purchases.products)
        counts = np.bincount(self.pairs.customer, minlength=shape[0])
        pointers = np.concatenate([[0], np.cumsum(counts)])
        return sparse.csr_matrix((value.astype(np.float32), self.pairs.product, pointers), shape)


def nearest_products(pairs: Pairs, products: int, habits: Habits) -> sparse.csr_matrix:
    """Products × products: how near the NEIGHBOURS nearest products of each are that are sold, 0 to 1."""
    customers = int(pairs.customer.max()) + 1 if len(pairs.customer) else 0
    latest = _latest(pairs)
    ones = np.ones(int(latest.sum()), np.float32)
    bought = sparse.csr_matrix((ones, (pairs.customer[latest], pairs.product[latest])), (customers, products))
    buyers = np.asarray(bought.sum(axis=0)).ravel().astype(float)
    by_product = bought.T.tocsr()
    parts = []
    for first in range(0, products, PRODUCTS_AT_A_TIME):
        both = (by_product[first : first + PRODUCTS_AT_A_TIME] @ bought).tocoo()
        row, count = both.row + first, both.data
        kept = (count > 1) & (row != both.col) & habits.is_in_catalogue[both.col]
        row, column, count = row[kept], both.col[kept], count[kept]
        near = count / np.sqrt(buyers[row] * buyers[column]) * (count / (count + SHRINK))
        best = _best(row - first, column, near, NEIGHBOURS)
        parts.append((row[best], column[best], near[best]))
    row, column, near = (np.concatenate(part) for part in zip(*parts, strict=True)) if parts else ([], [], [])
    return sparse.csr_matrix((np.asarray(near, np.float32), (row, column)), (products, products))


def _latest(pairs: Pairs) -> NDArray[np.bool_]:
    """The latest pairs of each customer."""
    counts = np.bincount(pairs.customer) if len(pairs.customer) else np.zeros(0, np.int64)
    if not len(counts) or counts.max() <= MAX_PRODUCTS_OF_CUSTOMER:
        return np.ones(len(pairs.customer), dtype=bool)
    order = np.lexsort((-pairs.last_day, pairs.customer))
    position = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    latest = np.zeros(len(order), dtype=bool)
    latest[order[position < MAX_PRODUCTS_OF_CUSTOMER]] = True
    return latest


def _best(row: Ints, column: Ints, score: NDArray[np.floating], most: int) -> Ints:
    """Positions of the best entries of each row, sorted by row and score."""
    order = np.lexsort((column, -score, row))
    of = row[order]
    counts = np.bincount(of) if len(of) else np.zeros(0, np.int64)
    position = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.asarray(order[position < most])


def _scaled(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Each row divided by its greatest entry."""
    if not matrix.nnz:
        return matrix
    greatest = np.asarray(matrix.max(axis=1).todense()).ravel()
    lengths = np.diff(matrix.indptr)
    matrix.data /= np.repeat(np.where(greatest > 0, greatest, 1.0), lengths).astype(matrix.data.dtype)
    return matrix


@dataclass(frozen=True)
class Alike:
    """Whom others are compared with: ascending positions, and their own parts, as they are and of length 1."""

    customers: Ints
    own: sparse.csr_matrix
    unit: sparse.csr_matrix

    @classmethod
    def of(cls, shop: Shop, own: sparse.csr_matrix) -> "Alike":
        """The customers who bought last, of those with more than one product."""
        last_day = np.zeros(own.shape[0], np.int64)
        np.maximum.at(last_day, shop.pairs.customer, shop.pairs.last_day)
        several = np.flatnonzero(np.diff(own.indptr) > 1)
        chosen = np.sort(several[np.argsort(-last_day[several], kind="stable")[:MAX_ALIKE]])
        return cls(chosen, own[chosen], _unit(own[chosen]))

    def bought_by(self, customers: Ints, own: sparse.csr_matrix) -> sparse.csr_matrix:
        """Customers × products: the mean own part of the nearest customers. own: of these customers."""
        if not len(self.customers):
            return sparse.csr_matrix(own.shape, dtype="f4")
        unit, most = _unit(own), min(ALIKE, len(self.customers))
        weights = []
        for first in range(0, len(customers), CUSTOMERS_TO_COMPARE):
            part = customers[first : first + CUSTOMERS_TO_COMPARE]
            near = (unit[first : first + CUSTOMERS_TO_COMPARE] @ self.unit.T).toarray()
            place = np.searchsorted(self.customers, part)
            themselves = self.customers[np.minimum(place, len(self.customers) - 1)] == part
            near[np.flatnonzero(themselves), place[themselves]] = 0.0
            nearest = np.argpartition(-near, most - 1, axis=1)[:, :most]
            is_near = np.take_along_axis(near, nearest, axis=1) > 0
            pointers = np.concatenate([[0], np.cumsum(is_near.sum(axis=1))])
            ones = np.full(pointers[-1], 1 / most, np.float32)
            weights.append(sparse.csr_matrix((ones, nearest[is_near], pointers), near.shape))
        return (sparse.vstack(weights, format="csr") @ self.own).tocsr()


def _unit(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Each row divided by its length."""
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    inverse = np.repeat(1 / np.where(length > 0, length, 1.0), np.diff(matrix.indptr)).astype(np.float32)
    return sparse.csr_matrix((matrix.data * inverse, matrix.indices, matrix.indptr), matrix.shape)


def rank(shop: Shop, method: Method, customers: Ints, most: int = 5) -> Iterator[Ranked]:
    """The products to show these customers (positions, ascending), in blocks of customers. Never one that is not sold
    any more, or that they have and people do not buy again."""
    own, just = shop.own(method), shop.just_bought()
    nearest = Alike.of(shop, own) if method.alike else None
    sold = shop.habits.is_in_catalogue.astype(np.float32)
    popularity = shop.habits.popularity / max(shop.habits.popularity.max(initial=0.0), 1.0)
    popular = np.argsort(-popularity, kind="stable")[:POPULAR]
    popular = popular[popularity[popular] > 0]
    for first in range(0, len(customers), CUSTOMERS_AT_A_TIME):
        block = customers[first : first + CUSTOMERS_AT_A_TIME]
        mine = own[block]
        theirs = _scaled(mine @ shop.neighbours) if method.co_purchase else sparse.csr_matrix(mine.shape, dtype="f4")
        others = nearest.bought_by(block, mine) if nearest else sparse.csr_matrix(mine.shape, dtype="f4")
        shown = (method.own * mine + method.alike * others).multiply(sold).tocsr() + method.co_purchase * theirs
        everyone = sparse.csr_matrix(
            (
                np.tile(popularity[popular] * (method.popularity or FILL), len(block)).astype(np.float32),
                np.tile(popular, len(block)),
                np.arange(0, len(block) * len(popular) + 1, len(popular)) if len(popular) else np.zeros(len(block) + 1),
            ),
            mine.shape,
        )
        everyone.sort_indices()
        score = (shown + everyone - 1e6 * just[block]).tocoo()
        kept = score.data > 0
        row, column, value = score.row[kept], score.col[kept].astype(np.int64), score.data[kept]
        best = _best(row, column, value, most)
        row, column, value = row[best], column[best], value[best].astype(float)
        counts = np.bincount(row, minlength=len(block))
        yield Ranked(
            customer=block[row],
            product=column,
            rank=np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts) + 1,
            score=np.minimum(value / (method.own + method.co_purchase + method.alike + method.popularity), 1.0),
            own=_at(mine, row, column) * method.own,
            co_purchase=_at(theirs, row, column) * method.co_purchase,
            alike=_at(others, row, column) * method.alike,
        )


def _at(matrix: sparse.csr_matrix, row: Ints, column: Ints) -> Floats:
    return np.asarray(matrix[row, column], dtype=float).ravel() if len(row) else np.zeros(0)
