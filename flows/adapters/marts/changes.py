"""Which customers slipped, came back and left between a past run and the last one, and what is at stake since."""

from datetime import date
from typing import Any

from flows.ports.warehouse import Warehouse

LEAVING = "('slipping', 'gone')"
PREDICTIONS, CUSTOMERS = "marts.churn_predictions", "marts.marketing_customers"


def read_changes(
    warehouse: Warehouse, as_of: date, horizon_days: int, since: date | None = None
) -> dict[str, Any] | None:
    """Since the last run by the day `since` with the same horizon; without one by then, since the first after it. None:
    since the run before. Returns None where there is no such run.

    `since`, `customers`, and how many of them are `new`, `slipped` (slipping or gone, and neither then), `came_back`
    (the reverse) and `left` (gone, and not then); `expected_loss` of all, `expected_loss_then`, and
    `expected_loss_of_slipped`."""
    runs = f"source = 'batch' and horizon_days = {horizon_days} and as_of_date < '{as_of}'"
    day = "max(as_of_date)"
    if since is not None:
        day = f"coalesce(max(case when as_of_date <= '{since}' then as_of_date end), min(as_of_date))"
    is_leaving, was_leaving = f"customers.lifecycle in {LEAVING}", f"earlier.lifecycle in {LEAVING}"
    slipped = f"{is_leaving} and earlier.lifecycle not in {LEAVING}"
    found = warehouse.read(
        f"""with earlier as (
            select customer_id, lifecycle, expected_loss, as_of_date from {PREDICTIONS}
            where {runs} and as_of_date = (select {day} from {PREDICTIONS} where {runs})
            qualify row_number() over (partition by customer_id order by scored_at desc) = 1
        )
        select
            cast((select max(as_of_date) from earlier) as varchar) as since,
            count(*) as customers,
            count_if(earlier.customer_id is null) as new,
            count_if({slipped}) as slipped,
            count_if(customers.lifecycle not in {LEAVING} and {was_leaving}) as came_back,
            count_if(customers.lifecycle = 'gone' and earlier.lifecycle <> 'gone') as left_since,
            sum(customers.expected_loss) as expected_loss,
            (select sum(expected_loss) from earlier) as expected_loss_then,
            sum(case when {slipped} then customers.expected_loss end) as expected_loss_of_slipped
        from {CUSTOMERS} as customers
        left join earlier on customers.customer_id = earlier.customer_id"""
    ).to_pylist()[0]
    if found["since"] is None:
        return None
    found["left"] = found.pop("left_since")  # a reserved word of SQL
    return {name: value if name == "since" else round(float(value or 0), 2) for name, value in found.items()}
