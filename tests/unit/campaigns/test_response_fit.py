from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from flows.campaigns.covariates import Columns, Known
from flows.campaigns.past_targets import PastTargets
from flows.campaigns.response_fit import STEPS, Contest, Fit, Responses, Stack, basket_of
from flows.campaigns.stepwise import ridge_residuals, stepwise
from tests.examples.campaign_worlds import BY_NAME, history, probabilities, shop

N = 4_000


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    with threadpool_limits(1, "blas"):
        yield


@pytest.fixture(scope="module")
def columns():
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((N, 8))
    matrix[:, 7] = 1.0  # the same for all
    return matrix


def world(name, seed=0):
    """Past targets, customers to choose from, and what contacting changes in the spend of each."""
    rng = np.random.default_rng([seed, 40])
    past, customers = PastTargets.of(history(BY_NAME[name], N, rng)), shop(N, rng)
    alone, contacted, factor = probabilities(BY_NAME[name], customers)
    return past, Known.of(customers, 30), (contacted * factor - alone) * customers["average_order_value"].to_numpy()


def stack_of(past):
    return Contest.of(past, np.random.default_rng(0)).stack(np.ones(N))


def additional_spend(past, known, stack):
    columns = Columns.of(past.known)
    return Fit.of(columns.matrix(past.known), past, np.ones(N), stack).additional_spend(columns.matrix(known), known)


def only(orders, baskets=0):
    return Stack(np.eye(len(STEPS) + 1)[orders], np.eye(len(STEPS) + 1)[baskets])


def test_a_sort_by_one_column_is_found_first_and_others_stay_out(columns):
    effect = 0.05 * columns[:, 3] + np.random.default_rng(1).standard_normal(N)
    none, few = stepwise(columns, effect[:, None], np.ones(N), (0, 3))[:, :, 0]
    assert none[0] == pytest.approx(effect.mean())
    assert not none[1:].any()
    assert np.flatnonzero(few[1:]).tolist() == [3]


def test_after_many_steps_the_slopes_are_those_of_a_regression(columns):
    effect = columns @ np.arange(8) + 5 + np.random.default_rng(1).standard_normal(N)
    (line,) = stepwise(columns, effect[:, None], np.ones(N), (600,))[:, :, 0]
    assert line[1:8] == pytest.approx(np.arange(7), abs=0.1)
    assert line[0] == pytest.approx(5 + 7, abs=0.1)  # of the column that is the same for all
    assert line[8] == 0


def test_cases_are_fitted_apart_and_rows_count_by_their_weight(columns):
    rng = np.random.default_rng(1)
    effects, weight = rng.standard_normal((N, 2)) + columns[:, :2], rng.integers(0, 3, N).astype(float)
    together = stepwise(columns, effects, weight, (12,))
    repeated = np.repeat(np.arange(N), weight.astype(int))
    for case in range(2):
        alone = stepwise(columns[repeated], effects[repeated, case : case + 1], np.ones(len(repeated)), (12,))
        assert together[:, :, case] == pytest.approx(alone[:, :, 0])


def test_residuals_are_what_columns_do_not_explain(columns):
    noise = np.random.default_rng(1).standard_normal(N)
    assert ridge_residuals(columns, 3 * columns[:, 0] + noise, np.ones(N)).std() == pytest.approx(1, abs=0.05)


def test_larger_baskets_are_seen_where_there_are_no_more_orders():
    past, known, true = world("baskets +25 %")
    stack = stack_of(past)
    assert stack.baskets[0] < 0.5
    with_term = additional_spend(past, known, stack)
    without = additional_spend(past, known, Stack(stack.orders, only(0).baskets))
    assert abs(with_term.mean() / true.mean() - 1) < abs(without.mean() / true.mean() - 1)
    best = int(N / 5)
    assert true[np.argsort(-with_term)[:best]].sum() > true[np.argsort(-without)[:best]].sum()


def test_the_second_term_stays_out_where_baskets_do_not_change():
    weights = [stack_of(world("+25 in a visible 5 %", seed)[0]).baskets[0] for seed in range(4)]
    assert np.mean(weights) > 0.4


def test_where_every_order_is_a_usual_basket_only_purchases_count():
    past, known, _ = world("everybody +3 points")
    same = replace(past, spend=past.purchased * basket_of(past.known, Responses.of(past).usual_order))
    assert np.isfinite(additional_spend(same, known, stack_of(same))).all()


def test_a_gradient_that_two_regressions_miss_is_found():
    """In several histories: those who waited long are moved, those who have just bought are put off."""
    best, gained = int(N / 5), []
    for seed in range(4):
        past, known, true = world("lapsing +6, just bought −5", seed)
        of_stack, of_two = (additional_spend(past, known, stack) for stack in (stack_of(past), only(len(STEPS))))
        gained.append([true[np.argsort(-each)[:best]].sum() for each in (of_stack, of_two)])
    ours, theirs = np.mean(gained, axis=0)
    assert ours > 1.05 * theirs


def test_who_is_resampled_moves_how_far_each_candidate_is_followed():
    contest = Contest.of(world("channel × orders")[0], np.random.default_rng(0))
    drawn = np.random.default_rng(1).exponential(1.0, N)
    one, other = contest.stack(np.ones(N)), contest.stack(drawn)
    for weights in (one.orders, one.baskets, other.orders, other.baskets):
        assert weights.sum() == pytest.approx(1)
    assert not np.allclose(one.orders, other.orders)
