"""Campaigns as they are planned and launched: `marts.campaigns` and `campaign_targets`."""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flows.campaigns.advertising import CONSENTS
from flows.campaigns.audience import KNOWN_AT_LAUNCH
from flows.campaigns.definition import Campaign
from flows.errors import BadInput
from flows.ports.warehouse import Warehouse

if TYPE_CHECKING:
    from flows.campaigns.out_of_fold import Interval
    from flows.campaigns.targeting import Plan  # imports scikit-learn, which only a campaign needs

CAMPAIGNS, TARGETS = "marts.campaigns", "marts.campaign_targets"
RESERVED = "intermediate.int_reserved_customers"  # a view, so it includes campaigns launched since the last run
_SAME_WEEKS = (-21, -14, -7, 0, 7, 14, 21)  # days around the same day of another year
# Customers who have been merged since they became targets have the merged customer's id.
PERSON = "coalesce(identities.customer_id, targets.customer_id)"
IDENTITIES = (
    "left join intermediate.int_customer_identities as identities on targets.customer_id = identities.given_customer_id"
)


@dataclass(frozen=True)
class Launched:
    """A row of marts.campaigns."""

    campaign: str
    launched_on: date
    window_ends_on: date
    treated: int
    held_out: int


def read_segments(warehouse: Warehouse) -> tuple[str, ...]:
    """The names of the segments."""
    rows = warehouse.read("select segment from staging.rfm_segments order by position")
    return tuple(rows.column("segment").to_pylist())


def read_definitions(warehouse: Warehouse) -> dict[str, str]:
    """What each segment means in the shop, by its name."""
    rows = warehouse.read("select segment, definition from marts.segment_definitions order by position").to_pydict()
    return dict(zip(rows["segment"], rows["definition"], strict=True))


def read_names(warehouse: Warehouse) -> dict[str, tuple[str, ...]]:
    """The countries and channels of customers, by the key of an audience."""
    names = {}
    for key, column in (("countries", "country"), ("channels", "channel")):
        rows = warehouse.read(
            f"select distinct {column} as name from marts.marketing_customers where {column} is not null order by 1"
        )
        names[key] = tuple(rows.column("name").to_pylist())
    return names


def read_as_of(warehouse: Warehouse) -> tuple[date, int]:
    """The as-of date of the marts, and the horizon of their scores.

    Raises:
        BadInput: when nothing was run yet.
    """
    if not warehouse.exists("marts.marketing_customers"):
        raise BadInput("There are no customers to choose from yet: `make run` first.")
    as_of, horizon = warehouse.row(
        """select max(as_of_date), (
            select max(horizon_days) from marts.churn_predictions
            where source = 'batch' and scored_at = (select max(scored_at) from marts.marketing_customers)
        ) from marts.marketing_customers"""
    )
    if as_of is None:
        raise BadInput("There are no customers to choose from: the last run found none.")
    return as_of, int(horizon or 90)


def read_candidates(warehouse: Warehouse, campaign: Campaign, as_of: date) -> pa.Table:
    """Every customer of the marts, with the campaign whose window is open for them (open_campaign), how often they were
    contacted within the days of the campaign's cap (contacts_lately), and whether an earlier campaign put them into the
    global holdout (was_never_contacted)."""
    first_day = as_of + timedelta(days=1 - campaign.contact_cap.days)
    names = (
        "customer_id",
        "email",
        "may_be_contacted",
        "opted_out",
        CONSENTS,
        "lifecycle",
        "expected_loss",
        "currency",
        *KNOWN_AT_LAUNCH,
    )
    columns = ", ".join(f"customers.{name}" for name in names)
    return warehouse.read(
        f"""select {columns}, coalesce(lately.contacts, 0) as contacts_lately, running.campaign as open_campaign,
            never.customer_id is not null as was_never_contacted
        from marts.marketing_customers as customers
        left join (
            select customer_id, count(*) as contacts from intermediate.int_campaign_contacts
            where contacted_on > '{first_day}' group by customer_id
        ) as lately on customers.customer_id = lately.customer_id
        left join (
            select {PERSON} as customer_id, min(targets.campaign) as campaign from {TARGETS} as targets
            inner join {CAMPAIGNS} as campaigns on targets.campaign = campaigns.campaign
            {IDENTITIES}
            where campaigns.window_ends_on > '{as_of}' and targets.arm <> 'global_holdout'
            group by {PERSON}
        ) as running on customers.customer_id = running.customer_id
        left join (
            select distinct {PERSON} as customer_id from {TARGETS} as targets
            inner join {CAMPAIGNS} as campaigns on targets.campaign = campaigns.campaign
            {IDENTITIES}
            where targets.arm = 'global_holdout'
        ) as never on customers.customer_id = never.customer_id
        order by customers.customer_id"""
    )


def read_calendar(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Every launched campaign with its offer, window and arms, the newest first."""
    rows = warehouse.read(
        f"""select campaign, launched_on, window_ends_on, treated, held_out, definition from {CAMPAIGNS}
        order by launched_on desc, campaign"""
    ).to_pylist()
    return [row | {"offer": json.loads(row["definition"])["offer"]["text"]} for row in rows]


def read_share_in_window(warehouse: Warehouse, as_of: date, window_days: int, horizon_days: int) -> float | None:
    """Of the customers who bought within a horizon that began in these weeks a year before, the share that had by the
    end of a window; more than 1 where that is longer. None where nobody did, or the shop is not so old."""
    longest, starts = max(window_days, horizon_days), [as_of - timedelta(days=365 + days) for days in _SAME_WEEKS]
    rows = " union all ".join(
        f"select date '{day}' as start_on, date '{day + timedelta(days=window_days)}' as window_on,"
        f" date '{day + timedelta(days=horizon_days)}' as horizon_on, date '{day + timedelta(days=longest)}' as last_on"
        for day in starts
        if day + timedelta(days=longest) <= as_of
    )
    if not rows:
        return None
    in_window, in_horizon = warehouse.row(
        f"""with starts as ({rows}),
        bought as (
            select customer_id, purchased_on, min(purchased_on) over (partition by customer_id) as first_on
            from intermediate.int_purchases
            where net_amount > 0 and known_from <= '{as_of}' and known_until > '{as_of}'
        ),
        next_purchases as (
            select starts.start_on, starts.window_on, starts.horizon_on, min(bought.purchased_on) as next_on
            from starts
            inner join bought on bought.purchased_on > starts.start_on and bought.purchased_on <= starts.last_on
            where bought.first_on <= starts.start_on
            group by starts.start_on, starts.window_on, starts.horizon_on, bought.customer_id
        )
        select count(case when next_on <= window_on then 1 end), count(case when next_on <= horizon_on then 1 end)
        from next_purchases"""
    )
    return in_window / in_horizon if in_window and in_horizon else None


def find_launched(warehouse: Warehouse, campaign: Campaign) -> Launched | None:
    """The campaign as it was launched, if it was.

    Raises:
        BadInput: when another campaign was launched under its name.
    """
    found = warehouse.read(f"select * from {CAMPAIGNS} where campaign = '{campaign.name}'").to_pylist()
    if not found:
        return None
    (row,) = found
    # parsed again, so that keys that did not exist then have their defaults
    launched, now = as_written(Campaign.model_validate_json(row["definition"])), as_written(campaign)
    if changed := sorted(key for key in now if now[key] != launched[key]):
        raise BadInput(
            f"{campaign.name} was launched on {row['launched_on']} with another definition: {', '.join(changed)}"
            f" {'is' if len(changed) == 1 else 'are'} not as then. What was launched does not change: give this one a"
            " name of its own, or restore the file."
        )
    return Launched(
        campaign.name, row["launched_on"], row["window_ends_on"], row["treated"], row["held_out"]
    )  # fmt: skip


def as_written(campaign: Campaign) -> dict[str, Any]:
    """The definition as it is stored in marts.campaigns."""
    content: dict[str, Any] = campaign.model_dump(mode="json")
    return content


def freeze(warehouse: Warehouse, plan: "Plan", at: datetime) -> Launched:
    """Stores the arms, then the campaign's row: only that row makes it launched. From then on nobody else
    contacts its targets; the next run comes to the same result."""
    campaign, ends_on = plan.campaign, plan.window_ends_on
    warehouse.change(
        f"removing targets of {campaign.name} that were never launched",
        [
            f"delete from {TARGETS} where campaign = '{campaign.name}'"
            f" and campaign not in (select campaign from {CAMPAIGNS})"
        ],
    )
    warehouse.merge(TARGETS, plan.targets, ["campaign", "customer_id"])
    row = {
        "campaign": campaign.name,
        "launched_on": plan.launched_on,
        "launched_at": at.replace(tzinfo=None),
        "window_days": campaign.window_days,
        "window_ends_on": ends_on,
        "ranked_by": plan.ranked_by,
        "treated": plan.count("treated"),
        "held_out": plan.count("holdout"),
        "margin": campaign.margin,
        "cost_per_contact": campaign.offer.cost_per_contact,
        "cost_per_redemption": campaign.offer.cost_per_redemption,
        "budget": campaign.budget,
        "global_holdout": plan.global_holdout,
        **_profit("expected_profit", plan.expected_profit),
        **_profit("uncorrected_profit", plan.uncorrected_profit),
        "currency": plan.currency,
        "destination": campaign.destination,
        "definition": json.dumps(as_written(campaign), ensure_ascii=False),
    }
    warehouse.merge(CAMPAIGNS, pa.Table.from_pylist([row], schema=_CAMPAIGN), ["campaign"])
    warehouse.change(
        "keeping both arms off the lists",
        [
            "update marts.marketing_customers set may_be_contacted = false"
            f" where customer_id in (select customer_id from {RESERVED})"
        ],
    )
    return Launched(campaign.name, plan.launched_on, ends_on, plan.count("treated"), plan.count("holdout"))


def _profit(name: str, of: "Interval | None") -> dict[str, float | None]:
    mean, low, high = (of.mean, of.low, of.high) if of else (None, None, None)
    return {name: mean, f"{name}_low": low, f"{name}_high": high}


_CAMPAIGN = pa.schema(
    {
        "campaign": pa.string(), "launched_on": pa.date32(), "launched_at": pa.timestamp("us"),
        "window_days": pa.int32(), "window_ends_on": pa.date32(), "ranked_by": pa.string(), "treated": pa.int64(),
        "held_out": pa.int64(), "margin": pa.float64(), "cost_per_contact": pa.float64(),
        "cost_per_redemption": pa.float64(), "budget": pa.float64(), "global_holdout": pa.float64(),
        **{
            f"{name}_profit{end}": pa.float64()
            for name in ("expected", "uncorrected")
            for end in ("", "_low", "_high")
        },
        "currency": pa.string(), "destination": pa.string(), "definition": pa.string(),
    }
)  # fmt: skip
