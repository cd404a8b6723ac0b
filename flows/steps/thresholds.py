"""Alerts by threshold: each told once, with its figure and where to look."""

import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from math import floor

from flows.adapters.agents.campaigns import read_campaigns
from flows.adapters.agents.texts import Shown
from flows.adapters.marts.run_report import RunReport
from flows.adapters.marts.told import remember, untold
from flows.console.amounts import money
from flows.orchestration import alert, task, waits_for_warehouse
from flows.ports.warehouse import Warehouse
from flows.settings import Settings

log = logging.getLogger(__name__)

# The segment of a month before is known, and what was expected then where a run was as of about that day.
MONTH, LEEWAY = timedelta(days=30), timedelta(days=7)
MIN_SHARE_OF_LOSS = 0.02  # of all customers' expected loss: a smaller segment is none to be woken for
ORDERS = "order_lines"
TOLD_FOR = timedelta(days=30)  # after its window a campaign is no news


@task(retry=waits_for_warehouse)
def tell_thresholds(warehouse: Warehouse, settings: Settings, report: RunReport, at: datetime) -> None:
    """Tells what is beyond a threshold and was not told before. Nothing of a past day or of a simulated shop, which
    nobody watches."""
    if settings.is_simulated or settings.as_of:
        return
    found = dict(
        [
            *_losses(warehouse, settings, report),
            *_rejected(settings, report, at),
            *_ended(warehouse, report.as_of.date),
        ]
    )
    new = untold(warehouse, list(found))
    link = f" {settings.page_link}" if settings.page_link else ""
    alert("threshold", [f"{found[key]}{link}" for key in new])
    remember(warehouse, new, at)


def _losses(warehouse: Warehouse, settings: Settings, report: RunReport) -> Iterator[tuple[str, str]]:
    """Segments whose expected loss is up, once in a month each."""
    if report.model is None:
        return
    as_of, limit = report.as_of, settings.loss_up_alert
    then, runs = as_of.date - MONTH, f"source = 'batch' and horizon_days = {as_of.horizon_days}"
    rows = warehouse.read(
        f"""with earlier as (
            select customer_id, expected_loss, as_of_date from marts.churn_predictions
            where {runs} and as_of_date = (
                select max(as_of_date) from marts.churn_predictions
                where {runs} and as_of_date between '{then - LEEWAY}' and '{then + LEEWAY}'
            )
            qualify row_number() over (partition by customer_id order by scored_at desc) = 1
        ),
        then_known as (
            select customers.previous_segment as segment, sum(earlier.expected_loss) as loss,
                max(earlier.as_of_date) as as_of_date
            from marts.marketing_customers as customers
            inner join earlier on customers.customer_id = earlier.customer_id
            group by customers.previous_segment
        ),
        now_known as (
            select segment, sum(expected_loss) as loss from marts.marketing_customers group by segment
        )
        select now_known.segment, now_known.loss, then_known.loss as loss_then, then_known.as_of_date as then_on
        from now_known inner join then_known on now_known.segment = then_known.segment
        where then_known.loss > 0 and now_known.loss > then_known.loss * {1 + limit}
            and now_known.loss > {MIN_SHARE_OF_LOSS} * (select sum(loss) from now_known)
        order by now_known.loss desc"""
    ).to_pylist()
    for row in rows:
        up = row["loss"] / row["loss_then"] - 1
        yield (
            f"loss {row['segment']} {as_of.date:%Y-%m}",
            f"the expected loss of {row['segment']} is {money(row['loss'], as_of.currency)}, {up:.0%} more than on"
            f" {row['then_on']} ({money(row['loss_then'], as_of.currency)}; LOSS_UP_ALERT={limit:g})",
        )


def _rejected(settings: Settings, report: RunReport, at: datetime) -> Iterator[tuple[str, str]]:
    """Rows that were rejected; told again in another month, or where there are as many again."""
    limit = settings.rejected_alert
    rejected = sum(of.rows for of in report.receipt.rejections if of.kind == ORDERS)
    share = rejected / report.order_lines if report.order_lines else 0.0
    if share > limit:
        yield (
            f"rejected {at:%Y-%m} {floor(share / limit)}",
            f"{rejected:,} of {report.order_lines:,} rows were rejected, {share:.1%} (REJECTED_ALERT={limit:g}):"
            " raw.rejected_rows has each with its reason",
        )


def _ended(warehouse: Warehouse, as_of: date) -> Iterator[tuple[str, str]]:
    """Campaigns whose window has ended, and what they changed."""
    ended = f"window_ends_on <= '{as_of}' and window_ends_on > '{as_of - TOLD_FOR}'"
    for of in read_campaigns(warehouse, Shown(pii=False), as_of, ended):
        needed = f" (it would take {of.needed})" if of.needed else ""
        yield f"ended {of.campaign}", f"the window of {of.campaign} ended on {of.window_ends_on}: {of.says}{needed}"
