"""`marts.segment_activations`: customers' segments that destinations have received, without a campaign."""

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.marts.campaign_sends import result_columns
from flows.adapters.marts.campaign_tables import RESERVED
from flows.adapters.marts.next_products import SHOWN_FIRST, first_columns, first_of_each
from flows.campaigns.advertising import CONSENTS
from flows.ports.warehouse import Warehouse

ACTIVATIONS = "marts.segment_activations"
OPT_OUT = "opted out"  # in place of a fingerprint: what was sent is that they have opted out


def read_people(warehouse: Warehouse, destination: str) -> pa.Table:
    """Everyone who may be contacted and is in no running campaign and no holdout, in CONTACT_SCHEMA; with the
    consent to advertising and the fingerprint of the values of each, and whether the destination has received these
    already (is_sent)."""
    as_text = "coalesce({0}, '')"
    texts = [
        as_text.format(name)
        for name in (
            "email",
            "segment",
            "risk_band",
            "lifecycle",
            "queue",
            "reason_1",
            "recommended_action",
            "country",
            *(name for name, column, _ in SHOWN_FIRST if column != "product_name"),
        )
    ]
    # nothing where there is no name: without a table of products, nobody is new
    called = [f"coalesce('|' || {name}, '')" for name, column, _ in SHOWN_FIRST if column == "product_name"]
    figures = [
        as_text.format(f"cast(round({name}, {digits}) as varchar)")
        for name, digits in (
            ("churn_probability", 2),
            ("expected_spend", 0),
            ("clv", -1),
            ("expected_loss", -1),
            ("win_back_value", -1),
        )
    ]
    return warehouse.read(
        f"""with people as (
            select customers.*, {first_columns("shown")}, customers.reason_1 as reason,
                md5({" || ".join([" || '|' || ".join(texts + figures), *called])}) as fingerprint
            from marts.marketing_customers as customers
            left join ({first_of_each(warehouse)}) as shown on customers.customer_id = shown.customer_id
            where customers.may_be_contacted and customers.customer_id not in (select customer_id from {RESERVED})
        )

        select people.customer_id, people.email, people.segment, people.risk_band, people.lifecycle,
            people.queue, people.churn_probability, people.expected_spend, people.clv, people.expected_loss,
            people.win_back_value, people.reason, people.recommended_action, {first_columns("people")},
            cast(null as varchar) as offer, cast(null as varchar) as variant, people.country, people.currency,
            people.{CONSENTS}, people.fingerprint, known.customer_id is not null as is_sent
        from people
        left join {ACTIVATIONS} as known
            on people.customer_id = known.customer_id and people.fingerprint = known.fingerprint
            and known.destination = '{destination}' and known.result = 'sent'
        order by people.customer_id"""
    )


def read_opt_outs(warehouse: Warehouse, destination: str) -> pa.Table:
    """Everyone who has opted out and whom the destination has not been told of: customer_id, email; with the
    fingerprint that says so."""
    return warehouse.read(
        f"""select customers.customer_id, customers.email, '{OPT_OUT}' as fingerprint
        from marts.marketing_customers as customers
        left join {ACTIVATIONS} as known
            on customers.customer_id = known.customer_id and known.destination = '{destination}'
            and known.fingerprint = '{OPT_OUT}' and known.result <> 'refused'
        where customers.opted_out and known.customer_id is null
        order by customers.customer_id"""
    )


def record_activations(
    warehouse: Warehouse, destination: str, people: pa.Table, results: pa.Table, at: datetime
) -> None:
    """results: customer_id, result, detail, of a batch of the people."""
    of = pc.index_in(results["customer_id"], people["customer_id"])
    rows = {"fingerprint": people["fingerprint"].take(of), **result_columns(destination, results, at)}
    warehouse.merge(ACTIVATIONS, pa.table(rows), ["customer_id", "destination"])
