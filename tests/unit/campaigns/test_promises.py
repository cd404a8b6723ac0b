"""The ledger: what was promised is written down once, and what came next to it once it is due."""

from datetime import date, timedelta

import pytest

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.marts.promises import (
    RELATION,
    read_corrections,
    read_totals,
    read_track_record,
    settle_forecasts,
    state_campaigns,
    state_forecasts,
)
from flows.adapters.marts.staged_orders import AsOf
from flows.churn.past_forecasts import UNCORRECTED, Correction, Corrections
from flows.settings import Settings

TODAY, HORIZON_DAYS, CLV_DAYS = date(2026, 3, 31), 60, 365
DUE, CLV_DUE = TODAY + timedelta(HORIZON_DAYS), TODAY + timedelta(CLV_DAYS)


def of_day(day):
    return AsOf(day, "EUR", None, HORIZON_DAYS, "", customers=2)


@pytest.fixture
def shop(tmp_path):
    """Two customers who are expected to spend 30 and 10, and a campaign that promised 100 with its correction."""
    whole = Settings(data_dir=tmp_path)
    warehouse = DuckDBWarehouse(whole.warehouse_file, whole.scratch)
    profit = ", ".join(
        f"{value}::double as {name}_profit{end}"
        for name, values in {"expected": (100, 50, 150), "uncorrected": (120, 70, 170)}.items()
        for end, value in zip(("", "_low", "_high"), values, strict=True)
    )
    with warehouse.connect() as con:
        con.execute(f"""
            create schema marts;
            create schema intermediate;
            create table marts.churn_predictions as
                select customer_id, 'batch' as source, date '{TODAY}' as as_of_date, {HORIZON_DAYS} as horizon_days,
                    {CLV_DAYS} as clv_days, spend::double as expected_spend, loss::double as expected_loss,
                    clv::double as clv
                from (values ('A', 30, 5, 100), ('B', 10, 7, 50)) as t(customer_id, spend, loss, clv);
            create table intermediate.int_purchases as
                select customer_id, purchased_on::date as purchased_on, purchased_on::date as known_from,
                    known_until::date as known_until, amount::double as net_amount
                from (values
                    ('A', '{TODAY}', '9999-12-31', 1_000), ('A', '{TODAY + timedelta(1)}', '9999-12-31', 20),
                    ('B', '{DUE}', '9999-12-31', 5), ('B', '{DUE + timedelta(1)}', '9999-12-31', 40),
                    ('B', '{TODAY + timedelta(2)}', '{TODAY + timedelta(9)}', 300), ('new', '{DUE}', '9999-12-31', 70)
                ) as t(customer_id, purchased_on, known_until, amount);
            create table marts.campaigns as select 'spring' as campaign, date '{TODAY}' as launched_on,
                date '{DUE}' as window_ends_on, 80 as treated, 'EUR' as currency, {profit};
            create table marts.campaign_results (campaign varchar, segment varchar, is_sample_ratio_off boolean,
                profit double, profit_low double, profit_high double);
        """)
        columns = ", ".join(
            f"{name}{end} double" for name in ("promised", "uncorrected", "came") for end in ("", "_low", "_high")
        )
        con.execute(f"""create table {RELATION} (kind varchar, subject varchar, stated_on date, due_on date,
            customers bigint, {columns}, spend_if_all_stay double, currency varchar)""")
    return warehouse


def ledger(shop, kind):
    return shop.read(f"from {RELATION} where kind = '{kind}' order by stated_on").to_pylist()


def measured(shop, profit=80, is_off=False):
    shop.change("-", [f"insert into marts.campaign_results values ('spring', 'all', {is_off}, {profit}, 0, 160)"])
    state_campaigns(shop, DUE)


def test_forecasts_are_written_down_with_what_is_due_when(shop):
    state_forecasts(shop, of_day(TODAY), (35.0, 47.0), UNCORRECTED)
    (spend,), (loss,) = ledger(shop, "expected_spend"), ledger(shop, "expected_loss")
    assert (spend["promised"], spend["promised_low"], spend["promised_high"]) == (40, 35, 47)
    assert (spend["customers"], spend["due_on"], spend["came"]) == (2, DUE, None)
    assert (loss["promised"], loss["due_on"], loss["spend_if_all_stay"]) == (12, CLV_DUE, 162)


def test_a_forecast_is_written_down_as_it_was_corrected_and_without_that(shop):
    tenth_less = Correction(0.9, 0.02, 4, 0.2)
    state_forecasts(shop, of_day(TODAY), (35.0, 47.0), Corrections(tenth_less, tenth_less))
    (spend,), (loss,) = ledger(shop, "expected_spend"), ledger(shop, "expected_loss")
    assert (spend["promised"], spend["uncorrected"]) == (pytest.approx(36), 40)
    assert (spend["uncorrected_low"], spend["uncorrected_high"]) == (35, 47)
    assert spend["promised_low"] < 0.9 * 35
    assert 0.9 * 47 < spend["promised_high"] < 47
    assert (loss["promised"], loss["uncorrected"]) == (pytest.approx(162 - 0.9 * 150), 12)


def test_forecasts_that_came_due_correct_the_next_by_what_they_were_without_their_own_correction(shop):
    for n in range(4):
        day = TODAY - timedelta((n + 1) * HORIZON_DAYS)
        shop.change("-", [f"""insert into {RELATION} by name select 'expected_spend' as kind, 'all' as subject,
            date '{day}' as stated_on, date '{day + timedelta(HORIZON_DAYS)}' as due_on, 'EUR' as currency,
            90 as promised, 120 as uncorrected, 100 as came"""])  # fmt: skip
    found = read_corrections(shop, TODAY, "EUR")
    assert found.spend.forecasts == 4
    assert found.spend.too_high == pytest.approx(0.2)
    assert 100 / 120 < found.spend.factor < 0.95
    assert found.clv == UNCORRECTED.clv
    assert read_corrections(shop, TODAY, "CHF") == UNCORRECTED
    assert read_corrections(shop, TODAY - timedelta(2 * HORIZON_DAYS), "EUR").spend.forecasts == 2


def test_an_expected_loss_corrects_by_the_clv_beside_it(shop):
    """They would have spent 400 and were expected to spend 300; they spent 270."""
    for n in range(4):
        day = TODAY - timedelta((n + 1) * CLV_DAYS)
        shop.change("-", [f"""insert into {RELATION} by name select 'expected_loss' as kind, 'all' as subject,
            date '{day}' as stated_on, date '{day + timedelta(CLV_DAYS)}' as due_on, 'EUR' as currency,
            100 as promised, 400 as spend_if_all_stay, 130 as came"""])  # fmt: skip
    found = read_corrections(shop, TODAY, "EUR")
    assert found.clv.too_high == pytest.approx(30 / 270)
    assert 270 / 300 < found.clv.factor < 1
    assert found.expected_loss(300, 100) == pytest.approx(400 - 300 * found.clv.factor)


def test_a_forecast_of_every_day_is_written_down_once_in_four_weeks(shop):
    for days in (0, 1, 27, 28):
        day = TODAY + timedelta(days)
        shop.change("-", [f"update marts.churn_predictions set as_of_date = '{day}'"])
        state_forecasts(shop, of_day(day), None, UNCORRECTED)
    assert [row["stated_on"] for row in ledger(shop, "expected_spend")] == [TODAY, TODAY + timedelta(28)]


def test_a_run_that_is_repeated_changes_nothing(shop):
    for _ in range(2):
        state_forecasts(shop, of_day(TODAY), None, UNCORRECTED)
        settle_forecasts(shop, CLV_DUE)
    assert len(ledger(shop, "expected_spend")) == 1


def test_what_came_of_a_forecast_is_what_its_customers_spent_until_it_was_due(shop):
    state_forecasts(shop, of_day(TODAY), None, UNCORRECTED)
    settle_forecasts(shop, DUE - timedelta(1))
    assert ledger(shop, "expected_spend")[0]["came"] is None
    settle_forecasts(shop, DUE)
    assert ledger(shop, "expected_spend")[0]["came"] == 25
    assert ledger(shop, "expected_loss")[0]["came"] is None
    settle_forecasts(shop, CLV_DUE)
    assert ledger(shop, "expected_loss")[0]["came"] == 162 - 65


def test_a_campaign_is_settled_with_the_profit_that_was_measured(shop):
    state_campaigns(shop, TODAY)
    assert ledger(shop, "campaign_profit")[0]["came"] is None
    measured(shop)
    (row,) = ledger(shop, "campaign_profit")
    assert (row["promised"], row["uncorrected"], row["came"], row["came_high"]) == (100, 120, 80, 160)


def test_the_record_has_what_is_due_in_this_currency_and_could_be_measured(shop):
    measured(shop)
    (kept,) = read_track_record(shop, DUE, "EUR").promises
    assert (kept.treated, kept.promised, kept.uncorrected, kept.came) == (80, 100, 120, 80)
    assert not read_track_record(shop, DUE - timedelta(1), "EUR").promises
    assert not read_track_record(shop, DUE, "CHF").promises


def test_a_campaign_whose_arms_are_not_as_drawn_is_in_no_record(shop):
    measured(shop, is_off=True)
    assert not read_track_record(shop, DUE, "EUR").promises


def test_totals_say_how_far_off_promises_of_each_kind_were(shop):
    state_forecasts(shop, of_day(TODAY), None, UNCORRECTED)
    measured(shop)
    settle_forecasts(shop, DUE)
    profit, spend = read_totals(shop, DUE, "EUR")
    assert (profit["kind"], profit["promises"], profit["deviation"]) == ("campaign_profit", 1, pytest.approx(0.25))
    assert (spend["kind"], spend["deviation"]) == ("expected_spend", pytest.approx(0.6))
