"""The small model of a shop's products that the API ranks with: see `functions/churn_api/next_products.py`.

Customers alike cannot be served, because that takes the purchases of other customers: where the method that a run chose
looks at them, the best of the others is served."""

from datetime import date

import msgspec
import numpy as np

from flows.baskets.backtest import BETTER_BY, Chosen
from flows.baskets.methods import DEFAULT, DUE_GAPS_TO_TRUST, FILL, METHODS, POPULAR, Method, Shop
from flows.baskets.next_products import Catalogue
from flows.baskets.purchases import BOUGHT_ONCE_FOR_DAYS
from functions.churn_api import next_products as served

MAX_BYTES, MAX_PRODUCTS = 1_000_000, 2_000


def served_method(chosen: Chosen) -> Method:
    """The chosen method, or the best of those that need no other customers, by the rule of `backtest.choose`."""
    if not chosen.method.alike:
        return chosen.method
    candidates = [method for method in METHODS if not method.alike and method.name in chosen.compared]
    best = candidates[0] if candidates else DEFAULT
    for other in candidates[1:]:
        if chosen.compared[other.name] > BETTER_BY * chosen.compared[best.name]:
            best = other
    return best


def served_model(shop: Shop, method: Method, catalogue: Catalogue) -> bytes:
    """Of the most popular products, as many as MAX_PRODUCTS and MAX_BYTES allow, as JSON. Where these are all products
    that were ever bought, the API ranks exactly as `methods.rank` does with this method."""
    most = MAX_PRODUCTS
    while len(content := msgspec.json.encode(_model(shop, method, catalogue, most))) > MAX_BYTES:
        most = most * 4 // 5
    return content


def _model(shop: Shop, method: Method, catalogue: Catalogue, most: int) -> served.ProductModel:
    habits, everything = shop.habits, shop.purchases.products.to_pylist()
    buyers = np.bincount(shop.pairs.product, minlength=len(everything))
    first = np.lexsort((-buyers, -habits.popularity))[:most]
    kept = np.sort(first[buyers[first] > 0])
    near = shop.neighbours[kept][:, kept].tocsr()
    rows = list(zip(near.indptr[:-1], near.indptr[1:], strict=True))
    skus = [everything[place] for place in kept]
    popularity = habits.popularity / max(habits.popularity.max(initial=0.0), 1.0)
    popular = np.argsort(-popularity, kind="stable")[:POPULAR]
    is_popular = np.isin(kept, popular)
    weight = method.popularity or FILL
    return served.ProductModel(
        as_of=date.fromordinal(shop.as_of),
        method=served.Method(
            method.name, method.own, method.co_purchase, method.popularity, method.half_life_days, method.due,
            DUE_GAPS_TO_TRUST,
        ),
        bought_once_for_days=BOUGHT_ONCE_FOR_DAYS,
        skus=skus,
        names={sku: catalogue.names[sku] for sku in skus if sku in catalogue.names},
        is_sold=habits.is_in_catalogue[kept].tolist(),
        is_rebought=habits.is_rebought[kept].tolist(),
        gap_days=[None if np.isnan(days) else round(float(days), 4) for days in habits.gap_days[kept]],
        popularity=np.round(np.where(is_popular, popularity[kept] * weight, 0.0), 9).tolist(),
        near=[near.indices[start:end].tolist() for start, end in rows],
        nearness=[[round(float(value), 5) for value in near.data[start:end]] for start, end in rows],
    )  # fmt: skip


def no_model(as_of: date) -> bytes:
    """What stands in its place where nothing is served: orders name no products, or categories are ranked."""
    nothing = served.Method(DEFAULT.name, 0.0, 0.0, 0.0, None, 0.0, DUE_GAPS_TO_TRUST)
    return msgspec.json.encode(served.ProductModel(as_of, nothing, 0, [], {}, [], [], [], [], [], []))
