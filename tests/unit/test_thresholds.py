"""Alerts by threshold: with the figure and the link, and each once."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.settings import Settings
from flows.steps import thresholds

TODAY = date(2026, 3, 31)
THEN = TODAY - timedelta(days=29)
AT = datetime(2026, 3, 31, 5, tzinfo=UTC)
LINK = "https://example.com/page"


@pytest.fixture
def warehouse(tmp_path):
    """Segments whose expected loss was 100 each a month before: At risk has 130 now, Loyal 120, Lost 1 of .5."""
    warehouse = DuckDBWarehouse(tmp_path / "warehouse.duckdb", tmp_path / "tmp")
    with warehouse.connect() as con:
        con.execute(f"""
            create schema marts;
            create table marts.marketing_customers as
                select * from (values
                    ('A', 'At risk', 'At risk', 130.0), ('L', 'Loyal', 'Loyal', 120.0), ('N', 'Loyal', null, 3.0),
                    ('X', 'Lost', 'Lost', 1.0)
                ) as given (customer_id, segment, previous_segment, expected_loss);
            create table marts.churn_predictions as
                select *, 'batch' as source, 60 as horizon_days, as_of_date as scored_at
                from (values
                    ('A', date '{THEN}', 100.0), ('L', date '{THEN}', 100.0), ('X', date '{THEN}', 0.5),
                    ('A', date '{TODAY - timedelta(days=60)}', 1.0), ('A', date '{TODAY}', 130.0)
                ) as given (customer_id, as_of_date, expected_loss)""")
    return warehouse


def report(rejected=0, lines=1_000):
    rejections = [SimpleNamespace(kind="order_lines", rows=rejected), SimpleNamespace(kind="contacts", rows=900)]
    return SimpleNamespace(
        model=object(), as_of=SimpleNamespace(date=TODAY, horizon_days=60, currency="EUR"), order_lines=lines,
        receipt=SimpleNamespace(rejections=rejections),
    )  # fmt: skip


@pytest.fixture
def told(warehouse, tmp_path, monkeypatch, caplog):
    """told(report, at, **settings): the warnings of a run."""
    monkeypatch.setattr(thresholds, "read_campaigns", lambda *_: campaigns)
    campaigns = []

    def run(of, at=AT, **given):
        caplog.clear()
        settings = Settings(data_dir=tmp_path, **{"orders": "orders.csv", "page_link": LINK, **given})
        thresholds.tell_thresholds(warehouse, settings, of, at)
        return [record.getMessage() for record in caplog.records]

    run.campaigns = campaigns
    return run


def test_a_segment_whose_expected_loss_is_up_is_told_once_in_a_month(told):
    (said,) = told(report())
    assert said == (
        "the expected loss of At risk is €130, 30% more than on 2026-03-02 (€100; LOSS_UP_ALERT=0.25)"
        " https://example.com/page"
    )
    assert told(report()) == []
    assert [text.split(" is ")[0] for text in told(report(), loss_up_alert=0.1)] == ["the expected loss of Loyal"]


def test_without_a_run_of_about_a_month_before_nothing_is_compared(told, warehouse):
    with warehouse.connect() as con:
        con.execute(f"delete from marts.churn_predictions where as_of_date = '{THEN}'")
    assert told(report()) == []


def test_rejected_rows_of_orders_are_told_again_only_where_there_are_as_many_again(told):
    told(report())
    assert told(report(rejected=20)) == []
    (said,) = told(report(rejected=30))
    assert said.startswith("30 of 1,000 rows were rejected, 3.0% (REJECTED_ALERT=0.02): raw.rejected_rows")
    assert told(report(rejected=35)) == []
    assert len(told(report(rejected=41))) == 1
    assert len(told(report(rejected=41), at=datetime(2026, 4, 1, tzinfo=UTC))) == 1


def test_a_campaign_whose_window_has_ended_is_told_once_with_what_it_changed_or_what_it_would_take(told):
    told(report())
    for name, needed in (("spring", None), ("winter", "a control group")):
        told.campaigns.append(
            SimpleNamespace(campaign=name, window_ends_on=TODAY, says="it brought more buyers", needed=needed)
        )
    spring, winter = told(report())
    assert spring == f"the window of spring ended on {TODAY}: it brought more buyers {LINK}"
    assert "(it would take a control group)" in winter
    assert told(report()) == []


@pytest.mark.parametrize("given", [{"as_of": TODAY}, {"orders": None}])
def test_a_past_day_and_a_simulated_shop_tell_nothing(told, given):
    assert told(report(rejected=500), **given) == []
