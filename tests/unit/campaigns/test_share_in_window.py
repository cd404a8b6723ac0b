"""How many of those who buy within a horizon have by the end of a window: as it was in these weeks a year before."""

from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pytest

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.marts.campaign_tables import read_share_in_window

AS_OF = date(2026, 3, 31)
A_YEAR_BEFORE = AS_OF - timedelta(days=365)


def shop(tmp_path, purchases):
    """purchases: customer, and days from the day a year before."""
    rows = pa.table(
        {
            "customer_id": [who for who, _ in purchases],
            "purchased_on": pa.array([A_YEAR_BEFORE + timedelta(days=days) for _, days in purchases], pa.date32()),
        }
    )
    with duckdb.connect(tmp_path / "warehouse.duckdb") as con:
        con.register("rows", rows)
        con.execute(
            """create schema intermediate;
            create table intermediate.int_purchases as select *, 10.0 as net_amount, purchased_on as known_from,
                date '9999-12-31' as known_until from rows"""
        )
    return DuckDBWarehouse(tmp_path / "warehouse.duckdb", tmp_path / "tmp")


def test_it_is_counted_over_the_weeks_around_that_day_for_who_was_a_customer_then(tmp_path):
    known = [(who, -100) for who in ("soon", "late", "never")]
    warehouse = shop(tmp_path, [*known, ("soon", 30), ("late", 70), ("new", 30)])
    # of seven starts, three weeks before to three after, `soon` buys within 30 days of 4 and within 90 of all, `late`
    # within 90 of 6
    assert read_share_in_window(warehouse, AS_OF, 30, 90) == pytest.approx(4 / 13)
    assert read_share_in_window(warehouse, AS_OF, 90, 90) == 1


def test_a_shop_that_is_not_so_old_has_none(tmp_path):
    assert read_share_in_window(shop(tmp_path, [("young", 300), ("young", 320)]), AS_OF, 30, 90) is None
