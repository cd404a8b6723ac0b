"""What a reader has to know before any figure: how far to trust it, how fresh it is, and what is new in it."""

from collections.abc import Sequence
from typing import Any

from flows.adapters.marts.run_report import RunReport
from flows.churn.promotion_gate import excess_calibration_error
from flows.ports.warehouse import Warehouse

_LEAVING = "('slipping', 'gone')"


def trust_level(report: RunReport, warnings: Sequence[str]) -> str:
    """unscored, orientation (by the shipped model), care, or tested: by the same figures as the terminal."""
    if report.model is None:
        return "unscored"
    if report.model.quality is None:
        return "orientation"
    return "care" if warnings or excess_calibration_error(report.model.quality) > 0 else "tested"


def newest_order(report: RunReport) -> str | None:
    """The day of the newest order that counts; None where orders are newer than the page."""
    newest = max((of.last_on for of in report.receipt.totals), default=None)
    return str(newest) if newest and newest <= report.as_of.date else None


def read_changes(warehouse: Warehouse, report: RunReport) -> dict[str, Any] | None:
    """How many customers are new, slipped and came back since the run of an earlier day with the same horizon, and the
    expected loss then and now; None where there is no such run, or nobody was scored."""
    if report.model is None:
        return None
    runs = f"source = 'batch' and horizon_days = {report.as_of.horizon_days} and as_of_date < '{report.as_of.date}'"
    found = warehouse.read(
        f"""with earlier as (
            select customer_id, lifecycle, expected_loss, as_of_date from marts.churn_predictions
            where {runs} and as_of_date = (select max(as_of_date) from marts.churn_predictions where {runs})
            qualify row_number() over (partition by customer_id order by scored_at desc) = 1
        )
        select
            cast((select max(as_of_date) from earlier) as varchar) as since,
            count_if(earlier.customer_id is null) as new,
            count_if(customers.lifecycle in {_LEAVING} and earlier.lifecycle not in {_LEAVING}) as slipped,
            count_if(customers.lifecycle not in {_LEAVING} and earlier.lifecycle in {_LEAVING}) as came_back,
            sum(customers.expected_loss) as expected_loss,
            (select sum(expected_loss) from earlier) as expected_loss_then
        from marts.marketing_customers as customers
        left join earlier on customers.customer_id = earlier.customer_id"""
    ).to_pylist()[0]
    if found["since"] is None:
        return None
    return {name: value if name == "since" else round(float(value or 0), 2) for name, value in found.items()}
