from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from flows.churn.backtest import run_backtest
from flows.churn.candidates import AVERAGED, CANDIDATES, TREES
from flows.churn.model_card import next_order_quality
from flows.churn.selection import gain_of, select, train_selected, waiting_time_of
from tests.examples.snapshots import made_up_snapshots

MONTHS = [date(2025, month, 1) for month in range(1, 9)]


@pytest.fixture(scope="module")
def data():
    return made_up_snapshots(MONTHS, 400)


@pytest.fixture(scope="module")
def backtest(data):
    return run_backtest(data)


def held_out(churned, keepable=None, **probability):
    ids = np.array([f"C{i}" for i in range(len(churned))], dtype=object)
    customers = SimpleNamespace(churned=churned, customer_ids=ids)
    keepable = np.ones(len(churned), bool) if keepable is None else keepable
    return SimpleNamespace(customers=customers, keepable=keepable, probability=probability)


def test_the_trees_are_kept_when_they_are_clearly_better():
    assert select(run_backtest(made_up_snapshots(MONTHS, 600, curved=True))).candidate == TREES


def test_a_simpler_model_is_kept_on_a_tie():
    churned = np.arange(400) % 3 == 0
    noise = np.random.default_rng(0).normal(0, 0.02, (2, 400))
    gain = gain_of("a", "b", [held_out(churned, a=0.33 + noise[0], b=0.33 + noise[1])])
    assert not gain.is_clear


def test_a_model_that_is_better_only_for_those_who_left_long_ago_gains_nothing():
    rng = np.random.default_rng(0)
    keepable, known = np.arange(400) < 200, rng.random(400)
    churned = (rng.random(400) < known) | ~keepable
    gain = gain_of("a", "b", [held_out(churned, keepable, a=np.where(keepable, known, 0.99), b=known)])
    assert gain.brier == 0


def test_a_base_rate_that_happens_to_fit_is_no_gain():
    rng = np.random.default_rng(0)
    truth = rng.beta(2, 2, 4000)
    churned = rng.random(4000) < truth
    off = truth**2 / (truth**2 + (1 - truth) * truth * 2)  # the same order, another base rate
    gain = gain_of("a", "b", [held_out(churned, a=truth, b=off)])
    assert gain.brier > 2 * gain.standard_error
    assert not gain.is_clear


def test_customers_in_several_dates_count_once():
    rng = np.random.default_rng(0)
    churned, a, b = rng.random(500) < 0.5, rng.random(500), rng.random(500)
    once, four_times = (gain_of("a", "b", [held_out(churned, a=a, b=b)] * n) for n in (1, 4))
    assert four_times.brier == pytest.approx(once.brier)
    assert four_times.standard_error == pytest.approx(once.standard_error)


def test_the_final_model_expects_the_total_that_the_backtest_found(data, backtest):
    selection = select(backtest)
    expected = sum(h.models[selection.candidate].expected_spend(h.customers.features).sum() for h in backtest.held_out)
    assert selection.spend.level * expected == pytest.approx(sum(h.customers.spend.sum() for h in backtest.held_out))
    model = train_selected(data, backtest, selection, date(2025, 10, 1))
    recent = data.newest(12)
    total = model.expected_spend(recent.features).sum()
    assert total == pytest.approx(selection.spend.level * recent.spend.sum())


def test_the_final_model_waits_as_customers_of_the_held_out_dates_did(data, backtest):
    selection = select(backtest)
    as_of = date(2025, 10, 1)
    model = train_selected(data, backtest, selection, as_of)
    assert model.waiting == waiting_time_of(selection.candidate, backtest.held_out) != waiting_time_of("", [])
    half = next_order_quality(backtest.held_out, selection.candidate, as_of)[1]
    assert half["came"] == pytest.approx(0.5, abs=0.05)


def test_days_to_the_next_order_are_those_of_the_nearest_day_and_none_is_over(backtest):
    (newest, *_) = backtest.held_out
    for model in newest.models.values():
        days = model.next_order_days(newest.customers.features)[:, :3]
        assert np.nanmin(np.ceil(days)) >= 1
        assert (np.diff(days, axis=1)[~np.isnan(days[:, 1:]).any(axis=1)] >= 0).all()


def test_the_day_if_they_come_back_is_known_of_everybody_and_right_for_half_of_those_who_do(data, backtest):
    model = train_selected(data, backtest, select(backtest), date(2025, 10, 1))
    customers = data.newest(4)
    if_back = np.ceil(model.next_order_days(customers.features)[:, 3])
    assert ((if_back >= 1) & (if_back <= data.horizon_days)).all()
    came = customers.days_to_next_purchase[~customers.churned] <= if_back[~customers.churned]
    assert came.mean() == pytest.approx(0.5, abs=0.06)


def test_candidates_are_ordered_from_simple_to_complex():
    assert [next(iter(CANDIDATES)), list(CANDIDATES)[-1]] == [AVERAGED, TREES]
