"""What a list is promised, given what a model that was fitted to others predicts."""

import numpy as np
import pytest

from flows.campaigns.offer import Offer
from flows.campaigns.out_of_fold import FOLDS, OutOfFold
from flows.campaigns.past_targets import PastTargets
from tests.examples.campaign_worlds import BY_NAME, history, probabilities, shop

FREE, N = Offer(text="free"), 4_000
BEST_TENTH = np.linspace(0, 0.0999, 400)


def ranked_by(world, score, seed):
    """Past targets of a world, and their ranking by a score of each customer."""
    rng = np.random.default_rng(seed)
    past = PastTargets.of(history(world, N, rng))
    customers = shop(N, np.random.default_rng(seed))  # the same ones
    basket = customers["average_order_value"].to_numpy()
    alone, contacted, _ = probabilities(world, customers)
    fold = np.arange(N) % FOLDS
    return OutOfFold(past, fold, contacted, alone, basket, score(rng, (contacted - alone) * basket))


def over_as_many_by_lot(fold, places=BEST_TENTH):
    return fold.profit_of_list(0.4, FREE, places).mean - len(places) * fold.profit(0.4, FREE).mean()


def test_a_ranking_that_knows_nothing_is_mostly_promised_what_as_many_by_lot_would_bring():
    world = BY_NAME["no effect"]
    gains = [over_as_many_by_lot(ranked_by(world, lambda rng, _: rng.random(N), seed)) for seed in range(40)]
    assert np.mean(np.isclose(gains, 0, atol=1e-6)) > 0.5


def test_a_ranking_that_knows_who_responds_keeps_what_it_gains():
    world = BY_NAME["+25 in a visible 5 %"]
    kept, true = [], []
    for seed in range(10):
        ranked = ranked_by(world, lambda _, effect: effect, seed)
        kept.append(over_as_many_by_lot(ranked))
        effect = 0.4 * np.sort(ranked.additional_spend)[::-1]
        true.append(effect[: N // 10].sum() - 400 * effect.mean())
    assert np.mean(kept) == pytest.approx(np.mean(true), rel=0.25)
