"""What simulated customers do with and without a campaign: both outcomes are known.

A customer who was never contacted buys exactly what `simulate` generates. A contacted customer has random numbers of
their own, which depend on the shop's seed, the day of the launch and the customer, and on nothing else:

- They are *put off* with a small chance, larger for customers of marketplaces and for those who buy often and have just
  done so. Then they do not buy what they would have bought within the window.
- Otherwise they may place one *additional order*, with the chance
      willingness × channel × timing × (left for good: 0.08) × (would buy within the window anyway: 0.15)
  willingness: the customer's own for life, a Beta(0.8, 3.2), which is not observable. channel: from 1.5 for customers
  from social media to 0.1 for those of a marketplace. timing: 1 for a customer who has waited as long as their usual
  gap, less the more the wait differs from it in proportion, to either side; a customer who usually waits for months
  counts as due after four. The order is one of their usual baskets and comes soon: its delay decays by a factor of e
  every ten days, within the window.
- All other purchases within the window stay as they are: an offer is then only redeemed.

Shop days are as in `flows.simulator.shop`; "within the window" are the window_days days after launched_on. A window
that the shop's last day cuts short ends there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import stats

from flows.simulator.products import PRODUCTS, categories, skus
from flows.simulator.shop import Floats, Ints, ShopClock, SimulatedShop

Flags = NDArray[np.bool_]

WILLINGNESS = (0.8, 3.2)
CHANNEL_FACTORS = {"organic search": 1.0, "paid search": 1.25, "social": 1.5, "referral": 0.9, "marketplace": 0.1}
TIMING_SPREAD = 0.9  # of the log of waited ÷ usual gap
MAX_GAP_DAYS = 120.0
WON_BACK = 0.08
BESIDE_OWN_PURCHASE = 0.15
DAYS_TO_RESPONSE = 10.0
PUT_OFF, PUT_OFF_OF_MARKETPLACE, PUT_OFF_WHILE_BUYING = 0.02, 0.1, 0.2
MAX_LINES = 9

# what each random number decides
_WILLINGNESS, _PUT_OFF, _ORDERS, _WHEN, _BASKET, _LINES, _OF_LINES = range(7)


def responses(shop: SimulatedShop, customer_ids: pa.Array, launched_on: date, window_days: int) -> pa.Table:
    """Both outcomes of a campaign on `launched_on` for each of the given customers, in their order.

    Spend is purchases within the window before returns. `bought_untreated`, `spend_untreated`: without contact.
    `probability_bought_treated`, `expected_spend_treated`: the mean over their random numbers if they are contacted,
    given what they do without contact. `bought_treated`, `spend_treated`: the drawn outcome, which `with_responses`
    applies. A customer who has not bought by then cannot be contacted: both outcomes are the same.

    Raises:
        ValueError: for a customer that the shop does not have, or a day without one.
    """
    found = _positions(shop, customer_ids)
    outcome = _Outcome.of(shop, found, launched_on, np.full(len(found), window_days))
    return pa.table(
        {
            "customer_id": pa.array(customer_ids, pa.string()),
            "bought_untreated": outcome.bought_untreated,
            "spend_untreated": outcome.spend_untreated,
            "probability_bought_treated": outcome.probability_bought_treated,
            "expected_spend_treated": outcome.expected_spend_treated,
            "bought_treated": outcome.bought_treated,
            "spend_treated": outcome.spend_treated,
        }
    )


def with_responses(shop: SimulatedShop, contacted: pa.Table) -> SimulatedShop:
    """The shop in which these customers were contacted: columns customer_id, launched_on (date), window_days.

    Launches are applied in order: effects of an earlier one are part of the history at the next.
    A customer is contacted once on a day, for the longest of the windows.

    Raises:
        ValueError: for a customer that the shop does not have, or a day without one.
    """
    once = contacted.group_by(["launched_on", "customer_id"]).aggregate([("window_days", "max")])
    for launched_on in sorted(set(once.column("launched_on").to_pylist())):
        launch = once.filter(pc.equal(once.column("launched_on"), pa.scalar(launched_on, pa.date32())))
        found = _positions(shop, launch.column("customer_id"))
        windows = launch.column("window_days_max").to_numpy().astype(np.int64)
        in_order = np.argsort(found)  # the same lines for any order of the customers
        shop = _launched(shop, found[in_order], launched_on, windows[in_order])
    return shop


@dataclass(frozen=True)
class _Lines:
    """The shop's order lines. customer: position in `shop.customers`, -1 for a line without a customer. at: days since
    the shop's first day began. counts: whether it is a sale and not a duplicate."""

    customer: Ints
    at: Floats
    amount: Floats
    counts: Flags

    @classmethod
    def of(cls, shop: SimulatedShop) -> "_Lines":
        lines = shop.order_lines
        position = pc.fill_null(pc.index_in(lines.column("customer_id"), shop.customers.column("customer_id")), -1)
        since = lines.column("ordered_at").to_numpy() - np.datetime64(shop.profile.first_day, "s")
        first = np.zeros(lines.num_rows, bool)
        first[np.unique(lines.column("order_line_id").to_numpy(), return_index=True)[1]] = True
        return cls(
            position.to_numpy().astype(np.int64),
            since / np.timedelta64(1, "D"),
            lines.column("amount").to_numpy(),
            first & (lines.column("quantity").to_numpy() > 0),
        )


@dataclass(frozen=True)
class _Outcome:
    """The responses of n customers contacted on one day; `day` and times are days since the shop's first day began.

    line_*: of the additional orders' lines; of_customer is their position among the n.
    """

    bought_untreated: Flags
    spend_untreated: Floats
    chance_put_off: Floats
    chance_of_order: Floats
    usual_basket: Floats
    put_off: Flags
    orders: Flags
    ordered_at: Floats
    line_of_customer: Ints
    line_number: Ints
    line_product: Ints
    line_price: Floats

    @classmethod
    def of(cls, shop: SimulatedShop, customer: Ints, launched_on: date, window_days: Ints) -> "_Outcome":
        profile, clock, lines = shop.profile, ShopClock.of(shop.profile), _Lines.of(shop)
        starts = float((launched_on - profile.first_day).days + 1)
        if not 1 <= starts <= profile.days:
            raise ValueError(f"the shop has no {launched_on}: its days are {profile.first_day} to {profile.last_day}")
        window = np.minimum(window_days, profile.days - starts)

        def truth(name: str) -> Floats:
            return np.asarray(shop.customers.column(name).to_numpy(), dtype=np.float64)[customer]

        def dice(what: int, *, for_life: bool = False) -> Floats:
            return _dice(profile.seed, 0 if for_life else launched_on.toordinal(), customer, what)

        ends = np.full(profile.customers, starts)
        ends[customer] = starts + window
        own = lines.counts & (lines.customer >= 0)
        inside = own & (lines.at >= starts) & (lines.at < ends[lines.customer])
        spend = np.bincount(lines.customer[inside], lines.amount[inside], profile.customers)[customer]
        bought = np.bincount(lines.customer[inside], minlength=profile.customers)[customer] > 0
        last = np.full(profile.customers, np.nan)
        before = own & (lines.at < starts)
        np.fmax.at(last, lines.customer[before], lines.at[before])
        known = ~np.isnan(last[customer])

        now = float(clock.shop_days(np.array([starts]))[0])
        gap = np.minimum(1 / truth("purchases_per_shop_day"), MAX_GAP_DAYS)
        waited = (now - clock.shop_days(np.where(known, last[customer], 0.0))) / gap
        timing = np.exp(-0.5 * (np.log(np.maximum(waited, 1e-6)) / TIMING_SPREAD) ** 2)
        channel = _channel(shop, lines, customer)
        chance = stats.beta.ppf(dice(_WILLINGNESS, for_life=True), *WILLINGNESS) * timing
        chance *= np.array([CHANNEL_FACTORS.get(name, 1.0) for name in channel.tolist()])
        chance *= np.where(truth("left_at_shop_day") <= now, WON_BACK, 1.0) * np.where(bought, BESIDE_OWN_PURCHASE, 1.0)
        chance = np.where(known, np.minimum(chance, 1.0), 0.0)
        chance_put_off = PUT_OFF + PUT_OFF_OF_MARKETPLACE * (channel == "marketplace")
        chance_put_off += PUT_OFF_WHILE_BUYING * np.exp(-gap / 30) * np.exp(-waited)
        chance_put_off = np.where(known, chance_put_off, 0.0)

        after = -DAYS_TO_RESPONSE * np.log1p(-dice(_WHEN))
        put_off = dice(_PUT_OFF) < chance_put_off
        orders = ~put_off & (dice(_ORDERS) < chance) & (after < window)
        basket = np.exp(truth("log_basket") + profile.log_basket_sd_within * stats.norm.ppf(dice(_BASKET)))
        ordering = np.flatnonzero(orders)
        of_customer, number, product, price = _baskets(
            basket[ordering], lambda what: _dice(profile.seed, launched_on.toordinal(), customer[ordering], what)
        )
        return cls(
            bought_untreated=bought,
            spend_untreated=np.round(spend, 2),
            chance_put_off=chance_put_off,
            chance_of_order=chance * -np.expm1(-window / DAYS_TO_RESPONSE),
            usual_basket=np.exp(truth("log_basket") + profile.log_basket_sd_within**2 / 2),
            put_off=put_off,
            orders=orders,
            ordered_at=starts + after,
            line_of_customer=ordering[of_customer],
            line_number=number,
            line_product=product,
            line_price=price,
        )

    @property
    def probability_bought_treated(self) -> Floats:
        return (1 - self.chance_put_off) * np.where(self.bought_untreated, 1.0, self.chance_of_order)

    @property
    def expected_spend_treated(self) -> Floats:
        additional = self.chance_of_order * self.usual_basket
        return np.asarray((1 - self.chance_put_off) * (self.spend_untreated + additional))

    @property
    def bought_treated(self) -> Flags:
        return ~self.put_off & (self.bought_untreated | self.orders)

    @property
    def spend_treated(self) -> Floats:
        additional = np.bincount(self.line_of_customer, self.line_price, len(self.orders))
        return np.round(np.where(self.put_off, 0.0, self.spend_untreated) + additional, 2)


def _launched(shop: SimulatedShop, customer: Ints, launched_on: date, window_days: Ints) -> SimulatedShop:
    """The shop after these customers, in ascending order, were contacted on one day."""
    outcome = _Outcome.of(shop, customer, launched_on, window_days)
    lines, profile = _Lines.of(shop), shop.profile
    starts = (launched_on - profile.first_day).days + 1
    stays_away_until = np.full(profile.customers + 1, -1.0)  # the last one is of lines without a customer
    stays_away_until[customer[outcome.put_off]] = starts + window_days[outcome.put_off]
    dropped = lines.counts & (lines.at >= starts) & (lines.at < stays_away_until[lines.customer])
    order_ids = shop.order_lines.column("order_id")
    kept = pc.invert(pc.is_in(order_ids, pc.unique(order_ids.filter(pa.array(dropped)))))
    order_lines = pa.concat_tables(
        [shop.order_lines.filter(kept), _additional_lines(shop, lines, outcome, customer, launched_on)]
    )
    by_time = np.argsort(order_lines.column("ordered_at").to_numpy(), kind="stable")
    return SimulatedShop(profile, order_lines.take(by_time).combine_chunks(), shop.customers)


def _additional_lines(
    shop: SimulatedShop, lines: _Lines, outcome: _Outcome, customer: Ints, launched_on: date
) -> pa.Table:
    """Numbers by day, customer and line, which are unique and do not depend on other customers."""
    of = outcome.line_of_customer
    if not len(of):
        return shop.order_lines.slice(0, 0)
    who = customer[of]
    day = (launched_on - shop.profile.first_day).days + 1
    at = np.datetime64(shop.profile.first_day, "s") + (outcome.ordered_at[of] * 86_400).astype("timedelta64[s]")
    any_line = shop.order_lines.take(_any_line(lines, shop.profile.customers)[who])
    one = np.ones(len(of), np.int64)
    columns = {
        "order_id": np.char.add(f"R{launched_on:%y%m%d}-", np.char.zfill(who.astype(str), 6)),
        "order_line_id": (day * 10**8 + who) * 100 + outcome.line_number + 10**15,
        "customer_id": shop.customers.column("customer_id").take(who),
        "ordered_at": at,
        "sku": skus(outcome.line_product),
        "category": categories(outcome.line_product),
        "quantity": one,
        "unit_price": outcome.line_price,
        "discount": 0.0 * one,
        "amount": outcome.line_price,
        "currency": np.full(len(of), shop.profile.currency),
        "country": any_line.column("country"),
        "channel": any_line.column("channel"),
    }
    schema = shop.order_lines.schema
    return pa.table({name: columns[name] for name in schema.names}).cast(schema)


def _baskets(basket: Floats, dice: Callable[[int], Floats]) -> tuple[Ints, Ints, Ints, Floats]:
    """Position of the order, number within it, product and price of every line of orders worth so much."""
    lines = 1 + np.minimum(stats.poisson.ppf(dice(_LINES), 1.2), MAX_LINES - 1)
    order, number = np.nonzero(np.arange(MAX_LINES) < lines[:, None])
    drawn = np.column_stack([dice(_OF_LINES + n) for n in range(2 * MAX_LINES)])
    weight = 0.05 - np.log1p(-drawn[order, number])
    share = weight / np.bincount(order, weight, len(basket))[order]
    popularity = np.arange(1, PRODUCTS + 1) ** -1.3
    product = 1 + np.searchsorted(np.cumsum(popularity / popularity.sum()), drawn[order, MAX_LINES + number])
    return order, number, np.minimum(product, PRODUCTS), np.maximum(np.round(basket[order] * share, 2), 0.05)


def _positions(shop: SimulatedShop, customer_ids: pa.Array) -> Ints:
    """In `shop.customers`."""
    ids = pa.array(customer_ids, pa.string()) if not isinstance(customer_ids, pa.ChunkedArray) else customer_ids
    found = pc.index_in(ids, shop.customers.column("customer_id"))
    if found.null_count:
        raise ValueError(f"the shop has no customer {ids.filter(pc.is_null(found))[0].as_py()!r}")
    return np.asarray(found.to_numpy(), dtype=np.int64)


def _channel(shop: SimulatedShop, lines: _Lines, customer: Ints) -> NDArray[np.object_]:
    """A value for each customer; arbitrary for customers without an order."""
    line = _any_line(lines, shop.profile.customers)[customer]
    return np.asarray(shop.order_lines.column("channel").take(line).to_numpy(), dtype=object)


def _any_line(lines: _Lines, customers: int) -> Ints:
    """The position of a line of each customer; 0 for customers without one."""
    line = np.zeros(customers + 1, np.int64)
    line[lines.customer] = np.arange(len(lines.customer))
    return line[:-1]


def _dice(seed: int, day: int, customer: Ints, what: int) -> Floats:
    """A number between 0 and 1 for each customer, the same in every call: hashed by splitmix64."""
    state = np.zeros(len(customer), np.uint64)
    for part in (seed, day, what, customer):
        state = (state ^ np.asarray(part).astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    return ((state >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
