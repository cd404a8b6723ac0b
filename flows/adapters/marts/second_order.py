"""The second order, in shops that are full of one-time buyers: nothing else can be said of most of their customers."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from flows.churn.training_set import HORIZONS_TO_KEEP
from flows.ports.warehouse import Warehouse


@dataclass(frozen=True)
class SecondOrder:
    """`customers`: those who have ordered once and can still be kept, whose last order is no older than `days_to_keep`;
    `predicted`: the share of them who order again within the horizon. `dates` held out of training, on which it was
    `predicted_then`, `ordered_again` and `auc` on average."""

    customers: int
    days_to_keep: int
    predicted: float
    dates: int
    predicted_then: float
    ordered_again: float
    auc: float


def read_second_order(warehouse: Warehouse, card: Mapping[str, Any], horizon_days: int) -> SecondOrder | None:
    """None: such customers are fewer than half of those who can be kept, or nobody is one today; a card of an older
    model does not say."""
    figures = card.get("second_order", {"is_shown": False})
    days = HORIZONS_TO_KEEP * horizon_days
    customers, predicted = warehouse.row(
        f"""select count(*), avg(1 - churn_probability) from marts.marketing_customers
        where frequency = 1 and recency_days <= {days} and churn_probability is not null"""
    )
    if not figures["is_shown"] or not customers:
        return None
    held_out = figures["held_out"]
    return SecondOrder(
        customers=int(customers),
        days_to_keep=days,
        predicted=float(predicted),
        dates=len(held_out),
        predicted_then=fmean(row["predicted"] for row in held_out),
        ordered_again=fmean(row["ordered_again"] for row in held_out),
        auc=fmean(row["quality"]["auc"] for row in held_out),
    )
