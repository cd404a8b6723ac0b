"""Segments of the window by what their customers did next, next to quintiles of everyone who ever bought."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from flows.simulator.regimes import REGIMES
from flows.simulator.shop import simulate
from tests.benchmarks.measured import Figure
from tests.examples.simulated_snapshots import snapshot_table

CUSTOMERS, DAYS, DATES = 5_000, 3 * 365, 12

# the segments of before: fifths of all customers, and the mean of frequency and money with halves rounded up
_CUSTOMERS = """
with scored as (
    select as_of_date, customer_id,
        least(5, 1 + floor(5 * percent_rank() over (partition by as_of_date order by -recency_days))) as r,
        least(5, 1 + floor(5 * percent_rank() over (partition by as_of_date order by frequency))) as f,
        least(5, 1 + floor(5 * percent_rank() over (partition by as_of_date order by monetary))) as m
    from snapshots
)
select cast(snapshots.as_of_date as varchar) as day, recency_days, snapshots.segment, rules_expect, churned,
    grid.segment as of_all_customers
from scored
inner join (values
    (5, 5, 'Champions'), (5, 4, 'Champions'),
    (5, 3, 'Potential loyalists'), (5, 2, 'Potential loyalists'), (5, 1, 'New customers'),
    (4, 5, 'Champions'), (4, 4, 'Loyal'),
    (4, 3, 'Potential loyalists'), (4, 2, 'Potential loyalists'), (4, 1, 'Promising'),
    (3, 5, 'Loyal'), (3, 4, 'Loyal'),
    (3, 3, 'Need attention'), (3, 2, 'Promising'), (3, 1, 'About to sleep'),
    (2, 5, 'At risk'), (2, 4, 'At risk'),
    (2, 3, 'At risk'), (2, 2, 'About to sleep'), (2, 1, 'Hibernating'),
    (1, 5, 'Can''t lose'), (1, 4, 'Can''t lose'), (1, 3, 'At risk'), (1, 2, 'Hibernating'), (1, 1, 'Lost')
) as grid (r, fm, segment) on scored.r = grid.r and floor((scored.f + scored.m + 1) / 2) = grid.fm
inner join snapshots using (as_of_date, customer_id)
inner join staging.rfm_segments as segments on snapshots.segment = segments.segment
"""


def measure(folder: Path) -> Iterator[Figure]:
    for name, regime in REGIMES.items():
        place = folder / name.replace(" ", "_")
        profile = replace(regime, customers=CUSTOMERS, days=max(DAYS, regime.days))
        snapshots, horizon_days = snapshot_table(simulate(profile).order_lines, profile, place, DATES)
        with duckdb.connect(place / "warehouse.duckdb") as con:
            con.register("snapshots", snapshots)
            rows = con.sql(_CUSTOMERS).df()
        can_be_kept = rows[rows["recency_days"] < 2 * horizon_days]
        ours, before = (_auc(can_be_kept, by) for by in ("segment", "of_all_customers"))
        yield Figure(
            f"{name}: AUC of the segment, last order within two horizons of {horizon_days} days",
            f"{ours:.3f}",
            f"fifths of all customers {before:.3f}",
            "not worse",
            ours >= before - 0.005,
        )
        churn = rows.groupby("rules_expect")["churned"].mean()
        stays, leaves = churn["stays"], churn["leaves"]
        yield Figure(
            "… left, of segments that are expected to stay",
            f"{stays:.0%}",
            f"of those expected to leave {leaves:.0%}",
            "20 points fewer",
            bool(stays <= leaves - 0.2),
        )


def _auc(rows: pd.DataFrame, by: str) -> float:
    """Mean over dates; a segment is ranked by its mean churn on the other dates."""
    found = []
    for day in rows["day"].unique():
        here, others = rows[rows["day"] == day], rows[rows["day"] != day]
        if here["churned"].nunique() == 2:
            rank = here[by].map(others.groupby(by)["churned"].mean()).fillna(rows["churned"].mean())
            found.append(roc_auc_score(here["churned"], rank))
    return float(np.mean(found))
