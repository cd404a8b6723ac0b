"""What the terminal says of a campaign."""

import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from flows.adapters.marts.campaign_tables import Launched
from flows.campaigns.audience import screen_eligibility
from flows.campaigns.out_of_fold import Interval
from flows.campaigns.targeting import plan
from flows.campaigns.track_record import KeptPromise, TrackRecord
from flows.campaigns.uplift import InsufficientData
from flows.console.campaign_summary import CampaignRun, print_campaign
from tests.examples.candidates import HORIZON_DAYS, LAUNCHED_ON, campaign, candidates

LAUNCHED = Launched("spring", LAUNCHED_ON, date(2026, 4, 30), 80, 20)


def printed(run):
    text = io.StringIO()
    print_campaign(run, Console(file=text, width=200))
    return " ".join(text.getvalue().split())


def planned(budget=300):
    spring = campaign(budget=budget)
    nothing = InsufficientData("no campaign has ended")
    return plan(spring, screen_eligibility(candidates(), spring, 0.0), nothing, LAUNCHED_ON, HORIZON_DAYS)


@pytest.mark.parametrize(("destination", "upload"), [("klaviyo", "; upload it at Klaviyo"), ("csv", "")])
def test_a_file_that_was_written_is_named_and_is_not_called_sent(destination, upload):
    spring = campaign(destination=destination)
    run = CampaignRun("shop", spring, None, LAUNCHED, {"sent": 78, "no_address": 2}, 0, Path("data/a.csv"))
    assert f"wrote data/a.csv with 78 customers{upload}" in printed(run)
    assert "78 sent" not in printed(run)
    assert "2 no address" in printed(run)


def test_where_the_control_group_is_listed_is_named_with_what_to_do_about_it():
    run = CampaignRun("shop", campaign(), None, LAUNCHED, {"sent": 80}, 0, suppressed_in="data/a_control_group.csv")
    assert "is in data/a_control_group.csv: leave them out of all other messages until 2026-04-30" in printed(run)
    assert "control group is in" not in printed(replace(run, suppressed_in=None))


def ended(**changes):
    whole = {
        "currency": "EUR", "offer": "5 off", "window_days": 30, "window_ends_on": date(2026, 4, 30), "cost": 240.0,
        "is_sample_ratio_off": False, "additional_buyers": 46.4, "additional_buyers_low": 15.0,
        "additional_buyers_high": 79.0, "cost_per_additional_buyer": 5.175, "incremental_revenue": 3_686.0,
        "incremental_revenue_low": 1_375.0, "incremental_revenue_high": 5_855.0, "return_on_spend": 15.36,
        "profit": 1_234.0, "profit_low": 310.0, "profit_high": 2_102.0, "afterwards_until": None,
        "revenue_afterwards": None, "revenue_afterwards_low": None, "revenue_afterwards_high": None,
    }  # fmt: skip
    return CampaignRun("shop", campaign(), None, LAUNCHED, {"sent": 80}, 0, result=whole | changes)


def test_the_results_name_the_offer_and_say_what_it_brought_for_what_it_cost():
    said = printed(ended())
    assert "offer: 5 off; window of 30 days, until 2026-04-30" in said
    assert "additional buyers: 46 (15 to 79)" in said
    assert "cost: €240, €5.17 per additional buyer" in said or "€5.18 per additional buyer" in said
    assert "incremental revenue: €3,686 (€1,375 to €5,855)" in said
    assert "return on spend: 15.36 of revenue for each 1 of cost" in said
    assert "profit after cost: €1,234 (€310 to €2,102)" in said
    assert "withheld" not in said


def test_what_is_not_known_of_a_result_is_not_said():
    said = printed(ended(cost_per_additional_buyer=None, profit=None, return_on_spend=None, is_sample_ratio_off=True))
    assert "per additional buyer" not in said
    assert "profit after cost: not known" in said
    assert "return on spend" not in said
    assert "not to be trusted" in said


def test_what_was_bought_after_the_window_is_said_once_it_is_known():
    assert "is measured once they have passed" in printed(ended())
    afterwards = {"revenue_afterwards": -900.0, "revenue_afterwards_low": -1_500.0, "revenue_afterwards_high": -300.0}
    said = printed(ended(afterwards_until=date(2026, 6, 29), **afterwards))
    assert "until 2026-06-29: -€900 (-€1,500 to -€300); clearly below zero" in said


def test_the_record_of_promises_comes_first_and_the_correction_is_said():
    record = TrackRecord([KeptPromise(500, 120.0, 150.0, 10.0, 100.0, 10.0)] * 4)
    known = replace(
        planned(), expected_profit=Interval(100.0, -20.0, 220.0), uncorrected_profit=Interval(140.0, 20.0, 260.0),
        record=record,
    )  # fmt: skip
    said = printed(CampaignRun("shop", known.campaign, known, None, {}, 0))
    first = "the last 4 promises of profit were on average 20% too high: promised €480, came €400"
    assert said.index(first) < said.index("customers in the audience")
    assert "corrected by what came of earlier promises; without that €140" in said


def test_what_an_api_took_is_called_sent():
    run = CampaignRun("shop", campaign(destination="hubspot"), None, LAUNCHED, {"sent": 78}, 0)
    assert "78 sent" in printed(run)


def test_a_margin_is_not_promised_where_it_will_be_withheld():
    small, large = planned(40), planned(5_000)
    few = replace(large, power=small.power)
    assert "too few will buy to measure margin" in printed(CampaignRun("shop", few.campaign, few, None, {}, 0))
    assert "margin per customer contacted" in printed(CampaignRun("shop", large.campaign, large, None, {}, 0))


def test_the_expected_profit_stands_next_to_that_of_contacting_nobody():
    known = replace(planned(), expected_profit=Interval(100.0, -20.0, 220.0))
    said = printed(CampaignRun("shop", known.campaign, known, None, {}, 0))
    assert "€100 (90 % between" in said
    assert "of contacting nobody: 0" in said
