"""Who to contact, in queues: the part of the list that is in the page, and the whole list as a file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.dashboard.cube import DIMENSIONS, PLACED_CUSTOMERS, positions
from flows.adapters.files.spreadsheet_csv import safe_for_spreadsheets, write_csv
from flows.adapters.marts.run_report import BY_QUEUE, BY_QUEUE_VALUE, QUEUES
from flows.adapters.privacy.masking import masked
from flows.ports.warehouse import Warehouse

# of each queue
MAX_LISTED, MAX_LISTED_PER_MEMBER = 400, 20
_EACH = ("segment", "country", "channel", "risk_band", "cohort", "segment, in_country", "segment, in_risk_band")
_TEXTS = ("recommended_action", "why", "reason_1", "reason_2", "reason_3")
_LISTED = (
    "customer_id", "email", "churn_probability", "queue_value", "expected_spend", "next_order_on",
    "next_order_if_back_on", *_TEXTS,
)  # fmt: skip
_TO_CONTACT = "may_be_contacted and queue is not null"


def read_contact_list(
    warehouse: Warehouse, members: Mapping[str, Sequence[str]], show_pii: bool
) -> dict[str, list[Any]]:
    """Columns of the first customers of each queue, the queues one after the other: overall, and for each member of
    the main filters, so that filters leave some rows. `queue`: positions in QUEUES. For each dimension also the index
    of each customer's member."""
    ranks = " or ".join(
        f"row_number() over (partition by queue, in_{name} order by {BY_QUEUE_VALUE}) <= {MAX_LISTED_PER_MEMBER}"
        for name in _EACH
    )
    rows = warehouse.read(
        f"""{PLACED_CUSTOMERS},
        listed as (
            select customer_id as id, {", ".join(f"in_{name}" for name in DIMENSIONS)}
            from placed where {_TO_CONTACT}
            qualify row_number() over (partition by queue order by {BY_QUEUE_VALUE}) <= {MAX_LISTED} or {ranks}
        )
        select queue, {", ".join(_LISTED)}, {", ".join(f"in_{name}" for name in DIMENSIONS)}
        from listed inner join marts.marketing_customers as customers on listed.id = customers.customer_id
        order by {BY_QUEUE}"""
    )
    columns = {name: rows.column(name).to_pylist() for name in ("customer_id", "email", *_TEXTS)}
    if not show_pii:
        shown = masked(rows.select(["customer_id", "email"]))
        columns |= {name: shown.column(name).to_pylist() for name in shown.column_names}
    for name, digits in (("churn_probability", 4), ("queue_value", 2), ("expected_spend", 2)):
        columns[name] = pc.round(rows.column(name).cast(pa.float64()), digits).to_pylist()
    columns["queue"] = [QUEUES.index(name) for name in rows.column("queue").to_pylist()]
    for name in ("next_order_on", "next_order_if_back_on"):
        columns[name] = rows.column(name).cast(pa.string()).to_pylist()
    return columns | {name: positions(rows, name, members[name]) for name in DIMENSIONS}


def write_contact_list(warehouse: Warehouse, file: Path, show_pii: bool) -> None:
    """Writes everyone in a queue who may be contacted, those who can be kept first; the file is replaced atomically."""
    rows = warehouse.read(
        f"""select customer_id, email, queue, why, recommended_action, segment, lifecycle, risk_band,
            round(churn_probability, 4) as churn_probability, round(alive_probability, 4) as alive_probability,
            round(expected_loss, 2) as expected_loss, round(win_back_value, 2) as win_back_value,
            round(clv, 2) as clv, round(clv_low, 2) as clv_low, round(clv_high, 2) as clv_high, clv_days,
            round(expected_spend, 2) as expected_spend, next_order_on, next_order_if_back_on,
            reason_1, reason_2, reason_3, country, channel, currency, as_of_date
        from marts.marketing_customers where {_TO_CONTACT} order by {BY_QUEUE}"""
    )
    write_csv(safe_for_spreadsheets(rows if show_pii else masked(rows)), file)
