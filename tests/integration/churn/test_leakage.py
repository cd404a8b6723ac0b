"""Features of a past date know nothing of later days, and the test that says so notices when they do."""

import shutil
from datetime import timedelta

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from flows.simulator.shop import ShopProfile, simulate
from functions.churn_api.contract import FEATURE_NAMES
from tests.examples.simulated_snapshots import DBT_PROJECT, PURCHASES, build, staged

pytestmark = pytest.mark.whole_run

HORIZON_DAYS = 60
PROFILE = ShopProfile(customers=250, seed=3, days=500, rate_scale_days=20, share_of_orders_returned=0.2)


@pytest.fixture(scope="module")
def lines():
    return simulate(PROFILE).order_lines


def leaking_features(lines, project, folder):
    """Features that a training snapshot has otherwise than a run of that day on what the shop had exported by then."""
    run_values = {"as_of_date": str(PROFILE.last_day), "horizon_days": HORIZON_DAYS}
    variables = {"training_snapshots": 4}
    whole = staged(lines, folder / "whole")
    build(
        whole,
        (*PURCHASES, "segment_borders", "int_training_dates", "int_training_snapshots"),
        run_values,
        variables,
        project,
    )
    with duckdb.connect(whole) as con:
        ((day,),) = con.sql("select max(as_of_date) from intermediate.int_training_snapshots").fetchall()
        later = con.sql(
            f"select {', '.join(FEATURE_NAMES)} from intermediate.int_training_snapshots"
            f" where as_of_date = '{day}' order by customer_id"
        ).to_arrow_table()
    by_then = lines.filter(pc.less(lines.column("ordered_at").cast(pa.date32()), day + timedelta(days=1)))
    cut = staged(by_then, folder / "cut")
    build(cut, (*PURCHASES, "customer_features"), run_values | {"as_of_date": str(day)}, variables, project)
    with duckdb.connect(cut) as con:
        on_the_day = con.sql(
            f"select {', '.join(FEATURE_NAMES)} from marts.customer_features order by customer_id"
        ).to_arrow_table()
    assert on_the_day.num_rows > 80
    return {name for name in FEATURE_NAMES if not later.column(name).equals(on_the_day.column(name))}


def test_the_features_of_a_past_date_are_those_of_a_run_on_that_date(lines, tmp_path):
    assert leaking_features(lines, DBT_PROJECT, tmp_path) == set()


@pytest.mark.parametrize(
    ("written", "instead", "noticed"),
    [
        # a window that reaches one day ahead
        ("purchases.known_from <= dates.as_of_date", "purchases.known_from <= dates.as_of_date + 1", "frequency"),
        # a window anchored at the end of the data
        ("days_between('purchases.purchased_on', 'dates.as_of_date')",
         "days_between('purchases.purchased_on', as_of_date())", "recency_days"),
        # a later return that is known before it happens
        ("and purchases.known_until > dates.as_of_date",
         "and purchases.known_until = '9999-12-31' and dates.as_of_date = dates.as_of_date", "monetary"),
    ],
    ids=["one day ahead", "anchored at the end", "later returns"],
)  # fmt: skip
def test_a_feature_that_knows_the_future_is_noticed(lines, tmp_path, written, instead, noticed):
    project = tmp_path / "dbt_project"
    shutil.copytree(DBT_PROJECT, project)
    macro = project / "macros" / "features" / "purchases_known_at.sql"
    text = macro.read_text()
    assert written in text
    macro.write_text(text.replace(written, instead))
    assert noticed in leaking_features(lines, project, tmp_path)
