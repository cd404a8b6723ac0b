"""What agents can ask."""

from collections.abc import Callable, Sequence
from datetime import date
from math import isfinite
from typing import Any, Literal

from pydantic import Field

from flows.adapters.agents.answers import (
    Answer,
    By,
    Campaigns,
    Changes,
    Customer,
    Customers,
    DidItHelp,
    Estimate,
    Forecast,
    Groups,
    Preview,
)
from flows.adapters.agents.campaigns import MAX_CAMPAIGNS, USUAL_RATE, read_campaigns, what_it_takes
from flows.adapters.agents.figures import MAX_LISTED, Figures
from flows.adapters.agents.server import Arguments, Tool
from flows.adapters.marts.campaign_tables import CAMPAIGNS
from flows.campaigns.out_of_fold import Interval
from flows.campaigns.targeting import Plan

MAX_DEFINITION = 10_000  # characters


class ByWhat(Arguments):
    by: By = Field("segment", description="what customers of a group have in common")


class OfQueue(Arguments):
    queue: Literal["keep", "win_back", "thank"] = Field(
        "keep", description="keep: slipping; win_back: gone; thank: active"
    )
    limit: int = Field(20, ge=1, le=MAX_LISTED)


class OfCustomer(Arguments):
    customer_id: str = Field(min_length=1, max_length=200, description="the shop's id, as answers show it; no address")


class Nothing(Arguments):
    pass


class OfCampaign(Arguments):
    campaign: str = Field(min_length=1, max_length=200, description="the name of a campaign, as `campaigns` lists it")


class Since(Arguments):
    since: date = Field(description="compare with the last run by this day")


class Definition(Arguments):
    definition: str = Field(
        min_length=1, max_length=MAX_DEFINITION,
        description="the campaign as YAML text: name, audience, offer, margin, budget, holdout, window_days",
    )  # fmt: skip


def tools(figures: Figures, plan: Callable[[str], Plan]) -> Sequence[Tool]:
    """`plan`: plans the campaign of a YAML text, and writes nothing."""

    def held_open(answer: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
        def answered(of: Any) -> Answer:
            with figures.warehouse.held_open():
                return answer(of)

        return answered

    return (
        Tool(
            "segments",
            "Customers, sums and mean churn probability by segment, lifecycle, risk band, country or channel, and the"
            " totals of all customers with their intervals.",
            ByWhat, Groups, held_open(lambda of: figures.groups(of.by)),
        ),
        Tool(
            "customers",
            "Who to keep, to win back or to thank, and why: those with the largest stakes who may be contacted.",
            OfQueue, Customers, held_open(lambda of: figures.customers(of.queue, of.limit)),
        ),
        Tool(
            "customer",
            "One customer: segment, lifecycle, churn probability with reasons, value, next order, past scores, orders"
            " and campaigns.",
            OfCustomer, Customer, held_open(lambda of: figures.customer(of.customer_id)),
        ),
        Tool(
            "forecast",
            "What all customers together are expected to spend, with interval, and what came of earlier forecasts.",
            Nothing, Forecast, held_open(lambda _: figures.forecast()),
        ),
        Tool(
            "campaigns",
            "The campaigns that were launched: what was promised, and what each has changed as far as it can be known.",
            Nothing, Campaigns, held_open(lambda _: campaigns(figures)),
        ),
        Tool(
            "did_it_help",
            "Whether a campaign changed anything, by its control group. Without one, or before its window has ended, it"
            " says that this cannot be known, and what it would take.",
            OfCampaign, DidItHelp, held_open(lambda of: did_it_help(figures, of.campaign)),
        ),
        Tool(
            "preview_campaign",
            "Who a campaign would contact, what it costs, the profit to expect after correction by past promises, and"
            " the smallest effect that it could show. Nothing is written or sent.",
            Definition, Preview, lambda of: preview(figures, plan, of.definition),
        ),
        Tool(
            "changes",
            "What is different since a day: who slipped, came back and left, the money at stake, campaigns that ended,"
            " and promises that came due.",
            Since, Changes, held_open(lambda of: figures.changes(of.since)),
        ),
    )  # fmt: skip


def campaigns(figures: Figures) -> Campaigns:
    """The newest campaigns."""
    context = figures.context()
    return Campaigns(
        **figures.common(context, caveats=["Intervals of a campaign's segments hold together with 95 %."]),
        launched=figures.warehouse.row(f"select count(*) from {CAMPAIGNS} where launched_on <= '{context.as_of}'")[0],
        campaigns=read_campaigns(figures.warehouse, figures.shown, context.as_of),
    )


def did_it_help(figures: Figures, name: str) -> DidItHelp:
    """What a campaign changed, or why that cannot be known."""
    context = figures.context()
    every = figures.warehouse.read(f"select campaign from {CAMPAIGNS}").column("campaign").to_pylist()
    found = []
    if name in every:  # so it is one of our names, and no other text
        found = read_campaigns(figures.warehouse, figures.shown, context.as_of, f"campaign = '{name}'")
    common = figures.common(
        context, caveats=["Sales before and after, or of who was contacted, do not show an effect."]
    )
    if not found:
        return DidItHelp(
            **common, verdict="cannot be known", campaign=None, needed=what_it_takes(USUAL_RATE),
            says="no campaign of this name was launched, so nobody was held out to compare with. `campaigns` has the"
            f" newest {MAX_CAMPAIGNS} names",
        )  # fmt: skip
    [of] = found
    return DidItHelp(**common, verdict=of.verdict, says=of.says, needed=of.needed, campaign=of)


def preview(figures: Figures, plan: Callable[[str], Plan], definition: str) -> Preview:
    """What a campaign would do."""
    context = figures.context()
    of = plan(definition)
    can, profit = of.power, of.expected_profit
    counted, promised, came = of.record.total()
    return Preview(
        **figures.common(context, "expected_loss", caveats=[
            "Nothing was written or sent. A person launches it: `churn campaign launch FILE`.",
            f"Of {counted} earlier campaigns {promised:,.0f} was promised and {came:,.0f} came." if counted
            else "No earlier campaign has been measured against its promise.",
        ]),
        campaign=of.campaign.name,
        audience=of.audience_size,
        excluded={figures.shown.text(reason): count for reason, count in of.excluded.items()},
        to_contact=of.count("treated"),
        control_group=of.count("holdout"),
        chosen_by=of.ranked_by,
        expected_cost=of.expected_cost,
        highest_cost=of.highest_cost,
        expected_profit=_profit(profit),
        profit_without_correction=of.uncorrected_profit.mean if of.uncorrected_profit else None,
        buyers_without_it=can.rate_without,
        detectable_effect=can.detectable_lift if isfinite(can.detectable_lift) else None,
        pays_from=can.break_even_lift if isfinite(can.break_even_lift) else None,
        can_show_something=can.can_show_something,
        would_be_refused=of.is_expected_to_lose and not of.campaign.to_learn,
        says=figures.shown.text(of.why_ranked_so),
        warnings=[figures.shown.text(warning.text) for warning in of.warnings],
    )  # fmt: skip


def _profit(of: Interval | None) -> Estimate:
    if of is None:
        return Estimate(value=None, about_interval="no earlier campaign has shown what such an offer changes")
    return Estimate(value=of.mean, low=of.low, high=of.high, chance=0.9)
