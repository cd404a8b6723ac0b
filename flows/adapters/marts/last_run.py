"""What the orders that were just read have in common with those of the last run, whose tables are still there."""

from flows.ports.warehouse import Warehouse
from flows.sources.last_run import Overlap

PURCHASES = "intermediate.int_purchases"


def overlap_with_last_run(warehouse: Warehouse) -> Overlap | None:
    """The staged order lines against the purchases of the last run; None where there was none."""
    if not warehouse.exists(PURCHASES):
        return None
    counts = warehouse.row(
        f"""with then_known as (
            select customer_id, purchased_on, gross_amount from {PURCHASES} where known_until = date '9999-12-31'
        ),

        now_known as (
            select customer_id, ordered_on as purchased_on, sum(amount) as gross_amount
            from staging.stg_shop__order_lines
            where not is_return
            group by customer_id, ordered_on
        ),

        amounts as (
            select distinct purchased_on, gross_amount from now_known
        ),

        spanned as (
            select then_known.*
            from then_known
            cross join (select min(purchased_on) as first_on, max(purchased_on) as last_on from now_known) as span
            where then_known.purchased_on between span.first_on and span.last_on
        ),

        old_customers as (
            select customer_id, sum(gross_amount) as total from then_known group by customer_id
        ),

        new_customers as (
            select customer_id, sum(gross_amount) as total from now_known group by customer_id
        )

        select
            (select count(*) from spanned),
            (select count(*) from spanned inner join now_known
                on spanned.customer_id = now_known.customer_id and spanned.purchased_on = now_known.purchased_on),
            (select count(*) from spanned inner join amounts
                on spanned.purchased_on = amounts.purchased_on and spanned.gross_amount = amounts.gross_amount),
            (select count(*) from old_customers),
            (select count(*) from new_customers),
            (select count(*) from old_customers inner join new_customers
                on old_customers.customer_id = new_customers.customer_id),
            (select count(*) from old_customers inner join new_customers
                on old_customers.customer_id = new_customers.customer_id
                and old_customers.total = new_customers.total)"""
    )
    return Overlap(*map(int, counts))
