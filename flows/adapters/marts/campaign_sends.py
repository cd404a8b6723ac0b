"""Whom campaigns contact: their arms with the current figures, and `marts.campaign_sends`."""

from datetime import date, datetime

import pyarrow as pa

from flows.adapters.marts.campaign_tables import CAMPAIGNS, IDENTITIES, PERSON, RESERVED, TARGETS
from flows.adapters.marts.next_products import first_columns, first_of_each
from flows.campaigns.advertising import CONSENTS, is_advertising
from flows.ports.warehouse import Warehouse

SENDS = "marts.campaign_sends"


def read_treated(warehouse: Warehouse, campaign: str, destination: str) -> pa.Table:
    """The treated with their current figures, and whether they were sent; without customers who are no longer in the
    marts. Merged customers have one row, and are not sent if one of them is in the control group. A destination for
    advertising may not get those who are not known to consent to it."""
    return warehouse.read(
        f"""with persons as (
            select {PERSON} as customer_id,
                min(case when targets.arm = 'treated' then targets.position end) as position,
                min(targets.segment) as segment, min(targets.risk_band) as risk_band,
                min(case when targets.arm = 'treated' then targets.variant end) as variant,
                max(case when targets.arm = 'treated' then 0 else 1 end) = 1 as is_in_holdout
            from {TARGETS} as targets {IDENTITIES}
            where targets.campaign = '{campaign}'
            group by {PERSON}
        ),

        sent as (
            select distinct {PERSON} as customer_id from {SENDS} as targets {IDENTITIES}
            where targets.campaign = '{campaign}' and targets.result = 'sent'
        )

        select customers.customer_id, customers.email,
            not (coalesce(customers.opted_out, false) or persons.is_in_holdout
                or coalesce(reserved.is_in_holdout, false)) and {_consent(destination)} as may_be_contacted,
            persons.segment, persons.risk_band, customers.lifecycle, customers.queue, customers.churn_probability,
            customers.expected_spend, customers.clv, customers.expected_loss, customers.win_back_value,
            customers.reason_1 as reason, customers.recommended_action, {first_columns("shown")}, persons.variant,
            customers.country, customers.currency,
            sent.customer_id is not null as is_sent
        from persons
        inner join marts.marketing_customers as customers on persons.customer_id = customers.customer_id
        left join ({first_of_each(warehouse)}) as shown on persons.customer_id = shown.customer_id
        left join sent on persons.customer_id = sent.customer_id
        left join {RESERVED} as reserved on persons.customer_id = reserved.customer_id
        where persons.position is not null
        order by persons.position"""
    )


def _consent(destination: str) -> str:
    """The condition that a customer may be on a list of this destination."""
    return f"customers.{CONSENTS} = 'yes'" if is_advertising(destination) else "true"


def read_control_group(warehouse: Warehouse, campaign: str, destination: str) -> pa.Table:
    """Everyone whom the campaign must not contact, in CONTACT_SCHEMA: its control group, and the members of the global
    holdout that it would have considered; for advertising only those who still consent to it."""
    held_out = f"""select distinct {PERSON} as customer_id from {TARGETS} as targets {IDENTITIES}
            where targets.campaign = '{campaign}' and targets.arm <> 'treated'"""
    return warehouse.read(
        f"""select customers.customer_id, customers.email, customers.segment, customers.risk_band, customers.lifecycle,
            customers.queue, customers.churn_probability, customers.expected_spend, customers.clv,
            customers.expected_loss, customers.win_back_value, customers.reason_1 as reason,
            customers.recommended_action, {first_columns("shown")}, cast(null as varchar) as offer,
            cast(null as varchar) as variant, customers.country, customers.currency
        from marts.marketing_customers as customers
        left join ({first_of_each(warehouse)}) as shown on customers.customer_id = shown.customer_id
        where customers.customer_id in ({held_out}) and {_consent(destination)}
        order by customers.customer_id"""
    )


def record_sends(
    warehouse: Warehouse, campaign: str, destination: str, results: pa.Table, contacted_on: date, at: datetime
) -> None:
    """results: customer_id, result, detail, of a batch."""
    rows = {
        "campaign": pa.repeat(campaign, len(results)),
        "contacted_on": pa.repeat(pa.scalar(contacted_on, pa.date32()), len(results)),
        **result_columns(destination, results, at),
    }
    warehouse.merge(SENDS, pa.table(rows), ["campaign", "customer_id", "destination"])


def result_columns(destination: str, results: pa.Table, at: datetime) -> dict[str, pa.Array]:
    """The columns stored for a batch, with or without a campaign. results: customer_id, result, detail."""
    return {
        **{name: results[name].cast(pa.string()) for name in ("customer_id", "result", "detail")},
        "destination": pa.repeat(destination, len(results)),
        "sent_at": pa.repeat(pa.scalar(at.replace(tzinfo=None), pa.timestamp("us")), len(results)),
    }


def read_contacted(warehouse: Warehouse) -> pa.Table:
    """Customers contacted by campaigns: customer_id, launched_on, window_days."""
    if not warehouse.exists(SENDS):
        return pa.table({"customer_id": pa.array([], pa.string()), "launched_on": pa.array([], pa.date32()),
                         "window_days": pa.array([], pa.int64())})  # fmt: skip
    return warehouse.read(
        f"""select sends.customer_id, campaigns.launched_on, campaigns.window_days from {SENDS} as sends
        inner join {CAMPAIGNS} as campaigns on sends.campaign = campaigns.campaign where sends.result = 'sent'"""
    )


def count_sends(warehouse: Warehouse, campaign: str) -> dict[str, int]:
    """The number of treated customers by result of sending."""
    rows = warehouse.read(f"select result, count(*) as n from {SENDS} where campaign = '{campaign}' group by result")
    return {row["result"]: row["n"] for row in rows.sort_by("result").to_pylist()}
