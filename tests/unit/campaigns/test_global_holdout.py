"""What all campaigns changed, from the purchases of a warehouse into its mart: once a quarter."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.marts.global_holdout import read_newest
from flows.adapters.marts.staged_orders import AsOf
from flows.campaigns.assignment import in_global_holdout
from flows.settings import Settings
from flows.steps.measurement import measure_together

FIRST, QUARTER_END, SHARE, CUSTOMERS = date(2026, 1, 10), date(2026, 3, 31), 0.3, 2_000
IDS = [f"C{number}" for number in range(CUSTOMERS)]
IS_HELD_OUT = in_global_holdout(IDS, SHARE)


@pytest.fixture
def shop(tmp_path):
    """Every customer has bought once before; in the quarter 40 % of those who could be contacted buy for 10, and 20 %
    of the others."""
    whole = Settings(data_dir=tmp_path)
    warehouse = DuckDBWarehouse(whole.warehouse_file, whole.scratch)
    draw = np.random.default_rng(1).random(CUSTOMERS)
    buys = draw < np.where(IS_HELD_OUT, 0.2, 0.4)
    days = [date(2025, 6, 1)] * CUSTOMERS + [date(2026, 2, 1)] * int(buys.sum())
    count = len(days)
    purchases = pa.table(
        {
            "customer_id": [*IDS, *np.array(IDS)[buys]],
            "purchased_on": days,
            "known_from": days,
            "known_until": [date(9999, 12, 31)] * count,
            "net_amount": np.full(count, 10.0),
        }
    )
    late = "'C0', '2026-04-01', '2026-04-01', '9999-12-31', 5000"
    new = "'new', '2026-02-01', '2026-02-01', '9999-12-31', 7000"
    sent_back = "'C1', '2026-02-02', '2026-02-02', '2026-02-09', 9000"
    with warehouse.connect() as con:
        con.register("purchases", purchases)
        con.execute(f"""
            create schema marts;
            create schema intermediate;
            create table intermediate.int_purchases as from purchases;
            insert into intermediate.int_purchases values ({late}), ({new}), ({sent_back});
            create table marts.campaigns as
                select campaign, launched_on::date as launched_on, share::double as global_holdout, currency
                from (values ('spring', '{FIRST}', {SHARE}, 'EUR'), ('second', '2026-02-20', {SHARE}, 'EUR'),
                    ('old', '2025-12-01', null, 'EUR'), ('swiss', '2026-02-01', 0.01, 'CHF'))
                    as t(campaign, launched_on, share, currency);
            create table marts.campaign_results as
                select campaign, 'all' as segment, window_ends_on::date as window_ends_on, cost::double as cost
                from (values ('spring', '2026-02-09', 100), ('second', '2026-04-20', 999))
                    as t(campaign, window_ends_on, cost);
        """)
        con.execute("""create table marts.global_holdout_results (period_starts_on date, period_ends_on date,
            campaigns bigint, cost double, customers bigint, held_out bigint, customer_rate double,
            held_out_rate double, lift double, lift_low double, lift_high double, additional_buyers double,
            additional_buyers_low double, additional_buyers_high double, revenue_per_customer double,
            revenue_per_customer_low double, revenue_per_customer_high double, incremental_revenue double,
            incremental_revenue_low double, incremental_revenue_high double, sample_ratio_p double,
            currency varchar)""")
    return warehouse


def measure(shop, day, currency="EUR"):
    measure_together.fn(shop, AsOf(day, currency, None, 90, "", customers=CUSTOMERS))
    return read_newest(shop, day)


def test_a_quarter_is_measured_when_it_has_ended(shop):
    assert measure(shop, QUARTER_END - timedelta(1)) is None
    row = measure(shop, QUARTER_END)
    assert (row["period_starts_on"], row["period_ends_on"]) == (FIRST + timedelta(1), QUARTER_END)
    assert (row["customers"], row["held_out"]) == (int((~IS_HELD_OUT).sum()), int(IS_HELD_OUT.sum()))
    assert row["lift_low"] < 0.2 < row["lift_high"]
    assert row["revenue_per_customer"] == pytest.approx(10 * row["lift"], abs=0.01)  # no late, new or returned purchase
    assert row["incremental_revenue"] == pytest.approx(row["customers"] * row["revenue_per_customer"])
    assert row["additional_buyers"] == pytest.approx(row["customers"] * row["lift"])


def test_its_campaigns_are_those_launched_in_it_and_cost_what_has_been_measured_by_then(shop):
    row = measure(shop, QUARTER_END)
    assert (row["campaigns"], row["cost"], row["currency"]) == (2, 100, "EUR")


def test_it_is_looked_at_once(shop):
    before = measure(shop, QUARTER_END)
    shop.change("-", ["delete from intermediate.int_purchases where purchased_on = '2026-02-01'"])
    assert measure(shop, QUARTER_END + timedelta(40)) == before


def test_an_earlier_day_does_not_see_it(shop):
    measure(shop, QUARTER_END)
    assert read_newest(shop, QUARTER_END - timedelta(1)) is None


def test_without_a_campaign_with_a_global_holdout_there_is_nothing_to_measure(shop):
    shop.change("-", ["update marts.campaigns set global_holdout = 0"])
    assert measure(shop, QUARTER_END) is None
