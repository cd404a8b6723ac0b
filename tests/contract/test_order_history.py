"""Features that the API computes from orders are those that dbt computes from the same orders."""
# ruff: noqa: DTZ001  the shop's local time has no zone

import json
import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from functions.churn_api.contract import FEATURE_NAMES, feature_parts
from functions.churn_api.customer_features import CustomerFeatures
from functions.churn_api.order_history import NotInHistory, Order, features_from_orders
from tests.examples.simulated_snapshots import PURCHASES, build, staged

AS_OF, HORIZON_DAYS = date(2026, 6, 30), 90
MODELS = {
    "staging": ("stg_shop__sold_and_returned",),
    "intermediate": ("int_order_lines", "int_named_returns", "int_returns", "int_purchases"),
    "marts": ("customer_features",),
}


@pytest.fixture(scope="module")
def dbt(tmp_path_factory):
    """features_by_dbt(histories): rows of customer_features by customer, computed by the SQL that dbt compiled."""
    folder = tmp_path_factory.mktemp("compiled")
    lines = pa.Table.from_pylist([line("nobody", 0, Order(ordered_at=datetime(2026, 1, 1), amount=1))])
    database = staged(lines, folder)
    build(database, (*PURCHASES, "customer_features"), {"as_of_date": str(AS_OF), "horizon_days": HORIZON_DAYS})
    compiled = folder / "dbt" / "compiled" / "rfm_churn" / "models"
    with duckdb.connect() as con:
        con.execute(f"attach ':memory:' as {database.stem}")
        con.execute(f"create schema {database.stem}.staging")
        con.execute(f"create table {database.stem}.staging.stg_shop__order_lines ({COLUMNS})")
        for schema, names in MODELS.items():
            con.execute(f"create schema if not exists {database.stem}.{schema}")
            for name in names:
                (file,) = compiled.glob(f"{schema}/**/{name}.sql")
                sql = file.read_text()
                con.execute(f"create view {database.stem}.{schema}.{name} as {sql}")

        def features_by_dbt(histories):
            con.execute(f"delete from {database.stem}.staging.stg_shop__order_lines")
            drawn = [
                line(customer, position, order)
                for customer, orders in histories.items()
                for position, order in enumerate(orders)
            ]
            con.register("drawn", pa.Table.from_pylist(drawn, schema=DRAWN))
            con.execute(f"insert into {database.stem}.staging.stg_shop__order_lines by name {STAGED}")
            rows = con.sql(f"from {database.stem}.marts.customer_features").to_arrow_table().to_pylist()
            return {row["customer_id"]: [row[name] for name in FEATURE_NAMES] for row in rows}

        yield features_by_dbt


COLUMNS = """source_name varchar, order_line_key varchar, order_id varchar, customer_id varchar, email varchar,
    sku varchar, ordered_at timestamp, ordered_on date, quantity decimal(18, 4), amount decimal(18, 2),
    is_return boolean, currency varchar, country varchar, channel varchar"""
# the expressions of stg_shop__order_lines_validated, for what an API caller sends
STAGED = """
    with read as (
        select *, cast(cast(amount_text as decimal(18, 4)) as decimal(18, 2)) as signed_amount from drawn
    )
    select order_line_key, coalesce(given_order_id, customer_id || ' ' || ordered_at::date::varchar) as order_id,
        customer_id, sku, ordered_at, ordered_at::date as ordered_on, 1::decimal(18, 4) as quantity,
        abs(signed_amount) as amount, signed_amount < 0 as is_return
    from read where signed_amount <> 0
"""
DRAWN = pa.schema(
    {
        "order_line_key": pa.string(),
        "given_order_id": pa.string(),
        "customer_id": pa.string(),
        "sku": pa.string(),
        "ordered_at": pa.timestamp("us"),
        "amount_text": pa.string(),
    }
)


def line(customer, position, order):
    return {
        "order_line_key": f"{customer} {position:012}",
        "given_order_id": order.order_id,
        "customer_id": customer,
        "sku": order.sku,
        "ordered_at": order.ordered_at,
        "amount_text": str(order.amount),
        # of the first, empty build only
        "order_id": order.order_id or "1",
        "quantity": 1,
        "amount": float(order.amount),
        "currency": "EUR",
        "country": None,
        "channel": None,
    }


# on, before and after the edge of every window that a feature looks back through
_WINDOWS = {int(days) for kind in ("purchases", "spend") for days in feature_parts(f"{kind}_last_{{}}_days")}
_WINDOWS |= {times * int(days) for days in feature_parts("trend_{}_days") for times in (1, 2)}
EDGES = sorted(age for days in _WINDOWS for age in (days - 1, days, days + 1))
# few days, products and amounts, so that returns find sales and ties happen; and some of everything else
moments = st.one_of(
    st.integers(0, 40).map(lambda hours: datetime(2026, 6, 30, 23) - timedelta(hours=11 * hours)),
    st.sampled_from(EDGES).map(lambda age: datetime(2026, 6, 30, 12) - timedelta(days=age)),
    st.datetimes(datetime(2019, 1, 1), datetime(2026, 6, 30, 23, 59, 59)),
)
amounts = st.one_of(
    st.sampled_from(["10", "20", "-10", "-20", "0.00495", "-0.0049", "0"]),
    st.decimals("-500", "500", places=6).map(str),
)
orders = st.builds(
    Order,
    ordered_at=moments,
    amount=amounts.map(Decimal),
    order_id=st.sampled_from([None, None, "A", "B", "C", "D"]),
    sku=st.sampled_from([None, "tea", "pot"]),
)
histories = st.lists(st.lists(orders, min_size=1, max_size=14), min_size=1, max_size=12).map(
    lambda drawn: {f"C{number:03}": history for number, history in enumerate(drawn)}
)


def features_by_api(histories):
    found = {}
    for customer, history in histories.items():
        try:
            found[customer] = features_from_orders(history, AS_OF, HORIZON_DAYS)
        except NotInHistory:
            continue
    return found


# failing examples are small already: without shrinking, a failure is reported in seconds
@settings(max_examples=100, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(histories=histories)
@example(histories={"C1": [Order(ordered_at=datetime(2026, 6, 30), amount=5)]})
@example(
    histories={  # on the edges of the same weeks of earlier years; equal gaps; products and none
        f"C{edge} {sku}": [
            Order(ordered_at=datetime(2026, 6, 30) - timedelta(days), amount=5, sku=sku)
            for days in (edge, edge + 365, edge + 365, edge + 730)
        ]
        for edge in (274, 275, 276, 364, 365, 366)
        for sku in (None, "tea")
    }
)
@example(histories={f"C{age}": [Order(ordered_at=datetime(2026, 6, 30) - timedelta(age), amount=5)] for age in EDGES})
@example(
    histories={
        # two returns of one sale, one of them larger than what is left of it; a sale of the same moment
        "C1": [
            Order(ordered_at=datetime(2026, 5, 1, 10), amount=20, sku="tea"),
            Order(ordered_at=datetime(2026, 5, 1, 10), amount=20, sku="tea", order_id="A"),
            Order(ordered_at=datetime(2026, 5, 2), amount=-20, sku="tea"),
            Order(ordered_at=datetime(2026, 5, 3), amount=-15, sku="tea", order_id="A"),
            Order(ordered_at=datetime(2026, 6, 3), amount=7),
        ]
    }
)
@example(
    histories={
        # returns that name nothing: larger than the latest purchase, twice in a moment, before anything was bought,
        # and of an order that another one takes back by name later
        "C1": [
            Order(ordered_at=datetime(2026, 4, 1), amount=-3),
            Order(ordered_at=datetime(2026, 4, 2), amount=50, order_id="A", sku="tea"),
            Order(ordered_at=datetime(2026, 5, 1), amount=20, order_id="B"),
            Order(ordered_at=datetime(2026, 5, 9), amount=-20, order_id="R1"),
            Order(ordered_at=datetime(2026, 5, 9), amount=-20, order_id="R2"),
            Order(ordered_at=datetime(2026, 5, 20), amount=30, order_id="C"),
            Order(ordered_at=datetime(2026, 5, 21), amount=-35, order_id="R3"),
            Order(ordered_at=datetime(2026, 5, 22), amount=-50, order_id="A"),
            Order(ordered_at=datetime(2026, 5, 23), amount=25),
        ]
    }
)
def test_sql_and_python_compute_the_same_features(dbt, histories):
    by_dbt, by_api = dbt(histories), features_by_api(histories)
    assert by_api.keys() == by_dbt.keys()
    for customer, features in by_dbt.items():
        for name, in_sql, in_python in zip(FEATURE_NAMES, features, by_api[customer], strict=True):
            in_sql = math.nan if in_sql is None else in_sql
            assert in_python == pytest.approx(in_sql, rel=1e-6, abs=1e-6, nan_ok=True), (name, histories[customer])


@given(history=st.lists(orders, min_size=1, max_size=14))
def test_features_from_orders_fit_the_contract(history):
    try:
        features = features_from_orders(history, AS_OF, HORIZON_DAYS)
    except NotInHistory:
        return
    known = {n: None if math.isnan(v) else v for n, v in zip(FEATURE_NAMES, features, strict=True)}
    CustomerFeatures.model_validate(known)


def test_an_order_after_the_as_of_date_is_refused_by_its_place():
    history = [Order(ordered_at=day, amount=5) for day in (datetime(2026, 6, 1), datetime(2026, 7, 1))]
    with pytest.raises(NotInHistory, match="2026-07-01 is after") as refused:
        features_from_orders(history, AS_OF, HORIZON_DAYS)
    assert refused.value.where == ("orders", 1, "ordered_at")


def test_a_moment_with_an_offset_is_counted_on_the_shops_day():
    late = [Order(ordered_at=datetime(2026, 6, 29, 23, 30, tzinfo=UTC), amount=5)]
    recency = FEATURE_NAMES.index("recency_days")
    assert features_from_orders(late, AS_OF, HORIZON_DAYS)[recency] == 1
    assert features_from_orders(late, AS_OF, HORIZON_DAYS, ZoneInfo("Europe/Paris"))[recency] == 0


def test_what_was_sent_back_whole_is_no_purchase():
    history = [
        Order(ordered_at=datetime(2026, 6, 1), amount=5, order_id="A"),
        Order(ordered_at=datetime(2026, 6, 2), amount=-5, order_id="A"),
    ]
    with pytest.raises(NotInHistory, match="no purchase is left"):
        features_from_orders(history, AS_OF, HORIZON_DAYS)
    assert json.dumps(features_from_orders(history[:1], AS_OF, HORIZON_DAYS))
