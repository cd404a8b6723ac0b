"""What campaigns changed, as far as it can be known."""

import json
from collections.abc import Mapping
from datetime import date
from math import isfinite
from typing import Any

from flows.adapters.agents.answers import Campaign, Effect, Estimate, Verdict
from flows.adapters.agents.texts import Shown
from flows.adapters.marts.campaign_results import RESULTS
from flows.adapters.marts.campaign_tables import CAMPAIGNS
from flows.campaigns.measurement import MIN_BUYERS_PER_ARM, WHOLE_CAMPAIGN
from flows.campaigns.power import PLAUSIBLE_LIFT, customers_needed
from flows.ports.warehouse import Warehouse

MAX_CAMPAIGNS, MAX_EFFECTS = 12, 30
USUAL_RATE = 0.1  # of buyers within a window, where a campaign has left no better one
TOO_FEW = f"too few have bought: it takes {MIN_BUYERS_PER_ARM} buyers in each arm"


def read_campaigns(warehouse: Warehouse, shown: Shown, as_of: date, which: str = "1 = 1") -> list[Campaign]:
    """The newest campaigns that were launched by then; figures only of those whose window has ended. `which`: a
    condition on a row of marts.campaigns."""
    found = shown.rows(
        warehouse.read(
            f"""select campaign, launched_on, window_ends_on, treated, held_out, expected_profit, expected_profit_low,
                expected_profit_high
            from {CAMPAIGNS} where launched_on <= '{as_of}' and {which}
            order by launched_on desc, launched_at desc, campaign limit {MAX_CAMPAIGNS}"""
        )
    )
    results = shown.rows(
        warehouse.read(
            f"""select * from {RESULTS} where window_ends_on <= '{as_of}'
            order by case when segment = '{WHOLE_CAMPAIGN}' then 0 else 1 end, treated desc, segment"""
        )
    )
    offers = dict(
        zip(*warehouse.read(f"select campaign, definition from {CAMPAIGNS}").to_pydict().values(), strict=True)
    )
    return [
        _campaign(row, shown.text(_offer(offers[row["campaign"]])),
                  [of for of in results if of["campaign"] == row["campaign"]], as_of)
        for row in found
    ]  # fmt: skip


def what_it_takes(rate: float) -> str:
    """To know what a campaign changes, where about this share buys within its window anyway."""
    needed = customers_needed(rate, 0.5)
    return (
        "a campaign with a control group: a holdout of 0.2, or of 0.5 for the fewest customers. With 0.5 it takes"
        f" {needed:,} customers to show {100 * PLAUSIBLE_LIFT:.0f} more buyers per 100, where {rate:.0%} buy anyway"
    )


def _offer(definition: str) -> str:
    return str(json.loads(definition)["offer"]["text"])


def _campaign(row: Mapping[str, Any], offer: str, results: list[dict[str, Any]], as_of: date) -> Campaign:
    whole = results[0] if results and results[0]["segment"] == WHOLE_CAMPAIGN else None
    verdict, says, needed = _judged(row, whole, as_of)
    promised = Estimate(value=None, about_interval="no earlier campaign allowed a promise")
    return Campaign(
        **{name: row[name] for name in ("campaign", "launched_on", "window_ends_on", "treated", "held_out")},
        offer=offer,
        promised_profit=promised if row["expected_profit"] is None else _ends(row, "expected_profit", 0.9),
        verdict=verdict,
        says=says,
        needed=needed,
        effects=[_effect(of) for of in results[:MAX_EFFECTS]] if verdict == "measured" else [],
    )


def _judged(row: Mapping[str, Any], whole: Mapping[str, Any] | None, as_of: date) -> tuple[Verdict, str, str | None]:
    """Whether what a campaign changed can be known, what that is, and what it would take to know."""
    of = whole or {}
    needed = what_it_takes(of.get("held_out_rate") or of.get("treated_rate") or USUAL_RATE)
    if row["window_ends_on"] > as_of:
        says = "its window is open: who looks before its end and stops at a good figure finds effects that are none"
        return "withheld", says, f"a run as of {row['window_ends_on']} or later"
    if not row["held_out"]:
        says = "there was no control group: what the treated would have bought without it was never observed"
        return "cannot be known", says, needed
    if whole is None:
        return "cannot be known", "it has ended and was not measured yet", "a run as of a day after its window"
    if whole["is_sample_ratio_off"]:
        says = "its arms are not as they were drawn: customers of one arm were lost, so the arms cannot be compared"
        return "cannot be known", says, needed
    if whole["lift_low"] is None:
        return "cannot be known", TOO_FEW, needed
    return "measured", f"{_of_buyers(whole)}; {_of_profit(whole)}", None


def _of_buyers(row: Mapping[str, Any]) -> str:
    low, high = 100 * row["lift_low"], 100 * row["lift_high"]
    between = f"{100 * row['lift']:+.1f} buyers per 100 (95 % between {low:+.1f} and {high:+.1f})"
    if low > 0:
        return f"it brought more buyers: {between}"
    if high < 0:
        return f"it put buyers off: {between}"
    return f"no effect on buyers can be told from chance: {between}. That is not the same as no effect"


def _of_profit(row: Mapping[str, Any]) -> str:
    if row["profit_low"] is None:
        return f"its profit cannot be stated: {TOO_FEW}"
    between = f"{row['profit']:,.0f} (95 % between {row['profit_low']:,.0f} and {row['profit_high']:,.0f})"
    if row["profit_low"] > 0:
        return f"it paid: {between}"
    return f"it lost money: {between}" if row["profit_high"] < 0 else f"whether it paid is not clear: {between}"


def _effect(row: Mapping[str, Any]) -> Effect:
    return Effect(
        **{name: row[name] for name in ("segment", "treated", "held_out", "cost")},
        additional_buyers=_ends(row, "additional_buyers", 0.95),
        incremental_revenue=_ends(row, "incremental_revenue", 0.95),
        profit=_ends(row, "profit", 0.95),
    )


def _ends(row: Mapping[str, Any], name: str, chance: float) -> Estimate:
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    if low is None or high is None or not (isfinite(low) and isfinite(high)):
        return Estimate(value=None, about_interval=TOO_FEW)
    return Estimate(value=value, low=low, high=high, chance=chance)
