"""Who to contact, most at stake first: the part of the list that is in the page, and the whole list as a file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.dashboard.cube import DIMENSIONS, PLACED_CUSTOMERS, positions
from flows.adapters.files.spreadsheet_csv import safe_for_spreadsheets, write_csv
from flows.adapters.marts.run_report import BY_EXPECTED_LOSS
from flows.adapters.privacy.masking import masked
from flows.ports.warehouse import Warehouse

MAX_LISTED, MAX_LISTED_PER_MEMBER = 1_000, 40
_EACH = ("segment", "country", "channel", "risk_band", "cohort", "segment, in_country", "segment, in_risk_band")
_LISTED = (
    "customer_id", "email", "churn_probability", "expected_loss", "expected_spend", "next_order_on",
    "reason_1", "reason_2", "reason_3",
)  # fmt: skip
_WORTH_A_MESSAGE = "may_be_contacted and coalesce(expected_loss, monetary) > 0"


def read_contact_list(
    warehouse: Warehouse, members: Mapping[str, Sequence[str]], show_pii: bool
) -> dict[str, list[Any]]:
    """Columns of the customers with most at stake: overall, and for each member of the main filters, so that filters
    leave some rows. For each dimension also the index of each customer's member."""
    ranks = " or ".join(
        f"row_number() over (partition by in_{name} order by {BY_EXPECTED_LOSS}) <= {MAX_LISTED_PER_MEMBER}"
        for name in _EACH
    )
    rows = warehouse.read(
        f"""{PLACED_CUSTOMERS} select {", ".join(_LISTED)}, {", ".join(f"in_{name}" for name in DIMENSIONS)}
        from placed where {_WORTH_A_MESSAGE}
        qualify row_number() over (order by {BY_EXPECTED_LOSS}) <= {MAX_LISTED} or {ranks}
        order by {BY_EXPECTED_LOSS}"""
    )
    columns = {name: rows.column(name).to_pylist() for name in ("customer_id", "email", *_LISTED[6:])}
    if not show_pii:
        shown = masked(rows.select(["customer_id", "email"]))
        columns |= {name: shown.column(name).to_pylist() for name in shown.column_names}
    for name, digits in (("churn_probability", 4), ("expected_loss", 2), ("expected_spend", 2)):
        columns[name] = pc.round(rows.column(name).cast(pa.float64()), digits).to_pylist()
    columns["next_order_on"] = rows.column("next_order_on").cast(pa.string()).to_pylist()
    return columns | {name: positions(rows, name, members[name]) for name in DIMENSIONS}


def write_contact_list(warehouse: Warehouse, file: Path, show_pii: bool) -> None:
    """Writes everyone who may be contacted and has something at stake; the file is replaced atomically."""
    rows = warehouse.read(
        f"""select customer_id, email, segment, risk_band, lifecycle,
            round(churn_probability, 4) as churn_probability, round(alive_probability, 4) as alive_probability,
            round(clv, 2) as clv, round(clv_low, 2) as clv_low, round(clv_high, 2) as clv_high, clv_days,
            round(win_back_value, 2) as win_back_value,
            round(expected_loss, 2) as expected_loss, round(expected_spend, 2) as expected_spend, next_order_on,
            reason_1, reason_2, reason_3, recommended_action, country, channel, currency, as_of_date
        from marts.marketing_customers where {_WORTH_A_MESSAGE} order by {BY_EXPECTED_LOSS}"""
    )
    write_csv(safe_for_spreadsheets(rows if show_pii else masked(rows)), file)
