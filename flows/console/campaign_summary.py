"""The summary of a campaign for the terminal, before and after its launch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isinf
from pathlib import Path
from typing import Any

from rich.console import Console

from flows.adapters.marts.campaign_tables import Launched
from flows.campaigns.definition import Campaign
from flows.campaigns.out_of_fold import Interval
from flows.campaigns.targeting import BY_UPLIFT, Plan
from flows.campaigns.track_record import deviation
from flows.console.amounts import money, percent, with_interval
from flows.console.sections import print_sections


@dataclass(frozen=True)
class CampaignRun:
    """`shop`: the shop of the customers. `plan`: None where the campaign was launched before. `launched`: None for a
    preview. `sent`: number of treated by result. `waiting`: number who may still be sent. `file`: the one that was
    written, where the destination is a file. `suppressed_in`: where the control group was listed. `result`: its row of
    marts.campaign_results, once it is measured."""

    shop: str
    campaign: Campaign
    plan: Plan | None
    launched: Launched | None
    sent: dict[str, int]
    waiting: int
    file: Path | None = None
    suppressed_in: str | None = None
    result: Mapping[str, Any] | None = None


def print_campaign(run: CampaignRun, console: Console) -> None:
    """Prints the plan, what was launched, and the results of sending."""
    if run.plan is not None:
        title = f"Campaign {run.campaign.name}, shop {run.shop}, as of {run.plan.launched_on}"
        columns = ("segment", "to contact", "control group", "global holdout")
        print_sections([(title, _planned(run.plan), columns, _by_segment(run.plan))], console)
        for warning in run.plan.warnings:
            console.print(f"\n  [bold]Warning:[/bold] {warning}.", highlight=False, soft_wrap=True)
    if run.launched is not None:
        print_sections([(f"Launched as of {run.launched.launched_on}", _launched(run), (), ())], console)
    else:
        remedy = "`churn campaign launch`, or LAUNCH=1, freezes this and sends the treated"
        print_sections([("Nothing was written or sent", [remedy], (), ())], console)


def _planned(plan: Plan) -> Iterator[str]:
    campaign, can, currency = plan.campaign, plan.power, plan.currency
    yield from _record(plan)
    yield f"{plan.audience_size:,} customers in the audience"
    for reason, customers in plan.excluded.items():
        yield f"{customers:,} of them not: {reason}"
    yield f"{plan.count('treated'):,} to contact, {plan.count('holdout'):,} in the control group"
    how = "expected profit" if plan.ranked_by == BY_UPLIFT else plan.ranked_by
    yield f"chosen by {how}. {plan.why_ranked_so}"
    for name, (customers, promised) in plan.variants.items():
        figures = f"{name}: {customers:,} to contact"
        yield figures if promised is None else f"{figures}, {_promise(promised, currency)}"
    if plan.explored:
        yield (
            f"{plan.explored:,} of them by lot, for {money(plan.explored_cost, currency)}, whatever is expected of"
            f" them, so that learning goes on (explore: {campaign.explore:g})"
        )
    yield (
        f"cost: {money(plan.expected_cost, currency)} expected, {money(plan.highest_cost, currency)} if everybody"
        f" redeemed, of a budget of {money(campaign.budget, currency)}"
    )
    lost = money(plan.at_stake, currency)
    yield f"expected loss with them: {lost} (what they would spend if they stay, less what is expected)"
    if (profit := plan.expected_profit) is not None:
        yield f"{_promise(profit, currency)}; of contacting nobody: 0"
        if (before := plan.uncorrected_profit) is not None and plan.record.promises:
            yield f"corrected by what came of earlier promises; without that {money(before.mean, currency)}"
    yield f"without it {percent(can.rate_without)} would buy within the {campaign.window_days} days"
    if not isinf(can.detectable_lift):
        margin = f", or {money(can.detectable_margin, currency, digits=2)} margin per customer contacted"
        if isinf(can.detectable_margin):
            margin = "; too few will buy to measure margin"
        yield f"smallest effect that can be shown (80 % chance, 95 % confidence): {points(can.detectable_lift)}{margin}"
    if not isinf(can.break_even_lift):
        yield f"it pays for itself from {points(can.break_even_lift)}"


def _promise(profit: Interval, currency: str | None) -> str:
    mean, low, high = (money(value, currency) for value in (profit.mean, profit.low, profit.high))
    return f"profit to expect after its cost: {mean} (90 % between {low} and {high})"


def _record(plan: Plan) -> Iterator[str]:
    """What came of earlier promises, where there are any."""
    count, promised, came = plan.record.total()
    if not count:
        return
    which = f"the last {count} promises of profit were" if count > 1 else "the last promise of profit was"
    figures = f"promised {money(promised, plan.currency)}, came {money(came, plan.currency)}"
    if (by := deviation(promised, came)) is None:
        yield f"{which} off: {figures}"
    elif round(abs(by), 2) == 0:
        yield f"{which} right on average: {figures}"
    else:
        yield f"{which} {'on average ' if count > 1 else ''}{abs(by):.0%} too {'high' if by > 0 else 'low'}: {figures}"


def _by_segment(plan: Plan) -> list[Sequence[str]]:
    counts: dict[str, dict[str, int]] = {}
    grouped = plan.targets.group_by(["segment", "arm"]).aggregate([("customer_id", "count")])
    for row in grouped.sort_by("segment").to_pylist():
        counts.setdefault(row["segment"], {})[row["arm"]] = row["customer_id_count"]
    arms = ("treated", "holdout", "global_holdout")
    return [(segment, *(f"{of.get(arm, 0):,}" for arm in arms)) for segment, of in counts.items()]


def _launched(run: CampaignRun) -> Iterator[str]:
    launched = run.launched
    assert launched is not None  # printed only then
    yield f"{launched.treated:,} to contact, {launched.held_out:,} in the control group: arms do not change any more"
    for result, customers in run.sent.items():
        if result == "sent" and run.file:
            whose = (
                "" if run.campaign.destination == "csv" else f"; upload it at {run.campaign.destination.capitalize()}"
            )
            yield f"wrote {run.file} with {customers:,} customers{whose}"
            continue
        yield f"{customers:,} {result.replace('_', ' ')} (marts.campaign_sends)"
    if run.suppressed_in:
        yield (
            f"the control group is in {run.suppressed_in}: leave them out of all other messages until"
            f" {launched.window_ends_on}, or the campaign looks worse than it is"
        )
    if run.waiting:
        yield f"{run.waiting:,} may still be sent: launching again continues with them"
    if run.result is None:
        yield f"a run as of {launched.window_ends_on} or later measures it; until then its figures are withheld"
    else:
        yield from _result(run.result)


def _result(row: Mapping[str, Any]) -> Iterator[str]:
    """What a campaign brought; in parentheses the 95 % interval."""
    amount = partial(money, currency=row["currency"])
    yield f"offer: {row['offer']}; window of {row['window_days']} days, until {row['window_ends_on']}"
    if row["is_sample_ratio_off"]:
        yield "the arms are not as they were drawn: these figures are not to be trusted"
    yield f"additional buyers: {with_interval(row, 'additional_buyers', '{:,.0f}'.format)}"
    if row["cost_per_additional_buyer"] is not None:
        yield f"cost: {amount(row['cost'])}, {amount(row['cost_per_additional_buyer'], digits=2)} per additional buyer"
    else:
        yield f"cost: {amount(row['cost'])}"
    yield f"incremental revenue: {with_interval(row, 'incremental_revenue', amount)}"
    if row["return_on_spend"] is not None:
        yield f"return on spend: {row['return_on_spend']:.2f} of revenue for each 1 of cost"
    yield f"profit after cost: {with_interval(row, 'profit', amount)}"
    if row["afterwards_until"] is None:
        yield "what was bought in the 60 days after the window is measured once they have passed"
    else:
        yield f"revenue of the days after, until {row['afterwards_until']}: " + (
            f"{with_interval(row, 'revenue_afterwards', amount)}; clearly below zero, purchases were brought forward"
        )


def points(share: float) -> str:
    """A difference of shares, of 100 customers."""
    return f"{100 * share:.1f} more buyers per 100 customers"
