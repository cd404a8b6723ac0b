from dataclasses import replace
from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.campaigns.measurement import (
    Outcomes,
    adjusted_difference,
    even_out_largest,
    measure,
    money_difference,
    rate_difference,
    sample_ratio_p,
)


def is_known(difference):
    return not isnan(difference.low)


def shop(rng, n, effect=0.0, share=0.7):
    """Outcomes of a campaign by which `effect` of the treated buy again: bought, money, treated, expectations."""
    pace = rng.gamma(0.65, 0.8, n)
    basket = np.exp(rng.normal(3.9, 0.45, n))
    treated = rng.random(n) < share
    orders = rng.poisson(pace) + ((rng.random(n) < effect) & treated)
    money = 0.4 * orders * basket * np.exp(rng.normal(-0.18, 0.6, n))
    return orders > 0, money, treated, np.column_stack([np.exp(-pace), pace * basket, pace])


@pytest.mark.parametrize("effect", [0.0, 0.04])
def test_intervals_hold_what_is_true_in_19_of_20_campaigns(effect):
    rng, campaigns, n = np.random.default_rng(5), 500, 1_500
    pace = np.random.default_rng(6).gamma(0.65, 0.8, 1_000_000)
    lift, margin = effect * np.exp(-pace).mean(), 0.4 * effect * np.exp(3.9 + 0.45**2 / 2)
    held = np.zeros((campaigns, 2))
    for number in range(campaigns):
        bought, money, treated, expectations = shop(rng, n, effect)
        rate = rate_difference(bought, treated, expectations)
        value = money_difference(money, bought, treated, expectations)
        held[number] = rate.low <= lift <= rate.high, value.low <= margin <= value.high
    assert held.mean(axis=0) == pytest.approx(0.95, abs=0.02)


def test_intervals_reckon_with_which_customers_came_into_the_campaign():
    """Where the effect depends on what was expected, the customers at hand have another one than all there might be."""
    rng, campaigns, n = np.random.default_rng(10), 300, 200
    held = 0
    for _ in range(campaigns):
        expected, treated = rng.normal(0, 1, n), np.arange(n) % 2 == 0
        found = adjusted_difference(treated * expected + rng.normal(0, 0.1, n), treated, expected[:, None])
        held += found.low <= 0 <= found.high  # on average of all
    assert held / campaigns == pytest.approx(0.95, abs=0.03)


def test_what_the_model_expected_makes_the_interval_narrower():
    bought, money, treated, expectations = shop(np.random.default_rng(1), 5_000)
    plain = money_difference(money, bought, treated, np.empty((5_000, 0)))
    adjusted = money_difference(money, bought, treated, expectations)
    assert adjusted.high - adjusted.low < 0.9 * (plain.high - plain.low)


def test_a_model_that_was_wrong_does_not_move_the_difference():
    rng = np.random.default_rng(2)
    differences = []
    for _ in range(300):
        bought, _, treated, expectations = shop(rng, 800, 0.1)
        differences.append(
            rate_difference(bought, treated, -expectations[:, :1]).mean
            - rate_difference(bought, treated, expectations[:, :0]).mean
        )
    assert np.mean(differences) == pytest.approx(0, abs=3 * np.std(differences) / np.sqrt(300))


def test_without_expectations_it_is_the_plain_difference():
    _, money, treated, _ = shop(np.random.default_rng(3), 1_000, 0.1)
    found = adjusted_difference(money, treated, np.full((1_000, 2), np.nan))
    assert found.mean == pytest.approx(money[treated].mean() - money[~treated].mean())


def test_arms_in_which_nobody_buys_do_not_make_a_lift_of_exactly_nothing():
    treated = np.arange(200) < 150
    found = rate_difference(np.zeros(200, bool), treated, np.zeros((200, 1)))
    assert found.mean == 0
    assert found.low < -0.005
    assert found.high > 0.005


def test_few_buyers_tell_nothing_about_money():
    bought, money, treated, expectations = shop(np.random.default_rng(4), 60)
    assert not is_known(money_difference(money, bought & (money > 60), treated, expectations))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 2**16))
def test_any_two_arms_give_an_interval_around_the_difference_or_nothing(treated, held_out, seed):
    rng = np.random.default_rng(seed)
    n = treated + held_out
    bought, arm = rng.random(n) < rng.random(), np.arange(n) < treated
    found = rate_difference(bought, arm, rng.random((n, 2)))
    if treated and held_out:
        assert found.low <= found.mean <= found.high
        assert found.mean == pytest.approx(bought[arm].mean() - bought[~arm].mean())
    else:
        assert not is_known(found)


def test_arms_as_planned_pass_the_sample_ratio_check_and_lost_customers_do_not():
    assert sample_ratio_p((8_000, 2_000), 0.8) > 0.9
    assert sample_ratio_p((8_000, 2_300), 0.8) < 0.001
    assert (
        sample_ratio_p((7_900, 1_975), 0.8, planned_arm_sizes=(8_000, 2_000)) > 0.1
    )  # as many of each have been erased since
    assert sample_ratio_p((7_900, 2_000), 0.8, planned_arm_sizes=(8_000, 2_000)) < 0.001


def outcomes(rng, n=8_000, effect=0.1):
    bought, money, treated, expectations = shop(rng, n, effect)
    segments = np.where(np.arange(n) % 2 == 0, "Lost", "At risk").astype(object)
    return Outcomes(treated, 0.7, segments, bought, money, expectations)


def test_a_campaign_is_measured_as_a_whole_first_and_then_by_segment():
    effects = list(measure(outcomes(np.random.default_rng(7))))
    assert [effect.segment for effect in effects] == ["all", "At risk", "Lost"]
    whole, *parts = effects
    assert whole.treated == sum(part.treated for part in parts)
    assert whole.lift.low > 0
    assert not whole.is_sample_ratio_off


def test_segments_of_a_campaign_without_effect_rarely_show_any():
    """Their intervals hold together: in at most 1 of 20 campaigns does any of the segments show what is not there."""
    rng, found = np.random.default_rng(8), 0
    for _ in range(200):
        segments = rng.integers(0, 8, 3_000).astype(str).astype(object)
        nothing = replace(outcomes(rng, 3_000, 0.0), segments=segments)
        found += any(effect.lift.low > 0 or effect.lift.high < 0 for effect in list(measure(nothing))[1:])
    assert found <= 20


def test_a_segment_without_a_holdout_has_rates_and_no_lift():
    whole = outcomes(np.random.default_rng(9), 500)
    alone = replace(whole, is_treated=whole.is_treated | (whole.segments == "Lost"))
    (lost,) = (effect for effect in measure(alone) if effect.segment == "Lost")
    assert lost.held_out == 0
    assert not is_known(lost.lift)
    assert 0 < lost.treated_rate < 1


def test_which_arm_has_the_single_huge_order_does_not_matter():
    rng = np.random.default_rng(11)
    bought, money, treated, _ = shop(rng, 4_000)
    nothing = np.zeros((4_000, 0))
    here, there = (np.flatnonzero(bought & arm)[0] for arm in (treated, ~treated))
    found = []
    for one in (here, there):
        with_huge = money.copy()
        with_huge[[here, there]] = money.max()
        with_huge[one] = 1_000 * money.max()
        found.append(money_difference(with_huge, bought, treated, nothing))
    assert found[0].mean == pytest.approx(found[1].mean)
    assert found[0].high - found[0].low == pytest.approx(found[1].high - found[1].low)


def test_evening_out_the_largest_amounts_keeps_the_total_and_all_others():
    bought, money, _, _ = shop(np.random.default_rng(12), 4_000)
    evened = even_out_largest(money, bought)
    assert evened.sum() == pytest.approx(money.sum())
    changed = evened != money
    assert changed.sum() == pytest.approx(0.05 * bought.sum(), abs=2)
    assert money[changed].min() > money[~changed].max()


@pytest.mark.parametrize("baskets", [1.0, 1.25])
def test_intervals_of_heavy_tailed_spend_are_narrower_and_hold_what_is_true(baskets):
    n, sigma, held, widths = 3_000, 1.5, 0, []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        treated, bought = rng.random(n) < 0.5, rng.random(n) < 0.15
        money = bought * rng.lognormal(-(sigma**2) / 2, sigma, n) * np.where(treated, baskets, 1)
        found = money_difference(money, bought, treated, np.zeros((n, 0)))
        raw = adjusted_difference(money, treated, np.zeros((n, 0)))
        held += found.low <= 0.15 * (baskets - 1) <= found.high
        widths.append((found.high - found.low) / (raw.high - raw.low))
    assert held / 200 > 0.91
    assert np.mean(widths) < 0.85
