"""What a preview says a campaign can show is what its measurement shows."""

from math import inf, isinf

import numpy as np
import pytest

from flows.campaigns.measurement import MIN_BUYERS_PER_ARM, money_difference, rate_difference
from flows.campaigns.power import power
from tests.examples.candidates import campaign

TREATED, HELD_OUT, CAMPAIGNS = 3_000, 1_000, 400
NO_EXPECTATION = np.zeros((TREATED + HELD_OUT, 0))
IS_TREATED = np.arange(TREATED + HELD_OUT) < TREATED


def told(rate, treated=TREATED, held_out=HELD_OUT, spend=0.0, order=50.0):
    n = treated + held_out
    return power(campaign(margin=1.0), treated, held_out, np.full(n, rate), np.full(n, spend), np.full(n, order))


def bought(rng, rate, lift):
    return rng.random(len(IS_TREATED)) < rate + lift * IS_TREATED


@pytest.mark.parametrize("rate", [0.003, 0.01, 0.1, 0.4])
def test_the_smallest_lift_that_can_be_shown_is_found_in_four_of_five_campaigns(rate):
    rng, lift = np.random.default_rng(1), told(rate).detectable_lift
    found = [rate_difference(bought(rng, rate, lift), IS_TREATED, NO_EXPECTATION).low > 0 for _ in range(CAMPAIGNS)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.1)


def test_the_smallest_margin_that_can_be_shown_is_found_in_four_of_five_campaigns():
    """By baskets: as many buy, for more."""
    rng, rate, order = np.random.default_rng(2), 0.1, 50.0
    margin, found = told(rate, order=order).detectable_margin, 0
    for _ in range(CAMPAIGNS):
        buys = bought(rng, rate, 0)
        found += money_difference(buys * (order + IS_TREATED * margin / rate), buys, IS_TREATED, NO_EXPECTATION).low > 0
    assert found / CAMPAIGNS == pytest.approx(0.8, abs=0.12)


@pytest.mark.parametrize("were_silent", [True, False])
def test_single_orders_vary_more_than_customers_averages_and_larger_baskets_more_than_usual_ones(were_silent):
    rng, n, found = np.random.default_rng(3), len(IS_TREATED), 0
    orders = rng.lognormal(4, 0.5, n)
    last = np.zeros(n) if were_silent else (rng.random(n) < 0.1) * orders
    margin = power(campaign(margin=1.0), TREATED, HELD_OUT, np.full(n, 0.1), last, orders).detectable_margin
    more = 1 + IS_TREATED * margin / (0.1 * orders.mean())
    for _ in range(CAMPAIGNS):
        buys = bought(rng, 0.1, 0)
        spend = buys * orders * rng.lognormal(-(0.6**2) / 2, 0.6, n) * more
        found += money_difference(spend, buys, IS_TREATED, NO_EXPECTATION).low > 0
    assert found / CAMPAIGNS == pytest.approx(0.8, abs=0.08)


def test_a_margin_that_measurement_will_withhold_is_not_promised():
    few = (MIN_BUYERS_PER_ARM - 1) / HELD_OUT
    assert isinf(told(few).detectable_margin)
    assert told(2 * few).detectable_margin < inf


def test_who_was_silent_may_still_order():
    """Their past spend is zero and does not vary; what they may order does."""
    assert told(0.1, spend=0.0).detectable_margin > 1


def test_without_a_control_group_nothing_can_be_shown():
    alone = told(0.1, held_out=0)
    assert isinf(alone.detectable_lift)
    assert isinf(alone.detectable_margin)
