"""What a shop can learn in its next three campaigns."""

import io
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from rich.console import Console

from flows.campaigns.outlook import Eligible, PastCampaign, look_ahead
from flows.campaigns.pooling import Measured
from flows.campaigns.power import PLAUSIBLE_LIFT
from flows.console.campaign_outlook import OutlookRun, print_outlook
from tests.examples.candidates import HORIZON_DAYS, LAUNCHED_ON, campaign

SPRING = campaign(budget=5_000.0)
PAST = PastCampaign(Measured(1.0, 0.4), 800, 800)


def eligible(n=2_000, chance=0.3, seed=0):
    rng = np.random.default_rng(seed)
    orders = rng.lognormal(3.7, 0.5, n)
    return Eligible(np.full(n, chance), orders * (rng.random(n) < chance), orders, HORIZON_DAYS)


def printed(outlook, n=2_000):
    text = io.StringIO()
    print_outlook(OutlookRun("shop", SPRING, outlook, n, "EUR"), Console(file=text, width=200))
    return " ".join(text.getvalue().split())


def test_a_shop_of_2000_customers_learns_whether_a_very_good_offer_works():
    outlook = look_ahead(SPRING, eligible(), LAUNCHED_ON)
    assert outlook.can_learn
    together = [step.together.detectable_lift for step in outlook.steps]
    assert together == sorted(together, reverse=True)
    assert together[0] == outlook.steps[0].alone.detectable_lift
    assert "After campaign 1 it is known whether a very good offer works (5 more buyers per 100)" in printed(outlook)


def test_a_shop_that_is_too_small_is_told_that_nothing_can_be_learnt_and_what_it_would_take():
    outlook = look_ahead(SPRING, eligible(120), LAUNCHED_ON)
    assert not outlook.can_learn
    assert outlook.steps[-1].together.detectable_lift > PLAUSIBLE_LIFT
    needed = outlook.steps[0].alone.customers_needed
    assert needed > 3 * 120
    assert "Nothing can be learnt with so few customers: not even 3 campaigns" in printed(outlook)
    assert f"One campaign would take {needed:,} customers" in printed(outlook)


def test_the_first_control_group_is_a_half_and_later_ones_are_smaller():
    first, second, third = look_ahead(SPRING, eligible(), LAUNCHED_ON).steps
    assert first.holdout == 0.5
    assert max(second.holdout, third.holdout) < 0.5


def test_what_past_campaigns_have_shown_needs_no_half_of_the_customers_again():
    outlook = look_ahead(SPRING, eligible(), LAUNCHED_ON, [PAST])
    assert outlook.steps[0].holdout < 0.5


def test_the_window_is_that_of_the_file_or_the_next_in_which_enough_of_the_control_group_buy():
    few, many = (look_ahead(SPRING, eligible(chance=chance), LAUNCHED_ON).window_days for chance in (0.05, 0.5))
    assert many == SPRING.window_days == 30
    assert few == 60


def test_the_rate_of_a_window_is_that_of_its_own_pace():
    """In December more buy within 30 days than a constant pace over the horizon says."""
    usual, busy = eligible(), replace(eligible(), horizons={30: HORIZON_DAYS / 2})
    rates = [look_ahead(SPRING, of, LAUNCHED_ON).steps[0].alone.rate_without for of in (usual, busy)]
    assert rates == pytest.approx([1 - 0.7 ** (30 / HORIZON_DAYS), 1 - 0.7 ** (60 / HORIZON_DAYS)])


def test_a_campaign_starts_when_the_customers_of_the_one_before_may_be_contacted_again():
    steps = look_ahead(SPRING, eligible(chance=0.5), LAUNCHED_ON).steps
    cap = SPRING.contact_cap.days
    assert [step.launched_on for step in steps] == [LAUNCHED_ON + n * timedelta(days=cap) for n in range(3)]


def test_no_campaign_costs_more_than_its_budget():
    small = campaign(budget=50.0)
    for step in look_ahead(small, eligible(), LAUNCHED_ON).steps:
        assert 0 < step.loss_at_most <= 50
        assert step.treated + step.held_out < 2_000


def test_a_loss_that_may_be_chance_is_named_and_does_not_stop_the_learning():
    cost = look_ahead(SPRING, eligible(), LAUNCHED_ON).cost_per_contact
    outlook = look_ahead(SPRING, eligible(), LAUNCHED_ON, [PastCampaign(Measured(cost - 0.2, 0.3), 500, 500)])
    assert not outlook.says_contact_nobody
    assert "One more is expected to lose €0.20 per contact, though that may be chance" in printed(outlook)


@pytest.mark.parametrize(("brought", "stops"), [(-0.3, True), (0.4, True), (5.0, False)])
def test_a_campaign_that_brings_less_than_it_costs_is_not_planned_again(brought, stops):
    outlook = look_ahead(SPRING, eligible(), LAUNCHED_ON, [PastCampaign(Measured(brought, 0.3), 500, 500)] * 2)
    assert outlook.cost_per_contact > 0.5
    assert outlook.says_contact_nobody == stops
    assert ("Contact nobody: by what campaigns brought so far" in printed(outlook)) == stops
    assert "the 2 campaigns so far: one more like them brings" in printed(outlook)
