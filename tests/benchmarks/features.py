"""Segments and features of 10 million order lines by dbt, next to one query written by hand for the same columns."""

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb

from tests.benchmarks.measured import Figure, run_python, run_sql
from tests.running.dbt import dbt_command, dbt_environment

LINES = 10_000_000
MODELS = (
    "stg_shop__sold_and_returned",
    "int_order_lines",
    "int_named_returns",
    "int_returns",
    "int_purchases",
    "customer_features",
    "segment_borders",
    "customer_rfm",
)
HANDWRITTEN = Path(__file__).with_name("features_by_hand.sql").read_text(encoding="utf-8")

_STAGED = f"""
create schema staging;
create table staging.stg_shop__order_lines as
select lpad(i::varchar, 12, '0') as order_line_key, 'O' || (i // 3) as order_id,
    'C' || (hash(i // 3) % 1000000) as customer_id, 'P' || (i % 400) as sku,
    'shop' as source_name, null::varchar as email,
    timestamp '2023-07-01' + interval (i * 9) second as ordered_at,
    (timestamp '2023-07-01' + interval (i * 9) second)::date as ordered_on, 1::decimal(18, 4) as quantity,
    ((i % 1000) / 10 + 1)::decimal(18, 2) as amount, i % 53 = 52 as is_return, 'EUR' as currency,
    'Germany' as country, 'social' as channel
from range({LINES}) as lines (i);
"""


def measure(folder: Path) -> Iterator[Figure]:
    database = folder / "warehouse.duckdb"
    run_sql(database, _STAGED)
    by_hand = run_sql(database, HANDWRITTEN)
    dbt = run_python(
        *dbt_command(
            *("build", "--select", *MODELS, "path:seeds", "--resource-type", "model", "--resource-type", "seed"),
            *("--threads", "1"),
            state=folder,
        ),
        **dbt_environment(database, as_of_date="2026-06-30"),
    )
    results = json.loads((folder / "run_results.json").read_text())["results"]
    seconds = sum(result["execution_time"] for result in results if result["unique_id"].startswith("model."))
    with duckdb.connect(database) as con:
        different = con.sql(
            """select count(*) from marts.customer_features as ours
            full join by_hand using (customer_id) join marts.customer_rfm as rfm using (customer_id)
            where ours.recency_days is distinct from by_hand.recency_days
                or ours.frequency is distinct from by_hand.frequency
                or round(ours.monetary, 2) is distinct from round(by_hand.monetary, 2)
                or rfm.f_score is distinct from by_hand.f_score
                or abs(ours.decayed_purchases_45_days - by_hand.decayed_purchases_45_days) > 1e-6
                or ours.median_gap_days is distinct from by_hand.median_gap_days"""
        ).fetchall()[0][0]
    if different:
        raise RuntimeError(f"{different} customers differ between dbt and the query by hand")
    yield Figure(
        "RFM and features, 10 million order lines",
        f"{seconds:.1f} s",
        f"one query by hand {by_hand.seconds:.1f} s",
        "≤ 1.5 ×",
        seconds <= 1.5 * by_hand.seconds,
    )
    yield Figure(
        "… peak memory of the process",
        f"{dbt.peak_gigabytes:.1f} GB",
        f"by hand {by_hand.peak_gigabytes:.1f} GB",
        "< 3 GB",
        dbt.peak_gigabytes < 3,
    )
