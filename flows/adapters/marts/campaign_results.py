"""Results of campaigns: `marts.campaign_outcomes`, which dbt builds, and `marts.campaign_results`."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from math import isnan, nan
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.marts.campaign_tables import CAMPAIGNS, TARGETS
from flows.campaigns.definition import Campaign
from flows.campaigns.measurement import NORMAL_95, WHOLE_CAMPAIGN, Difference, Effect, variant_row
from flows.campaigns.offer import Offer
from flows.campaigns.outlook import PastCampaign
from flows.campaigns.pooling import Measured
from flows.ports.warehouse import Warehouse

OUTCOMES, RESULTS = "marts.campaign_outcomes", "marts.campaign_results"
# A campaign is measured again until so many days after its window: orders may arrive late.
STILL_MEASURED_DAYS = 30
# … and once more after so many, of which marts.campaign_outcomes has the spend: were purchases only brought forward?
DAYS_AFTERWARDS = 60


def read_history(warehouse: Warehouse, as_of: date) -> pa.Table:
    """The outcomes of the targets of past campaigns, to which the uplift model is fitted, with the offer of each. Only
    of campaigns that were measured, in the shop's currency, with arms as they were drawn and at least half of the
    treated contacted."""
    outcomes = warehouse.read(
        f"""select outcomes.*, outcomes.spend_in_window as spend from {OUTCOMES} as outcomes
        inner join {RESULTS} as results on outcomes.campaign = results.campaign
        where outcomes.arm in ('treated', 'holdout') and outcomes.treatment_share < 1
            and outcomes.window_ends_on <= '{as_of}' and results.segment = '{WHOLE_CAMPAIGN}'
            and not results.is_sample_ratio_off and results.contacted * 2 >= results.treated
            and coalesce(results.currency, '') = coalesce(
                (select max(currency) from marts.marketing_customers), '')
        order by outcomes.campaign, outcomes.customer_id"""
    )
    return _with_offers(outcomes, warehouse.read(f"select campaign, definition from {CAMPAIGNS} order by campaign"))


def _with_offers(outcomes: pa.Table, campaigns: pa.Table) -> pa.Table:
    campaigns = campaigns.filter(pc.is_in(campaigns["campaign"], outcomes["campaign"].combine_chunks()))
    definitions = (json.loads(definition) for definition in campaigns["definition"].to_pylist())
    offers = [Offer.model_validate(definition["offer"]) for definition in definitions]
    described = pa.table(
        {
            "offer_text": pa.array([offer.text for offer in offers], pa.string()),
            "offer_kind": pa.array([offer.kind for offer in offers], pa.string()),
            "offer_value": pa.array([offer.value for offer in offers], pa.float64()),
        }
    )
    of_each = described.take(pc.index_in(outcomes["campaign"], campaigns["campaign"].combine_chunks()))
    for name in described.column_names:
        outcomes = outcomes.append_column(name, of_each[name])
    return outcomes


def read_to_measure(warehouse: Warehouse, as_of: date) -> list[dict[str, Any]]:
    """Rows of marts.campaigns whose window has ended, except for those that were measured long ago, with all that came
    afterwards."""
    long_ago = as_of - timedelta(days=STILL_MEASURED_DAYS)
    afterwards = as_of - timedelta(days=DAYS_AFTERWARDS)
    found = warehouse.read(
        f"""select * from {CAMPAIGNS} as campaigns
        where window_ends_on <= '{as_of}' and (window_ends_on >= '{long_ago}' or not exists (
            select 1 from {RESULTS} as results where results.campaign = campaigns.campaign
                and (campaigns.window_ends_on > '{afterwards}' or results.afterwards_until is not null)
        ))
        order by launched_on, campaign"""
    )
    return [
        row
        | {
            "afterwards_until": row["window_ends_on"] + timedelta(days=DAYS_AFTERWARDS)
            if row["window_ends_on"] <= afterwards
            else None
        }
        for row in found.to_pylist()
    ]


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


def read_result(warehouse: Warehouse, campaign: str, as_of: date) -> dict[str, Any] | None:
    """The result of a whole campaign whose window has ended by then; None where it has none."""
    found = read_results(warehouse, as_of).to_pylist()
    return next((dict(row) for row in found if row["campaign"] == campaign), None)


def read_effects(warehouse: Warehouse, as_of: date, currency: str | None) -> list[PastCampaign]:
    """The effect of each campaign whose window has ended by then, the oldest first, where it can be trusted. Where too
    few have bought to measure margin, that of the additional buyers with average orders stands for it."""
    rows = warehouse.read(
        f"""select results.*, campaigns.margin, targets.average_order_value from {RESULTS} as results
        inner join {CAMPAIGNS} as campaigns on results.campaign = campaigns.campaign
        left join (
            select campaign, avg(average_order_value) as average_order_value from {TARGETS}
            where arm in ('treated', 'holdout') group by campaign
        ) as targets on results.campaign = targets.campaign
        where results.segment = '{WHOLE_CAMPAIGN}' and results.window_ends_on <= '{as_of}'
            and results.lift_low is not null and not results.is_sample_ratio_off
            and results.contacted * 2 >= results.treated and coalesce(results.currency, '') = '{currency or ""}'
        order by results.launched_on, results.campaign"""
    ).to_pylist()
    return [PastCampaign(_margin_per_treated(row), row["treated"], row["held_out"]) for row in rows]


def _margin_per_treated(row: Mapping[str, Any]) -> Measured:
    if row["margin_low"] is not None:
        return Measured(row["margin_per_treated"], (row["margin_high"] - row["margin_low"]) / (2 * NORMAL_95))
    each = row["margin"] * (row["average_order_value"] or 0.0)
    return Measured(each * row["lift"], each * (row["lift_high"] - row["lift_low"]) / (2 * NORMAL_95))


def store_results(
    warehouse: Warehouse,
    campaign: Mapping[str, Any],
    effects: Iterable[Effect],
    contacted: Mapping[str, tuple[int, float]],
) -> None:
    """Stores the effects in marts.campaign_results. contacted: for each segment, how many of the treated were sent and
    what that cost."""
    rows = pa.Table.from_pylist(
        [_result(campaign, effect, *contacted.get(effect.segment, (0, 0.0))) for effect in effects], schema=_RESULT
    )
    warehouse.merge(RESULTS, rows, ["campaign", "segment"])


def read_variants(campaign: Mapping[str, Any]) -> dict[str, Offer]:
    """The offer of each variant of a row of marts.campaigns; none without variants."""
    definition = json.loads(campaign["definition"])
    return Campaign.model_validate(definition).offers if definition.get("variants") else {}


def _result(campaign: Mapping[str, Any], effect: Effect, contacted: int, cost: float) -> dict[str, Any]:
    texts = {variant_row(name): offer.text for name, offer in read_variants(campaign).items()}
    margin, to_revenue = effect.margin, effect.treated / campaign["margin"]
    additional_buyers, revenue = effect.treated * effect.lift.mean, to_revenue * margin.mean
    row = {
        "campaign": campaign["campaign"],
        "segment": effect.segment,
        "launched_on": campaign["launched_on"],
        "window_ends_on": campaign["window_ends_on"],
        "window_days": campaign["window_days"],
        "offer": texts.get(effect.segment) or json.loads(campaign["definition"])["offer"]["text"],
        "treated": effect.treated,
        "held_out": effect.held_out,
        "contacted": contacted,
        "treated_rate": effect.treated_rate,
        "held_out_rate": effect.held_out_rate,
        **with_ends("lift", effect.lift),
        "margin_per_treated": margin.mean,
        "margin_low": margin.low,
        "margin_high": margin.high,
        "cost": cost,
        **{name: value - cost for name, value in with_ends("profit", margin, effect.treated).items()},
        **with_ends("additional_buyers", effect.lift, effect.treated),
        **with_ends("incremental_revenue", margin, to_revenue),
        "return_on_spend": revenue / cost if cost else nan,
        "cost_per_additional_buyer": cost / additional_buyers if additional_buyers > 0 else nan,
        **with_ends("revenue_afterwards", effect.margin_afterwards, to_revenue),
        "afterwards_until": campaign["afterwards_until"],
        "sample_ratio_p": effect.sample_ratio_p,
        "is_sample_ratio_off": effect.is_sample_ratio_off,
        "ranked_by": campaign["ranked_by"],
        "currency": campaign["currency"],
    }
    return {name: None if isinstance(value, float) and isnan(value) else value for name, value in row.items()}


def with_ends(name: str, of: Difference, times: float = 1.0) -> dict[str, float]:
    """The columns of an estimate and of the ends of its interval."""
    return {name: times * of.mean, f"{name}_low": times * of.low, f"{name}_high": times * of.high}


_RESULT = pa.schema(
    {
        "campaign": pa.string(), "segment": pa.string(), "launched_on": pa.date32(), "window_ends_on": pa.date32(),
        "window_days": pa.int32(), "offer": pa.string(), "treated": pa.int64(), "held_out": pa.int64(),
        "contacted": pa.int64(), "afterwards_until": pa.date32(),
        **{
            name: pa.float64()
            for name in (
                "treated_rate", "held_out_rate", "lift", "lift_low", "lift_high", "margin_per_treated", "margin_low",
                "margin_high", "cost", "profit", "profit_low", "profit_high", "return_on_spend",
                "cost_per_additional_buyer", "sample_ratio_p",
                *(
                    f"{name}{end}"
                    for name in ("additional_buyers", "incremental_revenue", "revenue_afterwards")
                    for end in ("", "_low", "_high")
                ),
            )
        },
        "is_sample_ratio_off": pa.bool_(), "ranked_by": pa.string(), "currency": pa.string(),
    }
)  # fmt: skip
