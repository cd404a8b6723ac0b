"""The model of products that the API ranks with: what it says is what the mart's method says."""

import msgspec
import numpy as np
import pytest

from flows.baskets import served_model as made
from flows.baskets.backtest import Chosen
from flows.baskets.methods import DEFAULT, METHODS, Shop, rank
from flows.baskets.next_products import Catalogue
from flows.baskets.served_model import no_model, served_method, served_model
from functions.churn_api.next_products import ProductModel, Shelf
from tests.unit.baskets.shops import AS_OF, TODAY, purchases, shop_of_habits

ONCE_AND_LEFT = [
    *((f"c{n:03}", "lamp", 5 + n) for n in range(60)),  # bought once, and not again
    *((f"c{n:03}", "old tea", ago) for n in range(40) for ago in (100, 130, 160)),  # not sold any more
]
SERVED = [method for method in METHODS if not method.alike]


def shelf_of(content):
    return Shelf(msgspec.json.decode(content, type=ProductModel))


def histories(bought):
    """By customer, the days on which they bought each product."""
    found = {}
    names = bought.products.to_pylist()
    for customer, product, day in zip(bought.customer, bought.product, bought.day, strict=True):
        days = found.setdefault(int(customer), {}).setdefault(names[product], [])
        days.append(AS_OF.fromordinal(int(day)))
    return found


@pytest.mark.parametrize("method", SERVED, ids=lambda method: method.name)
def test_the_api_ranks_a_history_as_the_mart_ranks_the_customer(method):
    bought = purchases([*shop_of_habits(customers=120), *ONCE_AND_LEFT])
    inactive = np.array([name == "p07" for name in bought.products.to_pylist()])
    shop = Shop.at(bought, TODAY, 90, inactive)
    shelf, theirs = shelf_of(served_model(shop, method, Catalogue())), histories(bought)
    ranked = {}
    for block in rank(shop, method, np.arange(len(bought.customer_ids))):
        for customer, product, score in zip(block.customer, block.product, block.score, strict=True):
            name = bought.products[int(product)].as_py()
            ranked.setdefault(int(customer), []).append((name, float(score)))
    assert len(ranked) == len(theirs) == len(bought.customer_ids)
    for customer, expected in ranked.items():
        served = [shown.sku for shown in shelf.rank(theirs[customer], AS_OF).products]
        scores = dict(expected)
        # equal scores may stand in either order: floats of 32 and 64 bits
        assert all(
            (name in scores and abs(scores[name] - score) < 1e-4) or abs(score - expected[-1][1]) < 1e-4
            for name, (_, score) in zip(served, expected, strict=True)
        ), (served, expected)


def test_what_is_inactive_or_not_sold_or_bought_once_and_owned_is_not_served():
    bought = purchases([*shop_of_habits(customers=120), *ONCE_AND_LEFT])
    inactive = np.array([name == "p07" for name in bought.products.to_pylist()])
    shelf = shelf_of(served_model(Shop.at(bought, TODAY, 90, inactive), DEFAULT, Catalogue()))
    for history in histories(bought).values():
        served = {shown.sku for shown in shelf.rank(history, AS_OF).products}
        assert not served & {"p07", "old tea"}
        assert "lamp" not in served or "lamp" not in history


def test_a_product_says_why_it_is_shown_and_what_it_is_called():
    both = [(f"b{n}", product, ago) for n in range(40) for product in ("pot", "cup") for ago in (20, 110, 200)]
    bought = purchases([*both, *((f"c{n}", "pen", 20) for n in range(90))])
    shelf = shelf_of(served_model(Shop.at(bought, TODAY, 90), DEFAULT, Catalogue({"cup": "Blue cup"})))
    shown = {one.sku: one for one in shelf.rank({"pot": [AS_OF.replace(month=3)]}, AS_OF).products}
    assert {sku: one.because for sku, one in shown.items()} == {
        "pot": "own_habit", "cup": "goes_with_own", "pen": "popular",
    }  # fmt: skip
    assert (shown["cup"].name, shown["pot"].name) == ("Blue cup", None)


def test_a_history_of_products_that_nobody_knows_is_answered_with_what_is_popular():
    shelf = shelf_of(served_model(Shop.at(purchases(shop_of_habits()), TODAY, 90), DEFAULT, Catalogue()))
    assert {shown.because for shown in shelf.rank({"unheard of": [AS_OF]}, AS_OF).products} == {"popular"}


def test_the_model_stays_below_a_megabyte_with_the_most_popular_products(monkeypatch):
    bought = purchases(shop_of_habits(customers=200, products=60))
    shop = Shop.at(bought, TODAY, 90)
    whole = served_model(shop, DEFAULT, Catalogue())
    monkeypatch.setattr(made, "MAX_BYTES", len(whole) // 3)
    small = served_model(shop, DEFAULT, Catalogue())
    assert len(small) <= len(whole) // 3
    kept = msgspec.json.decode(small, type=ProductModel).skus
    popularity = dict(zip(bought.products.to_pylist(), shop.habits.popularity, strict=True))
    assert min(popularity[sku] for sku in kept) >= max(popularity[sku] for sku in popularity if sku not in kept)


def test_where_the_chosen_method_looks_at_other_customers_the_best_of_the_rest_is_served():
    compared = {method.name: 0.1 for method in METHODS} | {"due and co-purchase": 0.2, METHODS[-1].name: 0.3}
    assert served_method(Chosen(METHODS[-1], None, None, {}, compared)).name == "due and co-purchase"
    assert served_method(Chosen(METHODS[2], None, None, {}, compared)) == METHODS[2]
    assert served_method(Chosen(METHODS[-1], None, None, {}, {})) == DEFAULT


def test_where_nothing_is_ranked_by_product_there_is_a_model_of_nothing():
    assert msgspec.json.decode(no_model(AS_OF), type=ProductModel).skus == []
