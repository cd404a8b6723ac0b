"""The data that the page filters: customers counted and summed by everything that can be clicked.

A *dimension* has a fixed list of members; a *cell* is a combination of members that occurs. The page contains cells
rather than customers: there are never more of them, and several times fewer in a large shop."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.marts.run_report import QUEUES
from flows.ports.warehouse import Warehouse
from functions.churn_api.contract import LIFECYCLES, RISK_BANDS

COUNTRIES_SHOWN, CHANNELS_SHOWN, COHORTS_SHOWN = 12, 8, 12
OTHER, EARLIER = "(other)", "(earlier)"  # members for the remaining values; texts.yml has their labels
BANDS = tuple(band for _, band in reversed(RISK_BANDS))
BUCKETS = 20  # of churn probability, 0.05 wide
SCORES = 5
MANY_CELLS = 10_000  # from which amounts are in whole units: sums hardly change, and the page is a sixth smaller

# SQL of each dimension's member; NULL: none. Text members are names, numeric members are indexes.
_MEMBER_OF = {
    "segment": "customers.segment",
    "previous_segment": "customers.previous_segment",
    "r_f": f"case when customers.r_score > 0 then (customers.r_score - 1) * {SCORES} + customers.f_score - 1 end",
    "bucket": f"least(floor(customers.churn_probability * {BUCKETS}), {BUCKETS - 1})",
    "risk_band": "customers.risk_band",
    "lifecycle": "customers.lifecycle",
    "country": f"case when countries.position <= {COUNTRIES_SHOWN} then customers.country"
    f" when customers.country is not null then '{OTHER}' end",
    "channel": f"case when channels.position <= {CHANNELS_SHOWN} then customers.channel"
    f" when customers.channel is not null then '{OTHER}' end",
    "cohort": f"case when cohorts.position <= {COHORTS_SHOWN} then cast(cohorts.quarter as varchar)"
    f" else '{EARLIER}' end",
}
DIMENSIONS = tuple(_MEMBER_OF)
_COUNTS = ("customers", "active", "may_be_contacted", *QUEUES, "moved", "moved_and_bought")
_STAGES = {stage: f"lifecycle_{stage}" for stage in LIFECYCLES}  # columns of `months`
_RETENTION_BY = ("cohort", "segment", "country", "channel", "risk_band")

_RANKED = """with countries as (
        select country, row_number() over (order by count(*) desc, country) as position
        from marts.marketing_customers where country is not null group by country
    ),
    channels as (
        select channel, row_number() over (order by count(*) desc, channel) as position
        from marts.marketing_customers where channel is not null group by channel
    ),
    cohorts as (
        select quarter, row_number() over (order by quarter desc) as position from (
            select distinct cast(date_trunc('quarter', first_purchased_on) as date) as quarter
            from marts.marketing_customers
        ) as quarters
    )"""


def _placed(dimensions: Iterable[str], relation: str, quarter: str) -> str:
    """The `with` of a query: `placed` is the relation with the members of each row as in_…; `quarter`: SQL of its
    cohort."""
    members = ", ".join(f"{_MEMBER_OF[name]} as in_{name}" for name in dimensions)
    return f"""{_RANKED},
    placed as (
        select customers.*, {members}
        from {relation} as customers
        left join countries on customers.country = countries.country
        left join channels on customers.channel = channels.channel
        left join cohorts on {quarter} = cohorts.quarter
    )"""


def placed_customers(relation: str) -> str:
    """The `with` of a query of `relation`, which has columns and rows of marts.marketing_customers."""
    return _placed(DIMENSIONS, relation, "cast(date_trunc('quarter', customers.first_purchased_on) as date)")


PLACED_CUSTOMERS = placed_customers("marts.marketing_customers")


def in_queue(name: str) -> str:
    return f"may_be_contacted and queue = '{name}'"


@dataclass(frozen=True)
class Cube:
    """Columns of cells, ready for JSON. `members`: those of each dimension. `cells`: for each dimension the member's
    index (-1: none), for each measure whole numbers: counts, and amounts in hundredths (whole units
    where there are MANY_CELLS). `retention`: the same for
    cohorts and quarters. `months`: the same for segments and the last days of months, which are dates; customers by
    lifecycle are of `lifecycle_…`, 0 where nobody was scored."""

    members: Mapping[str, Sequence[str]]
    cells: Mapping[str, Sequence[int]]
    retention: Mapping[str, Sequence[int]]
    months: Mapping[str, Sequence[int] | Sequence[str]]


def read_cube(warehouse: Warehouse) -> Cube:
    """The cells of `marts.marketing_customers`, `marts.cohort_retention`, `marts.monthly_customers` and
    `marts.monthly_lifecycle`."""
    names = ", ".join(f"in_{name}" for name in DIMENSIONS)
    cells = warehouse.read(
        f"""{PLACED_CUSTOMERS} select {names},
            count(*) as customers,
            count_if(recency_days < 365) as active,
            count_if(may_be_contacted) as may_be_contacted,
            {", ".join(f"count_if({in_queue(name)}) as {name}" for name in QUEUES)},
            count_if(segment <> previous_segment) as moved,
            count_if(segment <> previous_segment and bought_in_last_month) as moved_and_bought,
            sum(spend_last_365_days) as spend_last_365_days,
            sum(spend_last_period) as spend_last_period,
            sum(expected_loss) as expected_loss,
            sum(expected_spend) as expected_spend,
            sum(churn_probability) as expected_to_leave,
            {", ".join(f"sum(case when {in_queue(name)} then queue_value end) as {name}_value" for name in QUEUES)}
        from placed group by {names} order by {names}"""
    )
    segments = warehouse.read("select segment from staging.rfm_segments order by position").column(0).to_pylist()
    members = {
        "segment": segments,
        "previous_segment": segments,
        "r_f": [f"{r} {f}" for r in range(1, SCORES + 1) for f in range(1, SCORES + 1)],
        "bucket": [f"{n / BUCKETS:.2f}" for n in range(BUCKETS)],
        "risk_band": list(BANDS),
        "lifecycle": list(LIFECYCLES),
        "country": _by_size(cells, "country"),
        "channel": _by_size(cells, "channel"),
        "cohort": sorted(set(cells.column("in_cohort").to_pylist())),  # "(earlier)" sorts before every date
    }
    columns = {name: positions(cells, name, members[name]) for name in DIMENSIONS}
    for name in _COUNTS:
        columns[name] = cells.column(name).cast(pa.int64()).to_pylist()
    for name in cells.column_names[len(DIMENSIONS) + len(_COUNTS) :]:
        columns[name] = _hundredths(cells.column(name), name != "expected_to_leave" and len(cells) > MANY_CELLS)
    return Cube(members, columns, _retention(warehouse, members), _months(warehouse, members))


def positions(table: pa.Table, dimension: str, members: Sequence[str]) -> list[int]:
    """The index of each row's member; -1: none."""
    column = table.column(f"in_{dimension}")
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.index_in(column.cast(pa.string()), pa.array(members, pa.string()))
    found: list[int] = column.cast(pa.float64()).fill_null(-1).cast(pa.int64()).to_pylist()
    return found


def _by_size(cells: pa.Table, dimension: str) -> list[str]:
    """Members, most customers first, "other" last."""
    name = f"in_{dimension}"
    sizes = (
        cells.group_by(name)
        .aggregate([("customers", "sum")])
        .sort_by([("customers_sum", "descending"), (name, "ascending")])
    )
    found = [member for member in sizes.column(name).to_pylist() if member]
    return sorted(found, key=lambda member: member == OTHER)


def _hundredths(column: pa.ChunkedArray, to_whole: bool = False) -> list[int]:
    """Rounded, `to_whole` units or to hundredths, so that they add up to the rounded total."""
    step = 100 if to_whole else 1
    amounts = np.nan_to_num(column.cast(pa.float64()).to_numpy())
    rounded: list[int] = np.diff(np.rint(np.cumsum(amounts) * 100 / step) * step, prepend=0).astype(np.int64).tolist()
    return rounded


def _retention(warehouse: Warehouse, members: Mapping[str, Sequence[str]]) -> dict[str, list[int]]:
    names = ", ".join(f"in_{name}" for name in _RETENTION_BY)
    placed = _placed(_RETENTION_BY, "marts.cohort_retention", "customers.cohort_quarter")
    rows = warehouse.read(
        f"""{placed} select {names}, quarters_since, sum(customers) as customers, sum(active_customers) as active,
            sum(revenue) as revenue
        from placed where in_cohort <> '{EARLIER}'
        group by {names}, quarters_since order by {names}, quarters_since"""
    )
    counts = {
        name: rows.column(name).cast(pa.int64()).to_pylist() for name in ("quarters_since", "customers", "active")
    }
    counts["revenue"] = _hundredths(rows.column("revenue"))
    return {name: positions(rows, name, members[name]) for name in _RETENTION_BY} | counts


def _months(warehouse: Warehouse, members: Mapping[str, Sequence[str]]) -> dict[str, list[Any]]:
    by_stage = ", ".join(
        f"cast(round(coalesce(sum(case when lifecycle = '{stage}' then customers end), 0)) as bigint) as {name}"
        for stage, name in _STAGES.items()
    )
    rows = warehouse.read(
        f"""with stages as (select month_ends_on, segment, {by_stage} from marts.monthly_lifecycle group by 1, 2)
        select cast(months.month_ends_on as varchar) as month_ends_on, months.segment as in_segment, history_days,
            customers, active_customers, new_customers, bought_before, bought_again, revenue, spend_last_365_days,
            {", ".join(f"coalesce({name}, 0) as {name}" for name in _STAGES.values())}
        from marts.monthly_customers as months left join stages
            on months.month_ends_on = stages.month_ends_on and months.segment = stages.segment
        order by months.month_ends_on, months.segment"""
    )
    columns: dict[str, list[Any]] = {"segment": positions(rows, "segment", members["segment"])}
    for name in rows.column_names:
        if name in ("revenue", "spend_last_365_days"):
            columns[name] = _hundredths(rows.column(name))
        elif name != "in_segment":
            columns[name] = rows.column(name).to_pylist()
    return columns
