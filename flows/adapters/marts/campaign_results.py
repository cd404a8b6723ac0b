"""Results of campaigns: `marts.campaign_outcomes`, which dbt builds, and `marts.campaign_results`."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from math import isnan
from typing import Any

import pyarrow as pa

from flows.adapters.marts.campaign_tables import CAMPAIGNS
from flows.campaigns.measurement import WHOLE_CAMPAIGN, Effect
from flows.ports.warehouse import Warehouse

OUTCOMES, RESULTS = "marts.campaign_outcomes", "marts.campaign_results"
# A campaign is measured again until so many days after its window: orders may arrive late.
STILL_MEASURED_DAYS = 30


def read_history(warehouse: Warehouse, as_of: date) -> pa.Table:
    """The outcomes of the targets of past campaigns, to which the uplift model is fitted. Only of campaigns that were
    measured, in the shop's currency, with arms as they were drawn and at least half of the treated contacted."""
    return warehouse.read(
        f"""select outcomes.*, outcomes.spend_in_window as spend from {OUTCOMES} as outcomes
        inner join {RESULTS} as results on outcomes.campaign = results.campaign
        where outcomes.arm in ('treated', 'holdout') and outcomes.treatment_share < 1
            and outcomes.window_ends_on <= '{as_of}' and results.segment = '{WHOLE_CAMPAIGN}'
            and not results.is_sample_ratio_off and results.contacted * 2 >= results.treated
            and coalesce(results.currency, '') = coalesce(
                (select max(currency) from marts.marketing_customers), '')
        order by outcomes.campaign, outcomes.customer_id"""
    )


def read_to_measure(warehouse: Warehouse, as_of: date) -> list[dict[str, Any]]:
    """Rows of marts.campaigns whose window has ended, except for those that were measured long ago."""
    long_ago = as_of - timedelta(days=STILL_MEASURED_DAYS)
    found = warehouse.read(
        f"""select * from {CAMPAIGNS} as campaigns
        where window_ends_on <= '{as_of}' and (window_ends_on >= '{long_ago}' or not exists (
            select 1 from {RESULTS} as results where results.campaign = campaigns.campaign
        ))
        order by launched_on, campaign"""
    )
    return list(found.to_pylist())


def read_outcomes(warehouse: Warehouse, campaign: str) -> pa.Table:
    """The outcomes of the treated and the control group of a campaign."""
    return warehouse.read(
        f"""select * from {OUTCOMES} where campaign = '{campaign}' and arm in ('treated', 'holdout')
        order by customer_id"""
    )


def read_results(warehouse: Warehouse, as_of: date) -> pa.Table:
    """Results of whole campaigns whose window has ended by then, newest first."""
    return warehouse.read(
        f"""select * from {RESULTS} where segment = '{WHOLE_CAMPAIGN}' and window_ends_on <= '{as_of}'
        order by launched_on desc, campaign"""
    )


def store_results(
    warehouse: Warehouse,
    campaign: Mapping[str, Any],
    effects: Iterable[Effect],
    contacted: Mapping[str, tuple[int, int]],
) -> None:
    """Stores the effects in marts.campaign_results. contacted: for each segment, how many of the treated were sent and
    how many of those bought."""
    rows = pa.Table.from_pylist(
        [_result(campaign, effect, *contacted.get(effect.segment, (0, 0))) for effect in effects], schema=_RESULT
    )
    warehouse.merge(RESULTS, rows, ["campaign", "segment"])


def _result(campaign: Mapping[str, Any], effect: Effect, contacted: int, redeemed: int) -> dict[str, Any]:
    cost = campaign["cost_per_contact"] * contacted + campaign["cost_per_redemption"] * redeemed
    margins = {"": effect.margin.mean, "_low": effect.margin.low, "_high": effect.margin.high}
    row = {
        "campaign": campaign["campaign"],
        "segment": effect.segment,
        "launched_on": campaign["launched_on"],
        "window_ends_on": campaign["window_ends_on"],
        "treated": effect.treated,
        "held_out": effect.held_out,
        "contacted": contacted,
        "treated_rate": effect.treated_rate,
        "held_out_rate": effect.held_out_rate,
        "lift": effect.lift.mean,
        "lift_low": effect.lift.low,
        "lift_high": effect.lift.high,
        "margin_per_treated": effect.margin.mean,
        "margin_low": effect.margin.low,
        "margin_high": effect.margin.high,
        "cost": cost,
        **{f"profit{end}": effect.treated * margin - cost for end, margin in margins.items()},
        "sample_ratio_p": effect.sample_ratio_p,
        "is_sample_ratio_off": effect.is_sample_ratio_off,
        "ranked_by": campaign["ranked_by"],
        "currency": campaign["currency"],
    }
    return {name: None if isinstance(value, float) and isnan(value) else value for name, value in row.items()}


_RESULT = pa.schema(
    {
        "campaign": pa.string(), "segment": pa.string(), "launched_on": pa.date32(), "window_ends_on": pa.date32(),
        "treated": pa.int64(), "held_out": pa.int64(), "contacted": pa.int64(),
        **{
            name: pa.float64()
            for name in (
                "treated_rate", "held_out_rate", "lift", "lift_low", "lift_high", "margin_per_treated", "margin_low",
                "margin_high", "cost", "profit", "profit_low", "profit_high", "sample_ratio_p",
            )
        },
        "is_sample_ratio_off": pa.bool_(), "ranked_by": pa.string(), "currency": pa.string(),
    }
)  # fmt: skip
