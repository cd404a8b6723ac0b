"""`marts.global_holdout_results`: what all campaigns changed together, a row for each quarter."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import isnan
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.marts.campaign_results import RESULTS, with_ends
from flows.adapters.marts.campaign_tables import CAMPAIGNS
from flows.campaigns.measurement import WHOLE_CAMPAIGN
from flows.campaigns.together import EffectOfAll, Period
from flows.ports.warehouse import Warehouse

RELATION = "marts.global_holdout_results"
PURCHASES = "intermediate.int_purchases"


@dataclass(frozen=True)
class Campaigns:
    """Those of a period: their number, their cost, and the smallest and largest share of the global holdout."""

    count: int
    cost: float
    shares: tuple[float, float]


def read_first_launch(warehouse: Warehouse, as_of: date, currency: str | None) -> date | None:
    """When the first campaign with a global holdout was launched."""
    first: date | None = warehouse.row(
        f"""select min(campaigns.launched_on) from {CAMPAIGNS} as campaigns
        where {_counted(as_of, currency)} and campaigns.global_holdout > 0"""
    )[0]
    return first


def is_measured(warehouse: Warehouse, period: Period) -> bool:
    return bool(warehouse.row(f"select count(*) from {RELATION} where period_ends_on = '{period.ends_on}'")[0])


def read_campaigns_of(warehouse: Warehouse, period: Period, currency: str | None) -> Campaigns:
    """The campaigns that were launched within the period, or on the day before it."""
    count, cost, smallest, largest = warehouse.row(
        f"""select count(*), coalesce(sum(results.cost), 0),
            min(case when campaigns.global_holdout > 0 then campaigns.global_holdout end), max(campaigns.global_holdout)
        from {CAMPAIGNS} as campaigns
        left join {RESULTS} as results
            on campaigns.campaign = results.campaign and results.segment = '{WHOLE_CAMPAIGN}'
                and results.window_ends_on <= '{period.ends_on}'
        where {_counted(period.ends_on - timedelta(days=1), currency)}
            and campaigns.launched_on >= '{period.starts_after}'"""
    )
    return Campaigns(int(count), float(cost), (float(smallest or 0), float(largest or 0)))


def read_period(warehouse: Warehouse, period: Period) -> pa.Table:
    """Every customer known when the period started: what they had done by then, and what they did within it, as known
    at its end."""
    start, end = period.starts_after, period.ends_on
    customers = warehouse.read(
        f"""with known as (
            select customer_id, count(*) as orders, max(purchased_on) as last_purchased_on,
                sum(case when purchased_on > '{start - timedelta(days=365)}' then net_amount else 0 end) as spend_before
            from {PURCHASES}
            where net_amount > 0 and known_from <= '{start}' and known_until > '{start}'
            group by customer_id
        ),

        bought as (
            select customer_id, sum(net_amount) as revenue from {PURCHASES}
            where net_amount > 0 and purchased_on > '{start}' and purchased_on <= '{end}'
                and known_from <= '{end}' and known_until > '{end}'
            group by customer_id
        )

        select known.customer_id, known.orders, known.last_purchased_on,
            cast(known.spend_before as double) as spend_before,
            cast(coalesce(bought.revenue, 0) as double) as revenue, bought.customer_id is not null as bought
        from known left join bought on known.customer_id = bought.customer_id
        order by known.customer_id"""
    )
    last = customers["last_purchased_on"].cast(pa.date32())
    recency = pc.days_between(last, pa.scalar(start, pa.date32()))
    return customers.append_column("recency_days", recency)


def store_effect(
    warehouse: Warehouse, period: Period, campaigns: Campaigns, effect: EffectOfAll, currency: str | None
) -> None:
    row: Mapping[str, Any] = {
        "period_starts_on": period.starts_after + timedelta(days=1),
        "period_ends_on": period.ends_on,
        "campaigns": campaigns.count,
        "cost": campaigns.cost,
        "customers": effect.customers,
        "held_out": effect.held_out,
        "customer_rate": effect.customer_rate,
        "held_out_rate": effect.held_out_rate,
        **with_ends("lift", effect.lift),
        **with_ends("additional_buyers", effect.lift, effect.customers),
        **with_ends("revenue_per_customer", effect.revenue),
        **with_ends("incremental_revenue", effect.revenue, effect.customers),
        "sample_ratio_p": effect.sample_ratio_p,
        "currency": currency,
    }
    known = {name: None if isinstance(value, float) and isnan(value) else value for name, value in row.items()}
    warehouse.merge(RELATION, pa.Table.from_pylist([known], schema=_SCHEMA), ["period_ends_on"])


def read_newest(warehouse: Warehouse, as_of: date) -> dict[str, Any] | None:
    """The row of the newest period that had ended by then."""
    rows = warehouse.read(
        f"select * from {RELATION} where period_ends_on <= '{as_of}' order by period_ends_on desc limit 1"
    ).to_pylist()
    return dict(rows[0]) if rows else None


def _counted(launched_by: date, currency: str | None) -> str:
    return f"campaigns.launched_on <= '{launched_by}' and coalesce(campaigns.currency, '') = '{currency or ''}'"


_SCHEMA = pa.schema(
    {
        "period_starts_on": pa.date32(), "period_ends_on": pa.date32(), "campaigns": pa.int64(), "cost": pa.float64(),
        "customers": pa.int64(), "held_out": pa.int64(), "customer_rate": pa.float64(), "held_out_rate": pa.float64(),
        **{
            f"{name}{end}": pa.float64()
            for name in ("lift", "additional_buyers", "revenue_per_customer", "incremental_revenue")
            for end in ("", "_low", "_high")
        },
        "sample_ratio_p": pa.float64(), "currency": pa.string(),
    }
)  # fmt: skip
