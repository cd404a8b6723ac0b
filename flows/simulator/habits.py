"""Habits that part customers into kinds: no single distribution of rates, and a calendar of their own."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SEED_OF_HABITS = 1  # a stream of its own, so that a shop without habits stays as it was


@dataclass(frozen=True)
class Habits:
    """Who buys by need or by the calendar, and how channels and countries differ.

    Replenishers buy what they use up: at a gap of their own that varies little, few products at a time, and they seldom
    leave. Gift buyers buy as everyone else and also around up to three days of their own in each year, one of them
    that of their first purchase, until they leave. Shares and the factor of the chance to leave after a purchase are by
    channel, factors of the purchase rate by country, in the orders of CHANNELS and COUNTRIES.
    """

    replenishers_by_channel: tuple[float, ...] = (0.3, 0.2, 0.12, 0.45, 0.05)
    replenishing_gap_days: float = 42.0
    log_gap_sd: float = 0.45
    replenishing_regularity: float = 14.0  # a standard deviation of a quarter of the gap
    leaves_after_replenishing: tuple[float, float] = (0.6, 14.0)
    lines_beyond_the_first_of_replenishers: float = 0.4
    gift_buyers_by_channel: tuple[float, ...] = (0.25, 0.25, 0.4, 0.25, 0.15)
    occasion_is_bought_for: float = 0.8
    occasion_sd_days: float = 6.0
    lines_beyond_the_first_of_gift_buyers: float = 2.2
    leaving_by_channel: tuple[float, ...] = (0.8, 1.6, 1.3, 0.5, 3.0)
    pace_by_country: tuple[float, ...] = (1.2, 1.0, 0.8, 0.6, 1.0)


def apply_habits(
    population: dict[str, NDArray[np.generic]],
    habits: Habits,
    names: Mapping[str, tuple[str, ...]],
    seed: int,
) -> dict[str, NDArray[np.generic]]:
    """A population with these habits. `names`: those of the shop's channels and countries, in the order of shares."""
    rng = np.random.default_rng([seed, SEED_OF_HABITS])
    n = len(population["channel"])

    def by(attribute: str, values: tuple[float, ...]) -> Floats:
        known = dict(zip(names[attribute], values, strict=True))
        return np.array([known[value] for value in population[attribute].tolist()])

    kind, replenishers = rng.random(n), by("channel", habits.replenishers_by_channel)
    replenishes = kind < replenishers
    gives = ~replenishes & (kind < replenishers + by("channel", habits.gift_buyers_by_channel))
    gap = habits.replenishing_gap_days * np.exp(habits.log_gap_sd * rng.standard_normal(n))

    def unless_replenishing(name: str, value: Floats | float) -> Floats:
        return np.where(replenishes, value, population[name].astype(float))

    coin = unless_replenishing("dropout_probability_after_purchase", rng.beta(*habits.leaves_after_replenishing, n))
    lines = unless_replenishing("lines_beyond_the_first", habits.lines_beyond_the_first_of_replenishers)
    return population | {
        "purchases_per_shop_day": unless_replenishing("purchases_per_shop_day", 1 / gap)
        * by("country", habits.pace_by_country),
        "gap_regularity": unless_replenishing("gap_regularity", habits.replenishing_regularity),
        "dropouts_per_shop_day": unless_replenishing("dropouts_per_shop_day", 1 / 2_000),
        "dropout_probability_after_purchase": 1 - (1 - coin) ** by("channel", habits.leaving_by_channel),
        "lines_beyond_the_first": np.where(gives, habits.lines_beyond_the_first_of_gift_buyers, lines),
        "occasions": np.where(gives, rng.integers(1, 4, n), 0),
    }


def purchases_for_occasions(
    occasions: Ints, first_on: Floats, left_on: Floats, days: int, habits: Habits, seed: int
) -> tuple[Ints, Floats]:
    """Customer index and calendar day of each purchase for an occasion, between the first purchase and leaving.

    `occasions` [n]: days in a year for which each customer buys. `first_on`, `left_on` [n]: calendar days.
    """
    rng = np.random.default_rng([seed, SEED_OF_HABITS + 1])
    years = np.arange(days // 365 + 2)
    customer = np.repeat(np.arange(len(occasions)), occasions)
    is_first = np.r_[True, customer[1:] != customer[:-1]]
    day_of_year = np.where(is_first, first_on[customer] % 365, rng.uniform(0, 365, len(customer)))
    shape = (len(customer), len(years))
    at = day_of_year[:, None] + 365 * years + habits.occasion_sd_days * rng.standard_normal(shape)
    bought = rng.random(shape) < habits.occasion_is_bought_for
    # the first purchase is the one of its own occasion, which is not bought for twice
    after = first_on[customer][:, None] + 4 * habits.occasion_sd_days
    bought &= (at > after) & (at < np.minimum(left_on, days)[customer][:, None])
    which, year = np.nonzero(bought)
    return customer[which], at[which, year]
