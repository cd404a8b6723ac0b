"""Training snapshots of simulated shops, built by the project's own dbt models, with more past dates than a run has."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from flows.churn.horizon import GAP_QUANTILE, default_horizon
from flows.churn.training_set import TrainingSet
from flows.simulator.shop import ShopProfile, simulate
from tests.running.dbt import DBT_PROJECT, dbt, dbt_environment

PURCHASES = ("stg_shop__sold_and_returned", "int_order_lines", "int_named_returns", "int_returns", "int_purchases")

_STAGED = """
create schema staging;
create table staging.stg_shop__order_lines as
select lpad(row_number() over ()::varchar, 12, '0') as order_line_key, order_id, customer_id, sku,
    'shop' as source_name, null::varchar as email,
    ordered_at::timestamp as ordered_at, ordered_at::date as ordered_on, quantity::decimal(18, 4) as quantity,
    abs(amount)::decimal(18, 2) as amount, quantity < 0 as is_return, currency, country, channel
from order_lines where customer_id is not null
"""

_GAPS = f"""
with purchases as (
    select distinct customer_id, ordered_on from staging.stg_shop__order_lines where not is_return
), gaps as (
    select ordered_on - lag(ordered_on) over (partition by customer_id order by ordered_on) as days from purchases
)
select count(days), quantile_cont(days, {GAP_QUANTILE}), median(days) from gaps
"""


def simulated_snapshots(profile: ShopProfile, folder: Path, dates: int = 24) -> TrainingSet:
    """The snapshots of a simulated shop, at so many month-wise dates, with the horizon that its gaps suggest."""
    table, horizon_days = snapshot_table(simulate(profile).order_lines, profile, folder, dates)
    return TrainingSet.from_table(table, horizon_days)


def snapshot_table(lines: pa.Table, profile: ShopProfile, folder: Path, dates: int) -> tuple[pa.Table, int]:
    """The rows of int_training_snapshots, and the horizon."""
    database = staged(lines, folder)
    with duckdb.connect(database) as con:
        ((gaps, quantile, median),) = con.sql(_GAPS).fetchall()
    horizon_days, _ = default_horizon(gaps, quantile, median)
    models = (*PURCHASES, "segment_borders", "int_training_dates", "int_training_snapshots")
    run_values = {"as_of_date": str(profile.last_day), "horizon_days": horizon_days}
    build(database, models, run_values, {"training_snapshots": dates})
    with duckdb.connect(database) as con:
        return con.sql("from intermediate.int_training_snapshots").to_arrow_table(), horizon_days


def staged(lines: pa.Table, folder: Path) -> Path:
    """A warehouse that holds these order lines as staging would deliver them."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(folder / "warehouse.duckdb") as con:
        con.register("order_lines", lines)
        con.execute(_STAGED)
    return folder / "warehouse.duckdb"


def build(
    database: Path,
    models: Sequence[str],
    run_values: Mapping[str, Any],
    variables: Mapping[str, Any] | None = None,
    project: Path = DBT_PROJECT,
) -> None:
    """Builds seeds and models of a dbt project in a warehouse."""
    done = dbt(
        *("build", "--select", *models, "path:seeds", "--resource-type", "model", "--resource-type", "seed"),
        environment=dbt_environment(database, **run_values),
        variables=variables,
        state=project.parent / "dbt" if project != DBT_PROJECT else database.parent / "dbt",
        project=project,
    )
    if not done.success:
        raise RuntimeError(done.output)
