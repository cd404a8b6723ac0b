"""Simulates a non-contractual shop: customers buy at their own pace and leave without notice.

Each customer has a purchase rate, a regularity, a chance of leaving and a usual basket, drawn from population
distributions (the Pareto/NBD and BG/NBD family, with gamma-shaped gaps). All clocks run in *shop days*: calendar time
scaled by season and weekday, so that November is busy for everyone. So what a customer's parameters imply for the next
weeks is known exactly: see `flows.simulator.truth`."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import stats

from flows.simulator.habits import Habits, apply_habits, purchases_for_occasions
from flows.simulator.products import categories, products_of_lines, skus

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHANNELS = ("organic search", "paid search", "social", "referral", "marketplace")
CHANNEL_SHARES = (0.38, 0.24, 0.18, 0.12, 0.08)
COUNTRIES = ("Germany", "France", "Netherlands", "Belgium", "Austria")
COUNTRY_SHARES = (0.46, 0.24, 0.14, 0.09, 0.07)
LINES_BEYOND_THE_FIRST = 1.2  # of an order, on average
_NO_TRUTH = ("channel", "country", "lines_beyond_the_first", "occasions")


@dataclass(frozen=True)
class ShopProfile:
    """The population a shop's customers are drawn from. Times in days, money in the shop's currency."""

    customers: int = 5_000
    seed: int = 42
    last_day: date = date(2026, 6, 30)
    days: int = 3 * 365
    rate_shape: float = 0.65
    rate_scale_days: float = 75.0
    gap_regularity: float = 1.4
    dropout_shape: float = 0.45
    dropout_scale_days: float = 120.0
    leaves_after_purchase: tuple[float, float] = (0.25, 4.0)
    log_basket_mean: float = 3.9
    log_basket_sd_between: float = 0.45
    log_basket_sd_within: float = 0.6
    rate_basket_correlation: float = 0.15
    month_weights: tuple[float, ...] = (
        0.8, 0.8, 0.9, 0.95, 1.0, 0.9, 0.85, 0.85, 1.0, 1.15, 1.75, 1.5,
    )  # fmt: skip
    weekday_weights: tuple[float, ...] = (1.05, 1.05, 1.05, 1.0, 1.0, 0.8, 1.05)
    pace_change_per_year: float = 0.0
    share_of_orders_returned: float = 0.05
    share_of_lines_without_customer: float = 0.01
    share_of_lines_exported_twice: float = 0.002
    currency: str = "EUR"
    habits: Habits | None = None

    @property
    def first_day(self) -> date:
        return self.last_day - timedelta(days=self.days - 1)


@dataclass(frozen=True)
class SimulatedShop:
    """`order_lines`: one row per exported line, in time order. `customers`: one row of truth each."""

    profile: ShopProfile
    order_lines: pa.Table
    customers: pa.Table


@dataclass(frozen=True)
class ShopClock:
    """Calendar days to shop days and back; both start at 0 on the shop's first day."""

    elapsed: Floats  # shop days gone by at the start of each calendar day; one more entry than days

    @classmethod
    def of(cls, profile: ShopProfile) -> "ShopClock":
        calendar = [profile.first_day + timedelta(days=day) for day in range(profile.days)]
        pace = np.array([profile.month_weights[d.month - 1] * profile.weekday_weights[d.weekday()] for d in calendar])
        mean_pace = np.mean(profile.month_weights) * np.mean(profile.weekday_weights)
        trend = (1 + profile.pace_change_per_year) ** (np.arange(profile.days) / 365)
        return cls(np.concatenate([[0.0], np.cumsum(pace / mean_pace * trend)]))

    def shop_days(self, calendar_days: Floats) -> Floats:
        return np.interp(calendar_days, np.arange(len(self.elapsed)), self.elapsed)

    def calendar_days(self, shop_days: Floats) -> Floats:
        return np.interp(shop_days, self.elapsed, np.arange(len(self.elapsed)))


def simulate(profile: ShopProfile) -> SimulatedShop:
    """Draws the customers of a shop and everything they buy until its last day.

    The same profile gives the same shop: all randomness comes from `profile.seed`.
    """
    rng = np.random.default_rng(profile.seed)
    clock = ShopClock.of(profile)
    population = _draw_population(profile, clock, rng)
    if profile.habits:
        names = {"channel": CHANNELS, "country": COUNTRIES}
        population = apply_habits(population, profile.habits, names, profile.seed)
    customer, bought_at, left_at = _draw_purchases(population, profile, clock, rng)
    bought_on = clock.calendar_days(bought_at)
    if profile.habits:
        first_on, left_on = (
            clock.calendar_days(population["acquired_at_shop_day"].astype(float)),
            clock.calendar_days(left_at),
        )
        occasions = population["occasions"].astype(int)
        more = purchases_for_occasions(occasions, first_on, left_on, profile.days, profile.habits, profile.seed)
        customer, bought_on = np.concatenate([customer, more[0]]), np.concatenate([bought_on, more[1]])
    order_lines = _draw_order_lines(customer, bought_on, population, profile, rng)
    truth = {name: population[name] for name in population if name not in _NO_TRUTH}
    truth["left_at_shop_day"] = left_at
    customers = pa.table({"customer_id": customer_ids(np.arange(profile.customers)), **truth})
    return SimulatedShop(profile, order_lines, customers)


def customer_ids(index: Ints) -> NDArray[np.str_]:
    """`C000042` for the customer with index 42."""
    return np.char.add("C", np.char.zfill(index.astype(str), 6))


def _draw_population(
    profile: ShopProfile, clock: ShopClock, rng: np.random.Generator
) -> dict[str, NDArray[np.generic]]:
    n = profile.customers
    rho = profile.rate_basket_correlation
    z_rate = rng.standard_normal(n)
    z_basket = rho * z_rate + np.sqrt(1 - rho**2) * rng.standard_normal(n)
    rate = stats.gamma.ppf(stats.norm.cdf(z_rate), profile.rate_shape, scale=1 / profile.rate_scale_days)
    dropout_rate = rng.gamma(profile.dropout_shape, 1 / profile.dropout_scale_days, n)
    return {
        "acquired_at_shop_day": np.sort(rng.uniform(0, clock.elapsed[-1], n)),
        "purchases_per_shop_day": np.maximum(rate, 1e-9),
        "gap_regularity": np.full(n, profile.gap_regularity),
        "dropouts_per_shop_day": dropout_rate,
        "dropout_probability_after_purchase": rng.beta(*profile.leaves_after_purchase, n),
        "log_basket": profile.log_basket_mean + profile.log_basket_sd_between * z_basket,
        "lines_beyond_the_first": np.full(n, LINES_BEYOND_THE_FIRST),
        "channel": rng.choice(CHANNELS, n, p=CHANNEL_SHARES),
        "country": rng.choice(COUNTRIES, n, p=COUNTRY_SHARES),
    }


def _draw_purchases(
    population: dict[str, NDArray[np.generic]], profile: ShopProfile, clock: ShopClock, rng: np.random.Generator
) -> tuple[Ints, Floats, Floats]:
    """Customer index and shop day of every purchase, one round of purchases at a time; the day each customer leaves."""
    customer = np.arange(profile.customers)
    now = population["acquired_at_shop_day"].astype(float)
    rate = population["purchases_per_shop_day"].astype(float)
    regularity = population["gap_regularity"].astype(float)
    coin = population["dropout_probability_after_purchase"].astype(float)
    leaves_at = now + rng.exponential(1 / np.maximum(population["dropouts_per_shop_day"].astype(float), 1e-12))
    left_at = leaves_at.copy()
    rounds: list[tuple[Ints, Floats]] = []
    while len(customer):
        rounds.append((customer, now))
        gap = rng.gamma(regularity[customer], 1 / (regularity[customer] * rate[customer]))
        stays = rng.random(len(customer)) >= coin[customer]
        left_at[customer[~stays]] = now[~stays]
        now = now + gap
        comes_back = stays & (now < leaves_at[customer]) & (now < clock.elapsed[-1])
        customer, now = customer[comes_back], now[comes_back]
    return np.concatenate([c for c, _ in rounds]), np.concatenate([t for _, t in rounds]), left_at


def _draw_order_lines(
    customer: Ints,
    bought_on: Floats,
    population: dict[str, NDArray[np.generic]],
    profile: ShopProfile,
    rng: np.random.Generator,
) -> pa.Table:
    by_time = np.argsort(bought_on, kind="stable")
    customer, bought_on = customer[by_time], bought_on[by_time]
    order = np.arange(len(customer))
    basket = np.exp(
        population["log_basket"][customer].astype(float)
        + profile.log_basket_sd_within * rng.standard_normal(len(order))
    )

    lines_in_order = 1 + rng.poisson(population["lines_beyond_the_first"][customer].astype(float))
    line_order = np.repeat(order, lines_in_order)
    weight = rng.gamma(1.5, 1.0, len(line_order)) + 0.05
    weight /= np.bincount(line_order, weight)[line_order]
    quantity = rng.geometric(0.65, len(line_order))
    unit_price = np.maximum(np.round(basket[line_order] * weight / quantity, 2), 0.05)
    discounted = rng.random(len(order)) < 0.15
    discount_rate = np.where(discounted, rng.choice([0.1, 0.15, 0.2], len(order)), 0.0)
    discount = np.round(quantity * unit_price * discount_rate[line_order], 2)
    product = products_of_lines(customer, bought_on, line_order, rng.zipf(1.3, len(line_order)), profile.seed)

    returned_order = rng.random(len(order)) < profile.share_of_orders_returned
    whole_order = rng.random(len(order)) < 0.3
    first_line = np.r_[True, line_order[1:] != line_order[:-1]]
    returned = np.flatnonzero(returned_order[line_order] & (whole_order[line_order] | first_line))
    sent_back_on = bought_on[line_order[returned]] + rng.uniform(3, 25, len(order))[line_order[returned]]
    inside = sent_back_on < profile.days
    returned, sent_back_on = returned[inside], sent_back_on[inside]

    line = np.concatenate([np.arange(len(line_order)), returned])
    at = np.concatenate([bought_on[line_order], sent_back_on])
    sign = np.concatenate([np.ones(len(line_order), int), -np.ones(len(returned), int)])
    twice = rng.random(len(line)) < profile.share_of_lines_exported_twice
    position = np.argsort(at, kind="stable")
    position = np.repeat(position, np.where(twice[position], 2, 1))
    line, at, sign = line[position], at[position], sign[position]

    of_customer = customer[line_order[line]]
    ids = customer_ids(of_customer).astype(object)
    guest = (rng.random(len(line_order)) < profile.share_of_lines_without_customer)[line]
    ids[guest] = None
    midnight = np.datetime64(profile.first_day, "s")
    return pa.table(
        {
            "order_id": np.char.add("O", np.char.zfill(line_order[line].astype(str), 7)),
            "order_line_id": np.where(sign > 0, line + 1, -(line + 1)),
            "customer_id": pa.array(ids, pa.string()),
            "ordered_at": midnight + (at * 86_400).astype("timedelta64[s]"),
            "sku": skus(product[line]),
            "category": categories(product[line]),
            "quantity": sign * quantity[line],
            "unit_price": unit_price[line],
            "discount": sign * discount[line],
            "amount": np.round(sign * (quantity[line] * unit_price[line] - discount[line]), 2),
            "currency": np.full(len(line), profile.currency),
            "country": population["country"][of_customer],
            "channel": population["channel"][of_customer],
        }
    )
