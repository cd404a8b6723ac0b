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
