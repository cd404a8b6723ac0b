"""Two shops in one data folder are told apart by what they sold, and a shop that is read differently is not two."""

import random

import duckdb
import pytest

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.marts.last_run import overlap_with_last_run


def shop(seed, customers=range(100), days=range(365), orders=500):
    """(customer, day, amount) of each order."""
    draw = random.Random(seed)
    return [(str(draw.choice(customers)), draw.choice(days), draw.randrange(100, 10_000) / 100) for _ in range(orders)]


@pytest.fixture
def warehouse(tmp_path):
    return DuckDBWarehouse(tmp_path / "warehouse.duckdb", tmp_path)


def is_of_another_shop(warehouse, before, now):
    with duckdb.connect(warehouse.file) as con:
        con.execute("create schema intermediate; create schema staging")
        for name, orders in (("before", before), ("now", now)):
            con.execute(f"create temp table {name} (customer_id varchar, day integer, amount decimal(18, 2))")
            con.executemany(f"insert into {name} values (?, ?, ?)", orders)
        con.execute(
            """create table intermediate.int_purchases as
            select customer_id, date '2024-01-01' + day as purchased_on, sum(amount) as gross_amount,
                date '9999-12-31' as known_until
            from before group by 1, 2"""
        )
        con.execute(
            """create table staging.stg_shop__order_lines as
            select customer_id, date '2024-01-01' + day as ordered_on, amount, false as is_return from now"""
        )
    overlap = overlap_with_last_run(warehouse)
    assert overlap is not None
    return overlap.is_of_another_shop


def test_the_first_run_has_nothing_to_compare_with(warehouse):
    assert overlap_with_last_run(warehouse) is None


@pytest.mark.parametrize(
    "now",
    [
        shop(1),
        shop(1) + shop(2, range(100, 120), range(365, 400), 50),  # a month later
        [(customer, day, amount) for customer, day, amount in shop(1) if day > 300],  # the last months alone
        [(f"{customer}@x.de", day, amount) for customer, day, amount in shop(1)],  # customers by address
        [(customer, (day * 7) % 365, amount) for customer, day, amount in shop(1)],  # days and months exchanged
        [(customer, day, amount * 100) for customer, day, amount in shop(1)],  # another decimal sign
        shop(2, range(40, 140), range(365, 400), 50),  # what was sold after
        shop(2, range(1_000, 1_010), range(365, 400), 15),  # too little to say
    ],
)
def test_the_same_shop_may_be_read_again_later_and_differently(warehouse, now):
    assert not is_of_another_shop(warehouse, shop(1), now)


@pytest.mark.parametrize(
    "now",
    [
        shop(2),  # with customers of the same numbers
        shop(2, range(1_000, 1_100)),
        shop(2, range(1_000, 1_100), range(400, 700)),  # at another time
    ],
)
def test_another_shop_is_known_by_its_sales(warehouse, now):
    assert is_of_another_shop(warehouse, shop(1), now)
