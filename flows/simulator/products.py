"""What customers of the simulated shop put into their baskets: a few consumables of their own, each again after a gap
of its own, what goes with the first line, and now and then anything else.

It draws from a stream of its own: who buys when and for how much does not depend on it."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PRODUCTS = 400
# category and the days after which its products are used up; None: they last
CATEGORIES: dict[str, float | None] = {
    "coffee": 35.0, "tea": 50.0, "chocolate": 40.0, "soap": 60.0, "pet food": 30.0, "vitamins": 60.0,
    "candles": 90.0, "cleaning": 70.0, "kitchenware": None, "lamps": None, "textiles": None, "stationery": None,
}  # fmt: skip
FAVOURITES = 8
IS_BOUGHT_HERE = 0.7  # of what is used up
LOG_GAP_SD = 0.35  # between customers
GOES_WITH, OF_FAVOURITE_CATEGORY = 0.3, 0.4  # shares of the lines that nobody needs again
SEED_OF_PRODUCTS = 3


def skus(product: Ints) -> NDArray[np.str_]:
    """`P042` for product 42; they are numbered from 1, the most popular first."""
    return np.char.add("P", np.char.zfill(product.astype(str), 3))


def categories(product: Ints) -> NDArray[np.str_]:
    return np.array(list(CATEGORIES))[(product - 1) % len(CATEGORIES)]


def products_of_lines(customer: Ints, bought_on: Floats, line_order: Ints, drawn: Ints, seed: int) -> Ints:
    """The product of each line. customer, bought_on [orders], in time order; line_order [lines]: the order of each;
    drawn [lines]: a product for everyone, by popularity."""
    rng = np.random.default_rng([seed, SEED_OF_PRODUCTS])
    n = int(customer.max(initial=0)) + 1
    used_up = np.array([gap or np.inf for gap in CATEGORIES.values()])
    consumables = np.flatnonzero(np.isfinite(used_up))
    own_categories = rng.choice(consumables, (n, 2))
    category = own_categories[np.arange(n)[:, None], rng.integers(0, 2, (n, FAVOURITES))]
    favourites = _of_category(category, rng)
    gap = used_up[category] * np.exp(LOG_GAP_SD * rng.standard_normal((n, FAVOURITES)))
    phase = rng.random((n, FAVOURITES))

    by_customer = np.lexsort((bought_on, customer))
    before = np.full(len(customer), -np.inf)
    again = customer[by_customer][1:] == customer[by_customer][:-1]
    before[by_customer[1:][again]] = bought_on[by_customer[:-1][again]]
    since = np.where(np.isfinite(before)[:, None], before[:, None], bought_on[:, None] - gap[customer])
    cycles = [np.floor(at / gap[customer] + phase[customer]) for at in (bought_on[:, None], since)]
    turn = np.where(cycles[0] > cycles[1], rng.random(cycles[0].shape), np.inf)  # what is used up, in any order
    needed = np.argsort(turn, axis=1)
    how_many = np.isfinite(turn).sum(axis=1)

    first = np.searchsorted(line_order, np.arange(len(customer)))
    number = np.arange(len(line_order)) - first[line_order] + 1
    is_needed = (number <= how_many[line_order]) & (rng.random(len(line_order)) < IS_BOUGHT_HERE)
    which = needed[line_order, np.minimum(number, FAVOURITES) - 1]
    kind, of = rng.random(len(line_order)), customer[line_order]
    nearby = _of_category(own_categories[of, rng.integers(0, 2, len(of))], rng)
    anything = np.where(kind < GOES_WITH + OF_FAVOURITE_CATEGORY, nearby, 1 + (drawn - 1) % PRODUCTS)
    product = np.where(is_needed, favourites[of, which], anything)
    companion = ~is_needed & (number > 1) & (kind < GOES_WITH)
    return np.asarray(np.where(companion, goes_with(product[first[line_order]]), product))


def goes_with(product: Ints) -> Ints:
    """The product that is bought with another."""
    return np.asarray(1 + (7 * product) % PRODUCTS)


def _of_category(category: Ints, rng: np.random.Generator) -> Ints:
    """A product of each category, the first ones more often."""
    place = np.minimum(rng.geometric(0.15, category.shape), PRODUCTS // len(CATEGORIES)) - 1
    return np.asarray(1 + category + len(CATEGORIES) * place)
