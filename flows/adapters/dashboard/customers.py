"""Everybody, to be found by id: where they stand, and as far as the size of the page allows all that is known of them.

The most valuable come first, so that what a large shop's page leaves out is of those who matter least."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.dashboard.cube import placed_customers, positions
from flows.adapters.dashboard.next_products import read_shown
from flows.adapters.dashboard.packing import packed
from flows.adapters.marts.campaign_sends import SENDS
from flows.adapters.marts.campaign_tables import CAMPAIGNS, IDENTITIES, PERSON, TARGETS
from flows.adapters.privacy.masking import masked
from flows.ports.warehouse import Warehouse

# how many are read: more do not fit
MAX_FOUND, MAX_DETAILED = 150_000, 40_000
SHARE_OF_THE_FOUND = 0.8  # of the room, unless they need less
ARMS = ("treated", "holdout", "global_holdout")
_BY_VALUE = "greatest(coalesce(clv, 0), coalesce(queue_value, 0)) desc, monetary desc, customer_id"
_AMOUNTS = ("clv", "expected_loss", "win_back_value", "expected_spend")
_DAYS = ("next_order_on", "next_order_if_back_on")
_TEXTS = ("reason_1", "reason_2", "reason_3", "recommended_action")


def pack_customers(
    warehouse: Warehouse, members: Mapping[str, Sequence[str]], as_of: date, show_pii: bool, room: int
) -> tuple[str, str]:
    """Packed columns of customers, the most valuable first, in at most `room` bytes together: who there is, and the
    details of as many as fit."""
    rows = warehouse.read(
        f"""{placed_customers(_most_valuable(MAX_FOUND))}
        select customer_id, email, churn_probability, may_be_contacted, opted_out,
            {", ".join((*_AMOUNTS, *_DAYS, *_TEXTS))}, in_segment, in_lifecycle, in_risk_band, in_country, in_channel
        from placed order by {_BY_VALUE}"""
    )
    if not show_pii:
        shown = masked(rows.select(["customer_id", "email"]))
        for name in shown.column_names:
            rows = rows.set_column(rows.column_names.index(name), name, shown.column(name))
    detailed = rows.slice(0, MAX_DETAILED)
    orders, campaigns = _orders(warehouse, as_of), _campaigns(warehouse, as_of)
    products = read_shown(warehouse, _of_the_detailed(""))

    def details(n: int) -> dict[str, Any]:
        return {
            **_details(detailed.slice(0, n), members, as_of),
            "orders": _first(orders, n), "campaigns": _first(campaigns, n), "products": products.first(n),
        }  # fmt: skip

    room_of_the_found = min(room * SHARE_OF_THE_FOUND, room - len(packed(details(0))))
    found = _as_many_as_fit(lambda n: _found(rows.slice(0, n), members), rows.num_rows, room_of_the_found)
    return found, _as_many_as_fit(details, detailed.num_rows, room - len(found))


def _most_valuable(customers: int) -> str:
    return f"(select * from marts.marketing_customers order by {_BY_VALUE} limit {customers})"


def _as_many_as_fit(columns_of: Callable[[int], Mapping[str, Any]], most: int, room: float) -> str:
    """The packed columns of the first `most` customers, or of fewer, until they fit."""
    made = packed(columns_of(most))
    while len(made) > room and most:
        most = int(most * max(room, 0) / len(made) * 0.98)
        made = packed(columns_of(most))
    return made


def _found(rows: pa.Table, members: Mapping[str, Sequence[str]]) -> dict[str, list[Any]]:
    """`risk`: the churn probability of a hundred; null: not scored."""
    return {
        "id": rows.column("customer_id").to_pylist(),
        "segment": positions(rows, "segment", members["segment"]),
        "lifecycle": positions(rows, "lifecycle", members["lifecycle"]),
        "risk": pc.round(pc.multiply(rows.column("churn_probability"), 100)).cast(pa.int64()).to_pylist(),
        "band": positions(rows, "risk_band", members["risk_band"]),
    }


def _details(rows: pa.Table, members: Mapping[str, Sequence[str]], as_of: date) -> dict[str, list[Any]]:
    """`days` of next orders: after the as-of date."""
    columns: dict[str, list[Any]] = {"email": rows.column("email").to_pylist()}
    for name in _AMOUNTS:
        columns[name] = pc.round(rows.column(name).cast(pa.float64())).cast(pa.int64()).to_pylist()
    for name in _DAYS:
        days = pc.subtract(rows.column(name).cast(pa.date32()).cast(pa.int32()), as_of.toordinal() - _EPOCH)
        columns[name] = days.to_pylist()
    for name in _TEXTS:
        texts = rows.column(name).cast(pa.string()).combine_chunks().dictionary_encode()
        columns[name], columns[f"{name}_texts"] = texts.indices.to_pylist(), texts.dictionary.to_pylist()
    contact = pc.if_else(
        rows.column("may_be_contacted"), 0, pc.if_else(pc.fill_null(rows.column("opted_out"), False), 1, 2)
    )
    columns["contact"] = contact.to_pylist()
    return columns | {name: positions(rows, name, members[name]) for name in ("country", "channel")}


_EPOCH = date(1970, 1, 1).toordinal()


def _of_the_detailed(query: str) -> str:
    """The query with `wanted`: the customers who may have details, by their position from 0."""
    return f"""with wanted as (
            select customer_id, row_number() over (order by {_BY_VALUE}) - 1 as position
            from {_most_valuable(MAX_DETAILED)} as most_valuable
        ) {query}"""


def _orders(warehouse: Warehouse, as_of: date) -> dict[str, np.ndarray[Any, Any]]:
    """Purchases of each customer, the first one first. `days`: before the as-of date, then from each to the next;
    `amount`: in hundredths, net of what was sent back by then."""
    rows = warehouse.read(
        _of_the_detailed(
            f"""select wanted.position, purchases.purchased_on, cast(purchases.net_amount * 100 as bigint) as amount
            from intermediate.int_purchases as purchases
            inner join wanted on purchases.customer_id = wanted.customer_id
            where purchases.known_from <= '{as_of}' and purchases.known_until > '{as_of}' and purchases.net_amount > 0
            order by wanted.position, purchases.purchased_on"""
        )
    )
    of = rows.column("position").cast(pa.int64()).to_numpy()
    ago = as_of.toordinal() - _EPOCH - rows.column("purchased_on").cast(pa.date32()).cast(pa.int32()).to_numpy()
    is_later = np.diff(of, prepend=-1) == 0
    days = np.where(is_later, np.roll(ago, 1) - ago, ago)
    return {"of": of, "days": days, "amount": rows.column("amount").cast(pa.int64()).to_numpy()}


def _campaigns(warehouse: Warehouse, as_of: date) -> dict[str, np.ndarray[Any, Any]]:
    """The campaigns that each customer was in: the arm, and whether a message was sent."""
    rows = warehouse.read(
        _of_the_detailed(
            f"""select wanted.position, targets.campaign, min(targets.arm) as arm, max(targets.variant) as variant,
                max(case when sends.result = 'sent' then 1 else 0 end) as was_sent
            from {TARGETS} as targets {IDENTITIES}
            inner join {CAMPAIGNS} as launched on targets.campaign = launched.campaign
            inner join wanted on {PERSON} = wanted.customer_id
            left join {SENDS} as sends
                on targets.campaign = sends.campaign and targets.customer_id = sends.customer_id
            where launched.launched_on <= '{as_of}'
            group by wanted.position, targets.campaign, launched.launched_on
            order by wanted.position, launched.launched_on, targets.campaign"""
        )
    )
    columns = {name: np.array(rows.column(name).to_pylist(), dtype=object) for name in ("campaign", "arm", "variant")}
    return {
        "of": rows.column("position").cast(pa.int64()).to_numpy(), **columns,
        "was_sent": rows.column("was_sent").cast(pa.int64()).to_numpy(),
    }  # fmt: skip


def _first(columns: Mapping[str, np.ndarray[Any, Any]], customers: int) -> dict[str, list[Any]]:
    """Those of the first customers; instead of `of`, how many each has."""
    end = int(np.searchsorted(columns["of"], customers))
    counts = np.bincount(columns["of"][:end], minlength=customers)
    return {"count": counts.tolist()} | {
        name: column[:end].tolist() for name, column in columns.items() if name != "of"
    }
