"""What a digest says, read from the marts: sums and campaigns, and no customer, because no erasure reaches an inbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flows.adapters.marts.campaign_results import read_results
from flows.adapters.marts.campaign_tables import read_as_of
from flows.adapters.marts.changes import read_changes
from flows.adapters.marts.monitoring import RELATION as MONITORING
from flows.adapters.marts.monitoring import describe_warnings
from flows.adapters.marts.promises import RELATION as PROMISES
from flows.errors import BadInput
from flows.ports.warehouse import Warehouse
from functions.churn_api.contract import LIFECYCLES

WEEK = timedelta(days=7)
LINES = "staging.stg_shop__order_lines_validated"
MAX_LISTED = 8


@dataclass(frozen=True)
class Stage:
    """Customers in a stage of the lifecycle, and their expected loss: then and now."""

    lifecycle: str
    customers_then: int
    customers: int
    expected_loss_then: float
    expected_loss: float


@dataclass(frozen=True)
class Digest:
    """`since`: the day of the run that is compared with; `changes`: as `read_changes` has them. `campaigns`: rows of
    marts.campaign_results of whole campaigns whose window has ended since, without results where there was no control
    group. `promises`: rows of marts.promises that have come due since. `newest_order`, `lines` and `rejected`: of what
    was read. `warnings`: what monitoring found since, in English."""

    as_of: date
    since: date
    horizon_days: int
    currency: str | None
    changes: Mapping[str, Any]
    stages: Sequence[Stage]
    campaigns: Sequence[Mapping[str, Any]]
    promises: Sequence[Mapping[str, Any]]
    newest_order: date | None
    lines: int
    rejected: int
    warnings: Sequence[str]


def read_digest(warehouse: Warehouse) -> Digest:
    """Of the last run, compared with the one a week before, or the nearest to it.

    Raises:
        BadInput: when there is no earlier run, or nobody was scored.
    """
    as_of, horizon_days = read_as_of(warehouse)
    changes = read_changes(warehouse, as_of, horizon_days, as_of - WEEK)
    [currency, scored] = warehouse.row("select max(currency), max(model_version) from marts.marketing_customers")
    if changes is None or scored is None:
        raise BadInput(
            f"There is no scored run of an earlier day than {as_of}: a digest says what has changed between two. Run"
            " again with newer orders, or with AS_OF= an earlier day first."
        )
    since = date.fromisoformat(changes["since"])
    lines, rejected, newest = warehouse.row(
        f"""select count(*), count(rejection_reason), max(case when ordered_on <= '{as_of}' then ordered_on end)
        from {LINES}"""
    )
    return Digest(
        as_of=as_of,
        since=since,
        horizon_days=horizon_days,
        currency=currency,
        changes=changes,
        stages=_stages(warehouse, as_of, horizon_days, since),
        campaigns=_ended(warehouse, as_of, since),
        promises=warehouse.read(
            f"""select kind, subject, stated_on, promised, came from {PROMISES}
            where due_on > '{since}' and due_on <= '{as_of}' and came is not null
            order by due_on desc, kind, subject limit {MAX_LISTED}"""
        ).to_pylist(),
        newest_order=newest,
        lines=int(lines),
        rejected=int(rejected),
        warnings=_warnings(warehouse, since, as_of),
    )


def _stages(warehouse: Warehouse, as_of: date, horizon_days: int, since: date) -> list[Stage]:
    days = ", ".join(f"'{day}'" for day in (since, as_of))
    rows = warehouse.read(
        f"""with scored as (
            select as_of_date, lifecycle, expected_loss from marts.churn_predictions
            where source = 'batch' and horizon_days = {horizon_days} and as_of_date in ({days})
                and lifecycle is not null
            qualify row_number() over (partition by customer_id, as_of_date order by scored_at desc) = 1
        )
        select lifecycle,
            count_if(as_of_date = '{since}') as customers_then, count_if(as_of_date = '{as_of}') as customers,
            coalesce(sum(case when as_of_date = '{since}' then expected_loss end), 0) as expected_loss_then,
            coalesce(sum(case when as_of_date = '{as_of}' then expected_loss end), 0) as expected_loss
        from scored group by lifecycle"""
    )
    return sorted((Stage(**row) for row in rows.to_pylist()), key=lambda of: LIFECYCLES.index(of.lifecycle))


def _ended(warehouse: Warehouse, as_of: date, since: date) -> list[dict[str, Any]]:
    results = {row["campaign"]: row for row in read_results(warehouse, as_of).to_pylist()}
    ended = warehouse.read(
        f"""select campaign, held_out from marts.campaigns
        where window_ends_on > '{since}' and window_ends_on <= '{as_of}' order by campaign limit {MAX_LISTED}"""
    )
    found = []
    for row in ended.to_pylist():
        result = results.get(row["campaign"], {})
        is_known = row["held_out"] and result.get("lift_low") is not None and not result.get("is_sample_ratio_off")
        found.append(row | (result if is_known else {"lift_low": None, "profit_low": None}))
    return found


def _warnings(warehouse: Warehouse, since: date, as_of: date) -> list[str]:
    if not warehouse.exists(MONITORING):
        return []
    rows = warehouse.read(
        f"""select * from {MONITORING} where is_warning and as_of_date > '{since}' and as_of_date <= '{as_of}'
        qualify row_number() over (partition by measure, feature order by as_of_date desc, measured_at desc) = 1
        order by measure, feature"""
    )
    return describe_warnings(rows)
