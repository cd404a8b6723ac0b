"""The lifecycle by month: what today's model says of each day's features, and never more customers than there were."""

from collections import Counter

import duckdb
import pytest

from flows.adapters.duckdb.scoring import register_predict_churn
from functions.churn_api.contract import FEATURE_NAMES
from functions.churn_api.scorer import Scorer

pytestmark = pytest.mark.whole_run

BY_SEGMENT = "select month_ends_on, segment, sum(customers) as customers from {} group by all order by all"


@pytest.fixture
def con(run):
    """The run's warehouse with its model."""
    with duckdb.connect(run.settings.warehouse_file, read_only=True) as con:
        register_predict_churn(con, Scorer.load(run.model.model.content))
        yield con


def compiled(run, name):
    [file] = (run.settings.data_dir / ".dbt" / "target" / "compiled").rglob(f"{name}.sql")
    return file.read_text()


def test_each_month_has_all_customers_of_each_segment_and_the_newest_is_that_of_now(con):
    months = con.execute(BY_SEGMENT.format("marts.monthly_customers")).fetchall()
    assert con.execute(BY_SEGMENT.format("marts.monthly_lifecycle")).fetchall() == months
    now = con.execute(
        """select segment, lifecycle, customers, scored_customers from marts.monthly_lifecycle
        where month_ends_on = (select max(month_ends_on) from marts.monthly_lifecycle) order by all"""
    ).fetchall()
    of_all = "select segment, lifecycle, count(*), count(*) from marts.marketing_customers group by all order by all"
    assert now == con.execute(of_all).fetchall()


def test_a_past_month_is_what_todays_model_says_of_the_features_of_then(run, con):
    """Features by the mart's own query as of that day, which the past of the table does not use."""
    of_now = compiled(run, "customer_features")
    for months_ago in (4, 15):
        [day] = con.execute(f"select cast(max(as_of_date) - interval {months_ago} month as date) from"
                            " marts.customer_features").fetchone()  # fmt: skip
        of_then = of_now.replace(f"(select cast('{run.as_of.date}' as date)", f"(select cast('{day}' as date)")
        assert of_then != of_now
        arguments = ", ".join(f"cast({name} as double)" for name in FEATURE_NAMES)
        scored = f"select predict_churn({arguments}, cast(dayofyear(as_of_date) as double)).lifecycle from ({of_then})"
        expected = Counter(stage for (stage,) in con.execute(scored).fetchall())
        found = con.execute(
            "select lifecycle, sum(customers) from marts.monthly_lifecycle where month_ends_on = $1 group by all", [day]
        ).fetchall()
        assert len(found) > 3
        assert dict(found) == expected


def test_months_of_a_sample_are_brought_up_to_all_customers_of_each_segment(run, con):
    half = compiled(run, "monthly_lifecycle").replace("< 'g'", "< '8'")  # whom md5 puts first
    found = con.sql(f"select * from ({half}) where month_ends_on < date '{run.as_of.date}'").to_arrow_table()
    con.register("found", found)
    scored, customers = con.execute("select sum(scored_customers), sum(customers) from found").fetchone()
    assert 0.35 < scored / customers < 0.65
    differences = con.execute(
        f"""select max(abs(found.customers - of_all.customers)) from ({BY_SEGMENT.format("found")}) as found
        inner join marts.monthly_customers as of_all using (month_ends_on, segment)"""
    ).fetchone()
    assert differences[0] == pytest.approx(0, abs=1e-9)
