"""How good the probabilities of an as-of date turned out, from the later part of the same file."""

from datetime import date
from pathlib import Path

import numpy as np

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.churn.evaluation import Quality, measure
from flows.settings import REPOSITORY

ONLINE_RETAIL = REPOSITORY.parent / "shared" / "data" / "online_retail.csv.gz"
AS_OF, HORIZON_DAYS = date(2011, 9, 10), 90


def realised_quality(data_dir: Path) -> Quality:
    """Of the batch predictions in a warehouse whose staged orders reach a horizon beyond the as-of date."""
    outcomes = DuckDBWarehouse(data_dir / "warehouse.duckdb", data_dir / "tmp").read(
        """select churn_probability, not exists (
                select 1 from staging.stg_shop__order_lines as later
                where later.customer_id = predictions.customer_id and not later.is_return
                    and later.ordered_on > predictions.as_of_date
                    and later.ordered_on <= predictions.as_of_date + predictions.horizon_days
            ) as churned
        from marts.churn_predictions as predictions where source = 'batch'"""
    )
    churned = outcomes.column("churned").to_numpy().astype(bool)
    return measure(churned, np.asarray(outcomes.column("churn_probability").to_numpy()))
