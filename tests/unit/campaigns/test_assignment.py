import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from flows.campaigns.assignment import draws, in_global_holdout, in_holdout, rank_within

IDS = np.array([f"C{n:06d}" for n in range(20_000)], dtype=object)


def strata(ids):
    return np.array([f"segment {hash_of % 7}" for hash_of in (int(i[1:]) * 7919 for i in ids)], dtype=object)


def test_draws_are_evenly_spread_and_salts_are_independent():
    first, second = draws("spring", IDS), draws("summer", IDS)
    assert stats.kstest(first, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03


def test_a_draw_is_the_same_tomorrow_and_with_other_customers():
    assert draws("spring", ["C000042"])[0] == draws("spring", IDS)[42]
    assert draws("spring", ["C000042"])[0] == pytest.approx(0.9913926411344526)  # written down: it must never change


@given(
    st.lists(st.sampled_from("abcde"), min_size=1, max_size=200),
    st.floats(0, 0.9),
    st.text("xyz", min_size=1, max_size=5),
)
def test_each_stratum_holds_out_its_share_to_within_one_customer(names, share, salt):
    of = np.array(names, dtype=object)
    ids = np.array([str(n) for n in range(len(of))], dtype=object)
    out = in_holdout(of, ids, salt, share)
    for name in set(names):
        size = (of == name).sum()
        assert abs(out[of == name].sum() - size * share) < 1 + 1e-9


@given(st.integers(1, 40), st.floats(0.05, 0.9))
def test_an_arm_does_not_depend_on_the_order_in_which_customers_come(seed, share):
    ids, of = IDS[:300], strata(IDS[:300])
    shuffled = np.random.default_rng(seed).permutation(300)
    assert (
        in_holdout(of, ids, "spring", share)[shuffled] == in_holdout(of[shuffled], ids[shuffled], "spring", share)
    ).all()


def test_small_strata_together_have_a_holdout_of_the_right_share():
    pairs = np.repeat(np.array([f"pair {n}" for n in range(5_000)], dtype=object), 2)
    assert in_holdout(pairs, IDS[:10_000], "spring", 0.2).mean() == pytest.approx(0.2, abs=0.01)


def test_rank_within_counts_from_zero_in_every_stratum():
    place, size = rank_within(np.array(["a", "b", "a", "a"], dtype=object), np.array([0.5, 0.9, 0.1, 0.7]))
    assert place.tolist() == [1, 0, 0, 2]
    assert size.tolist() == [3, 1, 3, 3]


def test_a_larger_global_holdout_keeps_everybody_of_the_smaller_one():
    small, large = in_global_holdout(IDS, 0.05), in_global_holdout(IDS, 0.1)
    assert small.mean() == pytest.approx(0.05, abs=0.01)
    assert (large | ~small).all()


def test_the_global_holdout_has_nothing_to_do_with_a_campaigns_arms():
    never, out = in_global_holdout(IDS, 0.1), in_holdout(strata(IDS), IDS, "spring", 0.3)
    assert out[never].mean() == pytest.approx(0.3, abs=0.03)
