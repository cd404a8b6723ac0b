from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from flows.churn.backtest import HELD_OUT_DATES, run_backtest
from flows.churn.candidates import BASELINES, CANDIDATES
from flows.churn.season import Season
from flows.churn.selection import select, train_selected
from flows.errors import TooLittleData
from functions.churn_api.scorer import day_of_year
from tests.examples.snapshots import made_up_snapshots

MONTHS = [date(2025, month, 1) for month in range(1, 9)]
TWO_YEARS = [date(2023 + month // 12, month % 12 + 1, 1) for month in range(24)]


@pytest.fixture(scope="module")
def backtest():
    return run_backtest(made_up_snapshots(MONTHS, 250))


def test_a_model_is_tested_only_on_dates_after_all_that_it_learned_from(backtest):
    assert len(backtest.held_out) == HELD_OUT_DATES
    for held_out in backtest.held_out:
        assert set(held_out.customers.dates.tolist()) == {held_out.day}
        assert all(day + timedelta(days=60) <= held_out.day for day in held_out.trained_on)


def test_baselines_and_candidates_are_compared_on_the_same_customers(backtest):
    assert set(backtest.qualities) == {*BASELINES, *CANDIDATES}
    assert {q.customers for qualities in backtest.qualities_of_all.values() for q in qualities} == {250}


def test_quality_is_measured_first_on_customers_who_could_still_be_kept(backtest):
    for held_out in backtest.held_out:
        can_be_kept = held_out.customers.column("recency_days") <= 2 * 60
        assert 100 < can_be_kept.sum() < 250
        assert {quality.customers for quality in held_out.qualities.values()} == {can_be_kept.sum()}


def test_a_date_on_which_nobody_who_could_be_kept_left_tests_nothing():
    data = made_up_snapshots(MONTHS, 250)
    with pytest.raises(TooLittleData, match="last order is not older than 120 days"):
        run_backtest(replace(data, churned=data.column("recency_days") > 120))


def test_the_season_of_the_year_before_is_followed_where_there_is_one():
    busy = made_up_snapshots(TWO_YEARS, 300, busy_months=(10, 11), seed=2)
    backtest = run_backtest(busy)
    assert backtest.seasonal
    assert backtest.season_gain > 0
    newest = backtest.newest
    october = next(h for h in backtest.held_out if h.day.month == 10)
    assert newest.models.keys() == CANDIDATES.keys()
    for name, model in october.models.items():
        assert model.shift < -0.5, name
        predicted, left = october.probability[name].mean(), october.customers.churned.mean()
        assert predicted == pytest.approx(left, abs=0.06), name


def test_a_model_that_is_kept_follows_the_season_of_the_day_it_is_used_on():
    busy = made_up_snapshots(TWO_YEARS, 300, busy_months=(10, 11), seed=2)
    trained_on, used_on = date(2024, 7, 1), date(2024, 10, 1)
    past = busy.known_by(trained_on)
    backtest = run_backtest(past)
    kept = train_selected(past, backtest, select(backtest), trained_on)
    used = kept.as_of(np.array([day_of_year(used_on)]))
    then = busy.at([used_on])
    off = {model: abs(m.churn_probability(then.features).mean() - then.churned.mean())
           for model, m in {"kept": kept, "used": used}.items()}  # fmt: skip
    assert off["used"] < 0.06 < off["kept"]


def test_a_model_expects_orders_as_late_in_the_horizon_as_they_came_a_year_before():
    data = made_up_snapshots(TWO_YEARS, 300, seed=2)
    before_christmas = np.isin(data.dates, np.array(["2023-10-01", "2024-10-01"], dtype="datetime64[D]"))
    late = np.ceil(20 + data.days_to_next_purchase * 2 / 3)
    data = replace(data, days_to_next_purchase=np.where(before_christmas, late, data.days_to_next_purchase))
    past = data.known_by(date(2024, 9, 1))
    backtest = run_backtest(past)
    model = train_selected(past, backtest, select(backtest), date(2024, 9, 1)).in_season(past, date(2024, 10, 1))
    then = data.at([date(2024, 10, 1)])
    then = then.where(~then.churned)
    off = [
        abs((then.days_to_next_purchase <= np.ceil(of.next_order_days(then.features)[:, 3])).mean() - 0.5)
        for of in (model, replace(model, log_haste=0.0))
    ]
    assert off[0] < 0.15 < off[1]


def test_a_model_of_a_young_shop_knows_no_season_on_any_day(backtest):
    model = train_selected(made_up_snapshots(MONTHS, 250), backtest, select(backtest), date(2025, 1, 1))
    assert not model.season.log_odds.any()
    assert not model.season.log_spend.any()
    assert not model.season.log_haste.any()


def test_between_two_days_a_season_is_a_straight_line_also_across_the_new_year():
    season = Season.between({11: (1.0, 0.0, 0.0), 357: (0.0, 2.0, -4.0)})
    assert season.log_odds[[11, 357]].tolist() == [1, 0]
    assert season.log_odds[[362, 367 - 1, 1]] == pytest.approx([0.25, 0.45, 0.5])
    assert season.log_spend[184] == pytest.approx(1)
    assert season.log_haste[184] == pytest.approx(-2)


def test_a_year_that_was_unlike_is_not_followed():
    data = made_up_snapshots(TWO_YEARS, 300)
    last_autumn = np.isin(data.dates, np.array([date(2023, m, 1) for m in (9, 10, 11, 12)], dtype="datetime64[D]"))
    churned = np.where(last_autumn, np.random.default_rng(1).random(len(data)) < 0.95, data.churned)
    backtest = run_backtest(replace(data, churned=churned))
    assert backtest.season_gain < 0
    assert not backtest.seasonal


def test_without_a_year_before_there_is_no_season_to_follow(backtest):
    assert backtest.season_gain is None
    assert not backtest.seasonal


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (made_up_snapshots([], 0), "history is shorter"),
        (made_up_snapshots(MONTHS[:2], 300), "history is shorter"),
        (made_up_snapshots(MONTHS, 150), "150 customers had bought .* needs 200"),
        (made_up_snapshots(MONTHS, 300, always=True), "who stayed"),
        (made_up_snapshots(MONTHS, 300, always=False), "who left"),
    ],
)
def test_too_little_data_is_said_with_what_is_missing(data, message):
    with pytest.raises(TooLittleData, match=message):
        run_backtest(data)
