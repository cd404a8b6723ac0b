"""Orders and refunds that were read without fault, and that no customer's figures hold."""

from dataclasses import dataclass

from flows.ports.warehouse import Warehouse

# a return that takes back more than its sale has found one for a part only
_UNMATCHED = """
    select count(distinct order_line_key), cast(coalesce(sum(amount), 0) as double)
    from intermediate.int_returns
    where purchased_on is null
"""
_RETURNED = """
    select count(distinct sold.customer_id), cast(coalesce(sum(sold.amount), 0) as double)
    from intermediate.int_order_lines as sold
    left join marts.customer_rfm as rfm on sold.customer_id = rfm.customer_id
    where not sold.is_return and rfm.customer_id is null
"""


@dataclass(frozen=True)
class LeftOut:
    """`unmatched_returns`: rows that give back, at least in part, what no sale has; `unmatched_amount`: that part.
    `returned_customers`: who have bought for `returned_amount` and sent everything back, so that they have no
    purchase."""

    unmatched_returns: int
    unmatched_amount: float
    returned_customers: int
    returned_amount: float


def read_left_out(warehouse: Warehouse) -> LeftOut:
    """As of the last build's date, in the currency that it reports in."""
    return LeftOut(*warehouse.row(_UNMATCHED), *warehouse.row(_RETURNED))
