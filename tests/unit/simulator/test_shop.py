from dataclasses import replace
from datetime import date, timedelta

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.simulator.habits import Habits
from flows.simulator.shop import ShopClock, ShopProfile, simulate
from flows.simulator.truth import probability_of_no_purchase

SHOP = ShopProfile(customers=4_000, seed=1)


@pytest.fixture(scope="module")
def shop():
    return simulate(SHOP)


@pytest.fixture(scope="module")
def moments(shop):
    lines = shop.order_lines
    with duckdb.connect() as con:
        con.register("lines", lines)
        return con.sql(
            """with customers as (
                select customer_id, count(distinct order_id) as orders, sum(amount) as spend
                from lines where customer_id is not null and quantity > 0 group by 1
            )
            select avg(orders::double), avg((orders > 1)::int),
                sum(spend) filter (spend >= (select quantile_cont(spend, 0.9) from customers)) / sum(spend)
            from customers"""
        ).fetchall()[0]


def test_the_same_profile_gives_the_same_shop(shop):
    again = simulate(SHOP)
    assert again.order_lines.equals(shop.order_lines)
    assert again.customers.equals(shop.customers)


def test_another_seed_gives_another_shop(shop):
    assert not simulate(replace(SHOP, seed=2)).order_lines.equals(shop.order_lines)


def test_orders_stay_within_the_days_of_the_shop(shop):
    times = shop.order_lines.column("ordered_at").to_numpy()
    assert times.min() >= np.datetime64(SHOP.first_day)
    assert times.max() < np.datetime64(SHOP.last_day + timedelta(days=1))


def test_the_moments_are_those_of_a_gift_shop(moments):
    _, repeat_share, share_of_top_decile = moments
    assert 0.35 < repeat_share < 0.75
    assert 0.4 < share_of_top_decile < 0.6


def test_november_is_busy(shop):
    months = shop.order_lines.column("ordered_at").to_numpy().astype("datetime64[M]").astype(int) % 12 + 1
    counts = np.bincount(months, minlength=13)[1:]
    assert counts[10] == counts.max()
    assert counts[10] > 1.4 * counts.mean()


def test_an_amount_is_quantity_times_price_less_discount(shop):
    lines = shop.order_lines
    quantity, price = lines.column("quantity").to_numpy(), lines.column("unit_price").to_numpy()
    expected = quantity * price - lines.column("discount").to_numpy()
    assert np.allclose(lines.column("amount").to_numpy(), expected, atol=0.006)


def test_some_lines_are_as_messy_as_in_life(shop):
    customers = shop.order_lines.column("customer_id")
    assert 0 < customers.null_count < 0.05 * len(customers)
    ids = shop.order_lines.column("order_line_id").to_numpy()
    assert 0 < len(ids) - len(np.unique(ids)) < 0.01 * len(ids)


@given(st.lists(st.floats(0, 1095), min_size=1, max_size=50))
@settings(max_examples=50, deadline=None)
def test_calendar_days_become_shop_days_and_back(days):
    clock = ShopClock.of(SHOP)
    there_and_back = clock.calendar_days(clock.shop_days(np.array(days)))
    assert np.allclose(there_and_back, days, atol=1e-6)


@pytest.fixture(scope="module")
def with_habits():
    return simulate(replace(SHOP, habits=Habits(), share_of_lines_without_customer=0, share_of_orders_returned=0))


def test_replenishers_keep_their_gaps(with_habits):
    regular = with_habits.customers.column("gap_regularity").to_numpy() == Habits().replenishing_regularity
    gaps = _gaps(with_habits)
    mean = np.array([np.mean(gaps[c]) if len(gaps.get(c, ())) > 4 else np.nan for c in _ids(with_habits)])
    spread = np.array([np.std(gaps[c]) if len(gaps.get(c, ())) > 4 else np.nan for c in _ids(with_habits)])
    assert 0.15 < regular.mean() < 0.35
    assert np.nanmedian((spread / mean)[regular]) < 0.35
    assert np.nanmedian((spread / mean)[~regular]) > 0.6


def test_gift_buyers_come_back_in_the_weeks_of_a_year_before(with_habits):
    share = {habits: _share_of_days_a_year_after_another(shop) for habits, shop in _both(with_habits).items()}
    assert share[True] > 1.3 * share[False]


def test_channels_and_countries_differ_only_with_habits(with_habits):
    orders = {habits: _orders_by(shop, "channel") for habits, shop in _both(with_habits).items()}
    assert max(orders[False].values()) < 1.3 * min(orders[False].values())
    assert orders[True]["referral"] > 2 * orders[True]["marketplace"]
    by_country = _orders_by(with_habits, "country")
    assert by_country["Germany"] > 1.15 * by_country["Belgium"]


def test_a_shop_with_habits_has_no_formula_of_its_truth(with_habits):
    with pytest.raises(ValueError, match="gift buyers"):
        probability_of_no_purchase(with_habits.customers, with_habits.profile, np.zeros(1), date(2025, 12, 31), 90)


def _both(with_habits):
    return {True: with_habits, False: simulate(replace(with_habits.profile, habits=None))}


def _ids(shop):
    return shop.customers.column("customer_id").to_pylist()


def _days(shop):
    """Days of purchase by customer, counted from the shop's first day."""
    lines, days = shop.order_lines, {}
    at = (lines.column("ordered_at").to_numpy() - np.datetime64(SHOP.first_day)) // np.timedelta64(1, "D")
    for customer, day in zip(lines.column("customer_id").to_pylist(), at.tolist(), strict=True):
        days.setdefault(customer, set()).add(day)
    return {customer: np.array(sorted(bought)) for customer, bought in days.items()}


def _gaps(shop):
    return {customer: np.diff(days) for customer, days in _days(shop).items()}


def _share_of_days_a_year_after_another(shop):
    after = [np.abs(days[:, None] - days - 365).min(axis=1) <= 7 for days in _days(shop).values()]
    return np.concatenate(after).mean()


def _orders_by(shop, column):
    """Mean days of purchase of a customer, by channel or country."""
    of = dict(zip(*(shop.order_lines.column(c).to_pylist() for c in ("customer_id", column)), strict=True))
    found = {}
    for customer, days in _days(shop).items():
        found.setdefault(of[customer], []).append(len(days))
    return {value: np.mean(counts) for value, counts in found.items()}


def test_the_truth_agrees_with_what_happens():
    """Of customers with the same true probability, that share does not come back."""
    profile = ShopProfile(customers=40_000, seed=3, share_of_orders_returned=0, share_of_lines_without_customer=0)
    shop = simulate(profile)
    as_of, horizon = date(2025, 12, 31), 90
    day = (as_of - profile.first_day).days
    lines = shop.order_lines
    at = (lines.column("ordered_at").to_numpy() - np.datetime64(profile.first_day)) / np.timedelta64(1, "D")
    customer = np.array([int(c[1:]) for c in lines.column("customer_id").to_pylist()])
    before, after = at < day + 1, (at >= day + 1) & (at < day + 1 + horizon)
    last = np.full(profile.customers, -1.0)
    np.maximum.at(last, customer[before], at[before])
    known = last >= 0
    came_back = np.zeros(profile.customers, bool)
    came_back[customer[after]] = True

    truth = probability_of_no_purchase(shop.customers.filter(known), profile, last[known], as_of, horizon)
    stayed_away = ~came_back[known]
    for low, high in ((0.0, 0.3), (0.3, 0.6), (0.6, 0.9), (0.9, 1.0)):
        group = (truth >= low) & (truth < high)
        standard_error = 0.5 / np.sqrt(group.sum())
        assert abs(truth[group].mean() - stayed_away[group].mean()) < 4 * standard_error


def test_who_buys_when_and_for_how_much_does_not_depend_on_what_is_bought(shop, monkeypatch):
    monkeypatch.setattr(
        "flows.simulator.shop.products_of_lines", lambda customer, bought_on, lines, drawn, seed: drawn % 9
    )
    others, of_products = simulate(SHOP).order_lines, ["sku", "category"]
    assert others.drop_columns(of_products).equals(shop.order_lines.drop_columns(of_products))
    assert not others["sku"].equals(shop.order_lines["sku"])


def test_customers_buy_a_few_products_again_and_again(shop):
    lines = shop.order_lines
    with duckdb.connect() as con:
        con.register("lines", lines)
        again, expected, categories = con.sql(
            """with bought as (select distinct customer_id, sku, order_id from lines where quantity > 0),
            totals as (select sku, count(*) / sum(count(*)) over () as share from bought group by sku),
            pairs as (select customer_id, sku, count(*) as times from bought group by 1, 2)
            select sum(times) filter (times > 1) / sum(times),
                (select sum(share * share) from totals), (select count(distinct category) from lines) from pairs"""
        ).fetchall()[0]
    assert again > 0.3  # by popularity alone an order would have the same product with a chance of `expected`
    assert expected < 0.02
    assert categories == 12


def test_what_goes_together_is_bought_together(shop):
    with duckdb.connect() as con:
        con.register("lines", shop.order_lines)
        [with_companion] = con.sql(
            """with bought as (select distinct order_id, substr(sku, 2)::int as product from lines where quantity > 0)
            select avg((companion.product is not null)::int) / avg((random.product is not null)::int) from bought
            left join bought as companion
                on bought.order_id = companion.order_id and companion.product = 1 + (7 * bought.product) % 400
            left join bought as random
                on bought.order_id = random.order_id and random.product = 1 + (11 * bought.product) % 400"""
        ).fetchall()[0]
    assert with_companion > 5
