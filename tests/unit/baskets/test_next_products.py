"""What customers are shown next, and what never."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from flows.baskets import backtest, methods
from flows.baskets.affinities import Affinity, brings_back, last_bought_by, most_telling
from flows.baskets.due import buyers_of
from flows.baskets.evaluation import NextBaskets, quality_of, quality_of_ranks
from flows.baskets.methods import FREQUENCY, METHODS, POPULARITY, Method, Ranked, Shop, rank
from flows.baskets.next_products import Catalogue, next_products, products_change_too_fast
from flows.baskets.purchases import Purchases
from flows.baskets.reasons import describe
from tests.unit.baskets.shops import TODAY, purchases, shop_of_habits

BLEND = Method("blend", own=1.0, co_purchase=0.3, popularity=0.1, half_life_days=180)
TEA_EVERY_MONTH = [("ann", "tea", ago) for ago in (40, 70, 100, 130)]
LAMP_ONCE = [(f"c{n}", "lamp", 5 + n) for n in range(60)]
TEA_OF_OTHERS = [(f"c{n}", "tea", ago) for n in range(40) for ago in (10, 41, 72)]


def shown(bought: Purchases, method: Method, customer: str) -> list[str]:
    shop = Shop.at(bought, TODAY, 90)
    place = bought.customer_ids.to_pylist().index(customer)
    [block] = rank(shop, method, np.array([place]))
    return bought.products.take(pa.array(block.product)).to_pylist()


def test_lines_in_another_order_or_repeated_say_the_same():
    one, other = purchases(TEA_EVERY_MONTH + LAMP_ONCE), purchases([*reversed(TEA_EVERY_MONTH + LAMP_ONCE), *LAMP_ONCE])
    assert one.products == other.products
    for name in ("customer", "product", "day"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


def test_a_product_that_nobody_buys_any_more_is_not_shown():
    gone = [("ann", "old tea", ago) for ago in (100, 130, 160)]
    assert shown(purchases(TEA_EVERY_MONTH + gone + TEA_OF_OTHERS), FREQUENCY, "ann") == ["tea"]


def test_a_product_that_is_bought_once_is_not_shown_to_those_who_have_it():
    bought = purchases(TEA_EVERY_MONTH + TEA_OF_OTHERS + LAMP_ONCE)
    assert "lamp" not in shown(bought, BLEND, "c3")
    assert "lamp" in shown(bought, BLEND, "ann")


def test_what_is_due_comes_before_what_was_just_bought():
    both = [(f"c{n}", product, ago) for n in range(40) for product in ("tea", "soap") for ago in (10, 40, 70)]
    of_ann = [*(("ann", "soap", ago) for ago in (2, 32, 62)), *(("ann", "tea", ago) for ago in (31, 61, 91))]
    bought = purchases([*both, *of_ann])
    assert shown(bought, Method("recent", own=1.0, half_life_days=180), "ann") == ["soap", "tea"]
    assert shown(bought, Method("due", own=1.0, half_life_days=180, due=0.3), "ann") == ["tea", "soap"]


def test_what_goes_with_ones_own_comes_before_what_is_as_popular():
    both = [(f"b{n}", product, 20) for n in range(20) for product in ("pot", "cup")]
    others = [(f"o{n}", product, 20) for n in range(20) for product in ("pen", "ink")]
    assert shown(purchases([*both, *others, ("ann", "pot", 30)]), BLEND, "ann")[0] == "cup"


def test_nobody_is_shown_a_product_twice_and_scores_fall():
    bought = purchases(shop_of_habits())
    for method in METHODS:
        for block in rank(Shop.at(bought, TODAY, 90), method, np.arange(len(bought.customer_ids))):
            of = np.flatnonzero(block.customer == 7)
            assert len(set(block.product[of])) == len(of) == 5
            assert all(before >= after for before, after in pairwise(block.score[of]))
            assert list(block.rank[of]) == [1, 2, 3, 4, 5]


def test_blocks_of_any_size_rank_alike(monkeypatch):
    bought = purchases(shop_of_habits(customers=120))
    whole = pa.concat_tables(next_products(bought, TODAY, 90, bought.customer_ids).blocks)
    for name, size in (("CUSTOMERS_AT_A_TIME", 17), ("CUSTOMERS_TO_COMPARE", 5), ("PRODUCTS_AT_A_TIME", 7)):
        monkeypatch.setattr(methods, name, size)
    parts = pa.concat_tables(next_products(bought, TODAY, 90, bought.customer_ids).blocks)
    assert parts.drop_columns(["score"]) == whole.drop_columns(["score"])


def test_only_who_is_asked_for_is_shown_products():
    bought = purchases(shop_of_habits(customers=50))
    table = pa.concat_tables(next_products(bought, TODAY, 90, pa.array(["c007", "c011", "never bought"])).blocks)
    assert sorted(set(table["customer_id"].to_pylist())) == ["c007", "c011"]


def test_a_shop_of_habits_is_ranked_by_them():
    chosen = backtest.choose(purchases(shop_of_habits()), TODAY, 90)
    assert chosen.method.own == 1.0
    assert chosen.quality is not None
    assert chosen.quality.recall_at_5 > 2 * chosen.beside[POPULARITY.name].recall_at_5


def test_the_newest_date_chooses_nothing():
    bought = shop_of_habits()
    without = [row for row in bought if row[2] >= 90]
    same = backtest.choose(purchases(bought), TODAY, 90)
    other = backtest.choose(purchases(without + [(f"c{n:03}", "p00", 5) for n in range(300)]), TODAY, 90)
    assert (other.method, other.compared) == (same.method, same.compared)
    assert other.quality != same.quality


def test_a_young_shop_has_a_method_and_no_figures():
    chosen = backtest.choose(purchases(TEA_OF_OTHERS), TODAY, 90)
    assert chosen.method == methods.DEFAULT
    assert (chosen.quality, chosen.tested_on, chosen.compared) == (None, None, {})


def test_a_shop_in_which_nothing_was_bought_has_no_rows():
    nobody = purchases([])
    assert list(next_products(nobody, TODAY, 90, nobody.customer_ids).blocks) == []
    assert not products_change_too_fast(nobody, TODAY, 90)


def test_quality_is_that_of_the_first_basket_after_the_day():
    bought = purchases(
        [("ann", "tea", 200), ("ann", "tea", 80), ("ann", "cup", 80), ("ann", "pot", 70), ("new", "tea", 5)]
    )
    baskets = NextBaskets.after(bought, TODAY - 90, 90)
    names = bought.products.to_pylist()
    assert [names[pair % len(names)] for pair in baskets.bought] == ["cup", "tea"]
    order = np.array([names.index(name) for name in ("pot", "tea")])
    ranked = Ranked(np.zeros(2, np.int64), order, np.array([1, 2]), *(np.ones(2),) * 4)
    quality = quality_of_ranks([ranked], baskets, len(names))
    ideal = 1 + 1 / np.log2(3)
    assert (quality.customers, quality.recall_at_5, quality.hit_rate_at_5) == (1, 0.5, 1.0)
    assert quality.ndcg_at_10 == pytest.approx((1 / np.log2(3)) / ideal)


def test_a_ranking_of_the_past_knows_nothing_of_later():
    bought = shop_of_habits()
    day, known = TODAY - 90, purchases([row for row in bought if row[2] >= 90])
    everything = purchases(bought)
    baskets = NextBaskets.after(everything, day, 90)
    shop = Shop.at(everything, day, 90)
    before = [
        everything.products.take(pa.array(block.product)).to_pylist() for block in rank(shop, BLEND, baskets.customers)
    ]
    at_the_time = Shop.at(known, day, 90)
    then = [
        known.products.take(pa.array(block.product)).to_pylist()
        for block in rank(at_the_time, BLEND, baskets.customers)
    ]
    assert before == then
    assert quality_of(shop, BLEND, baskets).customers == len(baskets.customers)


@pytest.mark.parametrize(
    ("bought", "method", "reason"),
    [
        (TEA_EVERY_MONTH + TEA_OF_OTHERS, FREQUENCY, "bought every 4 weeks, last 6 weeks ago"),
        ([("ann", "tea", 120), *TEA_OF_OTHERS], FREQUENCY, "bought once, 4 months ago"),
        ([("ann", "tea", 91 + n) for n in range(3)] + TEA_OF_OTHERS, FREQUENCY, "bought every day, last 3 months ago"),
        ([("ann", "pot", 30), *((f"b{n}", product, 20) for n in range(20) for product in ("pot", "cup"))], BLEND,
         "others who bought pot buy it too"),
        ([("ann", "pot", 30), *TEA_OF_OTHERS], POPULARITY, "popular: bought by 98 % of those who bought in 90 days"),
    ],
)  # fmt: skip
def test_a_reason_has_the_customers_own_figures(bought, method, reason):
    bought = purchases(bought)
    shop = Shop.at(bought, TODAY, 90)
    [block] = rank(shop, method, np.array([bought.customer_ids.to_pylist().index("ann")]))
    assert describe(shop, method, block, 90, bought.products).to_pylist()[0] == reason


def test_what_is_not_active_is_shown_to_nobody_and_a_reason_calls_products_by_their_names():
    # nothing can be tested yet, so the method is a blend
    both = [(f"b{n}", product, 20) for n in range(40) for product in ("pot", "cup", "pan")]
    bought = purchases([*both, ("ann", "pot", 20)])
    catalogue = Catalogue({"pot": "Teapot, blue"}, frozenset({"cup", "never sold"}))
    everyone = next_products(bought, TODAY, 90, bought.customer_ids, catalogue)
    rows = pa.concat_tables(everyone.blocks).to_pylist()
    [row] = rows  # all others have everything that is left
    assert (row["customer_id"], row["product"]) == ("ann", "pan")
    assert row["reason"] == "others who bought Teapot, blue buy it too"
    without = next_products(bought, TODAY, 90, bought.customer_ids)
    assert set(pa.concat_tables(without.blocks)["product"].to_pylist()) == {"cup", "pan"}
    assert everyone.chosen == without.chosen  # at past dates it was sold


def test_a_category_is_inactive_where_all_of_its_products_are():
    catalogue = Catalogue({"pot": "Teapot"}, frozenset({"pot", "cup", "unknown"}))
    of = catalogue.of_categories(["pot", "cup", "pan", "lamp"], {"pot": "tea", "cup": "tea", "pan": "kitchen"})
    assert of == Catalogue({}, frozenset({"tea"}))
    assert catalogue.of_categories(["pot", "pan"], {"pot": "all", "pan": "all"}).inactive == frozenset()


def test_who_is_due_has_waited_nearly_as_long_as_they_usually_do():
    monthly = [(f"c{n}", "tea", ago) for n in range(20) for ago in (15, 45, 75)]
    late = [("late", "tea", ago) for ago in (28, 58, 88)]
    slow = [("slow", "tea", ago) for ago in (40, 140, 240)]
    once = [("long ago", "tea", 60), ("lately", "tea", 5)]
    bought = purchases([*monthly, *late, *slow, *once])
    assert len(buyers_of(bought, TODAY, due=False)) == 24
    assert buyers_of(bought, TODAY, due=True).to_pylist() == ["late", "long ago"]
    assert len(buyers_of(purchases(LAMP_ONCE), TODAY, due=True)) == 0


def test_products_change_too_fast_where_most_were_never_sold_before_or_hardly_anybody_buys_the_same():
    fashion = [(f"c{n}", f"{season} {n % 5}", season) for n in range(60) for season in (10, 100, 190)]
    unique = [(f"c{n}", f"piece {n} {ago}", ago) for n in range(60) for ago in (10, 100)]
    assert products_change_too_fast(purchases(fashion), TODAY, 90)
    assert products_change_too_fast(purchases(unique), TODAY, 90)
    assert not products_change_too_fast(purchases(shop_of_habits()), TODAY, 90)


def test_what_leavers_bought_last_is_compared_with_everybodys_last_basket():
    gone = [(f"g{n}", product, ago) for n in range(40) for product, ago in (("tea", 300), ("lamp", 200))]
    active = [(f"a{n}", product, ago) for n in range(60) for product, ago in (("lamp", 300), ("tea", 20))]
    bought = purchases([*gone, *active])
    is_gone = np.array([name.startswith("g") for name in bought.customer_ids.to_pylist()])
    [lamp] = last_bought_by(bought, is_gone)
    assert lamp == Affinity("lamp", 40, 1.0, 0.4, 40)
    assert lamp.is_clear


def test_what_brings_back_is_what_those_began_with_who_ordered_again_in_time():
    back = [(f"b{n}", product, ago) for n in range(30) for product, ago in (("tea", 300), ("pot", 250))]
    too_late = [(f"l{n}", product, ago) for n in range(30) for product, ago in (("lamp", 300), ("pot", 100))]
    too_new = [(f"n{n}", "lamp", 20) for n in range(30)]
    found = most_telling(brings_back(purchases([*back, *too_late, *too_new]), TODAY, 90), 10)
    assert sorted(found, key=lambda row: row.name) == [
        Affinity("lamp", 30, 0.0, 0.5, 30),
        Affinity("tea", 30, 1.0, 0.5, 30),
    ]


def test_in_a_shop_where_products_say_nothing_of_leaving_no_difference_is_clear():
    bought = purchases(shop_of_habits(customers=600))
    by_lot = np.random.default_rng(3).random(len(bought.customer_ids)) < 0.4
    found = [*last_bought_by(bought, by_lot), *brings_back(bought, TODAY, 90)]
    assert len(found) > 20
    assert [row for row in found if row.is_clear] == []
