from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.simulator.response import responses, with_responses
from flows.simulator.shop import ShopClock, ShopProfile, SimulatedShop, simulate

SHOP = ShopProfile(customers=3_000, seed=7)
LAUNCH, WINDOW = date(2026, 2, 10), 30


@pytest.fixture(scope="module")
def shop():
    return simulate(SHOP)


def contacts(ids, launched_on=LAUNCH, window_days=WINDOW):
    return pa.table(
        {
            "customer_id": pa.array(ids, pa.string()),
            "launched_on": pa.array([launched_on] * len(ids), pa.date32()),
            "window_days": [window_days] * len(ids),
        }
    )


def everybody(shop):
    return shop.customers.column("customer_id").to_pylist()


def known_at(shop, day):
    """Ids of the customers with an order by the end of the day."""
    lines = shop.order_lines
    by_then = lines.column("ordered_at").to_numpy() < np.datetime64(day + timedelta(days=1))
    return sorted(pc.unique(lines.filter(pa.array(by_then)).column("customer_id").drop_null()).to_pylist())


def outcomes(shop, ids, launched_on=LAUNCH, window_days=WINDOW):
    table = responses(shop, ids, launched_on, window_days)
    return {name: table.column(name).to_numpy() for name in table.column_names}


def spent(shop, launched_on=LAUNCH, window_days=WINDOW):
    """What each customer's sales within the window come to, counted without the simulator."""
    first, last = launched_on + timedelta(days=1), launched_on + timedelta(days=window_days)
    money, seen = {}, set()
    for line in shop.order_lines.to_pylist():
        inside = first <= line["ordered_at"].date() <= last
        if line["customer_id"] and line["quantity"] > 0 and inside and line["order_line_id"] not in seen:
            seen.add(line["order_line_id"])
            money[line["customer_id"]] = money.get(line["customer_id"], 0.0) + line["amount"]
    return money


def lines_of(shop, ids, *, others=False):
    chosen = pc.fill_null(pc.is_in(shop.order_lines.column("customer_id"), pa.array(ids, pa.string())), False)
    return shop.order_lines.filter(pc.invert(chosen) if others else chosen)


def test_without_contacts_the_orders_are_those_of_the_shop(shop):
    assert with_responses(shop, contacts([])).order_lines.equals(shop.order_lines)


def test_customers_who_are_not_contacted_order_what_they_would_have(shop):
    ids = everybody(shop)
    after = with_responses(shop, contacts(ids[::2]))
    untouched = ids[1::2]
    assert lines_of(after, untouched).equals(lines_of(shop, untouched))
    assert not after.order_lines.equals(shop.order_lines)


def test_nothing_changes_before_the_launch(shop):
    ends = np.datetime64(LAUNCH + timedelta(days=1))
    after = with_responses(shop, contacts(everybody(shop)))
    before = [
        s.order_lines.filter(pa.array(s.order_lines.column("ordered_at").to_numpy() < ends)) for s in (shop, after)
    ]
    assert before[0].equals(before[1])


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 700), st.integers(1, 90), st.integers(0, 2**31))
def test_what_happens_is_one_of_the_two_outcomes(days_before_the_end, window_days, seed):
    shop = simulate(replace(SHOP, customers=400, seed=seed, share_of_lines_exported_twice=0.05))
    day = SHOP.last_day - timedelta(days=days_before_the_end)
    ids = known_at(shop, day)
    treated, alone = ids[::2], ids[1::2]
    money = spent(with_responses(shop, contacts(treated, day, window_days)), day, window_days)
    for group, outcome in ((treated, "treated"), (alone, "untreated")):
        found = outcomes(shop, group, day, window_days)
        assert found[f"spend_{outcome}"] == pytest.approx([money.get(i, 0.0) for i in group])
        assert found[f"bought_{outcome}"].tolist() == [i in money for i in group]


def test_the_same_customer_contacted_on_the_same_day_does_the_same(shop):
    once, again = (responses(simulate(SHOP), everybody(shop), LAUNCH, WINDOW) for _ in range(2))
    assert once.equals(again)
    a, b = (with_responses(shop, contacts(ids)).order_lines for ids in (everybody(shop), everybody(shop)[::-1]))
    assert a.equals(b)


def test_contacting_one_does_not_change_another(shop):
    ids = everybody(shop)
    few = ids[5::7]
    some, all_ = with_responses(shop, contacts(few)), with_responses(shop, contacts(ids))
    assert lines_of(some, few).equals(lines_of(all_, few))
    alone, among_others = (responses(shop, chosen, LAUNCH, WINDOW) for chosen in (few, ids))
    assert alone.equals(among_others.take(np.arange(5, len(ids), 7)))


def test_another_day_and_another_seed_throw_other_dice(shop):
    ids = known_at(shop, date(2025, 12, 31))
    here = outcomes(shop, ids)["spend_treated"]
    assert (here != outcomes(shop, ids, LAUNCH + timedelta(days=1))["spend_treated"]).any()
    other = SimulatedShop(replace(SHOP, seed=8), shop.order_lines, shop.customers)
    assert (here != outcomes(other, ids)["spend_treated"]).any()


def test_a_longer_window_adds_to_a_shorter_one(shop):
    ids = known_at(shop, LAUNCH)
    short, long = outcomes(shop, ids, window_days=14), outcomes(shop, ids, window_days=60)
    quiet = ~long["bought_untreated"]
    assert (long["bought_treated"] >= short["bought_treated"])[quiet].all()
    assert (long["probability_bought_treated"] >= short["probability_bought_treated"])[quiet].all()


def test_expectations_are_the_means_of_what_happens():
    shop = simulate(replace(SHOP, customers=20_000))
    days = [LAUNCH + timedelta(days=7 * week) for week in range(12)]
    found = [outcomes(shop, known_at(shop, day), day) for day in days]
    bought = np.concatenate([s["bought_treated"] - s["probability_bought_treated"] for s in found])
    spend = np.concatenate([s["spend_treated"] - s["expected_spend_treated"] for s in found])
    for errors in (bought, spend):
        assert abs(errors.mean()) < 4 * errors.std() / np.sqrt(len(errors))


def test_an_average_customer_comes_back_a_few_times_in_a_hundred_more():
    shop = simulate(replace(SHOP, customers=20_000))
    found = outcomes(shop, known_at(shop, LAUNCH))
    effect = found["probability_bought_treated"] - found["bought_untreated"]
    assert 0.03 < effect.mean() < 0.06
    profit = 0.4 * (found["expected_spend_treated"] - found["spend_untreated"])
    profit -= 0.5 + 4 * found["probability_bought_treated"]
    assert abs(profit.mean()) < 0.5
    assert np.sort(profit)[-len(profit) // 10 :].mean() > 4


def test_who_has_left_or_has_never_bought_hardly_comes(shop):
    ids = known_at(shop, LAUNCH)
    customers = shop.customers.filter(pc.is_in(shop.customers.column("customer_id"), pa.array(ids)))
    now = ShopClock.of(SHOP).shop_days(np.array([(LAUNCH - SHOP.first_day).days + 1.0]))[0]
    left = customers.column("left_at_shop_day").to_numpy() <= now
    found = outcomes(shop, ids)
    quiet = ~found["bought_untreated"]
    assert not found["bought_untreated"][left].any()
    came = found["probability_bought_treated"]
    assert 0 < came[left].mean() < 0.25 * came[~left & quiet].mean()
    strangers = sorted(set(everybody(shop)) - set(ids))
    never = outcomes(shop, strangers)
    assert never["spend_treated"].tolist() == never["spend_untreated"].tolist()


def test_customers_of_a_marketplace_respond_least_and_are_put_off_most(shop):
    ids = known_at(shop, LAUNCH)
    found = outcomes(shop, ids)
    channel = dict(
        zip(*(shop.order_lines.column(name).to_pylist() for name in ("customer_id", "channel")), strict=True)
    )
    of = np.array([channel[i] for i in ids])
    quiet, came = ~found["bought_untreated"], found["probability_bought_treated"]
    means = {name: came[quiet & (of == name)].mean() for name in set(of.tolist())}
    assert min(means, key=means.get) == "marketplace"
    assert max(means, key=means.get) == "social"
    put_off = {name: 1 - came[~quiet & (of == name)].mean() for name in set(of.tolist())}
    assert max(put_off, key=put_off.get) == "marketplace"
    assert min(put_off.values()) > 0


def test_what_is_added_looks_like_what_was_there(shop):
    after = with_responses(shop, contacts(everybody(shop))).order_lines
    added = after.filter(pc.starts_with(after.column("order_id"), "R"))
    assert added.num_rows > 50
    assert after.schema == shop.order_lines.schema
    times = after.column("ordered_at").to_numpy()
    assert (np.diff(times) >= np.timedelta64(0)).all()
    assert len(pc.unique(added.column("order_line_id"))) == added.num_rows
    for name in ("order_id", "order_line_id"):
        assert not set(added.column(name).to_pylist()) & set(shop.order_lines.column(name).to_pylist())
    assert pc.all(pc.match_substring_regex(added.column("sku"), r"^P\d{3}$")).as_py()
    for name in ("currency", "country", "channel"):
        assert set(added.column(name).to_pylist()) <= set(shop.order_lines.column(name).to_pylist())


def test_what_is_dropped_is_not_sent_back_either():
    shop = simulate(replace(SHOP, share_of_orders_returned=0.6))
    after = with_responses(shop, contacts(everybody(shop))).order_lines
    sales, returns = (set(after.filter(sign).column("order_id").to_pylist()) for sign in (
        pc.greater(after.column("quantity"), 0), pc.less(after.column("quantity"), 0)))  # fmt: skip
    gone = set(shop.order_lines.column("order_id").to_pylist()) - set(after.column("order_id").to_pylist())
    assert gone
    assert returns <= sales


def test_a_later_launch_sees_what_an_earlier_one_did(shop):
    """The same customers twice, windows overlapping, given in any order: as if launched one after the other."""
    first, second = contacts(everybody(shop)), contacts(everybody(shop)[:1500], LAUNCH + timedelta(days=12))
    together = with_responses(shop, pa.concat_tables([second, first]))
    one_by_one = with_responses(with_responses(shop, first), second)
    assert together.order_lines.equals(one_by_one.order_lines)
    money = spent(together, LAUNCH + timedelta(days=12))
    ids = everybody(shop)[:1500]
    found = outcomes(with_responses(shop, first), ids, LAUNCH + timedelta(days=12))
    assert found["spend_treated"] == pytest.approx([money.get(i, 0.0) for i in ids])


def test_a_window_ends_with_the_shop(shop):
    day = SHOP.last_day - timedelta(days=5)
    after = with_responses(shop, contacts(everybody(shop), day, 60)).order_lines
    assert after.column("ordered_at").to_numpy().max() < np.datetime64(SHOP.last_day + timedelta(days=1))
    assert responses(shop, everybody(shop), day, 60).equals(responses(shop, everybody(shop), day, 5))


@pytest.mark.parametrize(
    ("ids", "day", "problem"),
    [(["C999999"], LAUNCH, "no customer 'C999999'"), (["C000001"], date(2031, 1, 1), "no 2031-01-01")],
)
def test_strangers_and_other_times_are_refused(shop, ids, day, problem):
    with pytest.raises(ValueError, match=problem):
        responses(shop, ids, day, WINDOW)
    with pytest.raises(ValueError, match=problem):
        with_responses(shop, contacts(ids, day))
