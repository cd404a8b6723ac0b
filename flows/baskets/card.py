"""The metadata of a ranking of products, after Mitchell et al., Model Cards for Model Reporting (2019)."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from flows.baskets.backtest import BETTER_BY, Chosen
from flows.baskets.evaluation import Quality
from flows.baskets.methods import METHODS

INTENDED_USE = (
    "What to show a customer of this shop next, in a message or on a page. Not how likely they buy it: a score sorts"
    " the products of one customer. Whether showing them sells more takes a campaign with a control group."
)
LIMITS = (
    "Tested on what customers bought by themselves, which says what they like and not what a message changes.",
    "Knows purchases only: no views, no searches, no stock, no margin.",
    "A product that nobody has bought yet is shown to nobody.",
)


def next_products_card(
    chosen: Chosen, as_of: date, horizon_days: int, shop: str, products: int, *, by_category: bool
) -> dict[str, Any]:
    """A JSON-ready card. `quality` is of the newest date with a known horizon, which chose no method; None: too few
    have bought again for a test. `products`: how many products or, `by_category`, categories are known."""
    return {
        "ranks": "categories" if by_category else "products",
        "method": asdict(chosen.method),
        "intended_use": INTENDED_USE,
        "limits": list(LIMITS),
        "shop": shop,
        "as_of_date": str(as_of),
        "horizon_days": horizon_days,
        "known": products,
        "tested_on": str(date.fromordinal(chosen.tested_on)) if chosen.tested_on else None,
        "measured_on": "the first basket within the horizon of customers who had bought before",
        "quality": _rounded(chosen.quality),
        "beside": {name: _rounded(quality) for name, quality in chosen.beside.items()},
        "choice": {
            "rule": f"the simplest, unless a more complex one has an NDCG@10 that is {BETTER_BY - 1:.0%} better on"
            " earlier dates",
            "candidates": [method.name for method in METHODS],
            "ndcg_at_10": {name: round(value, 5) for name, value in chosen.compared.items()},
        },
    }


def _rounded(quality: Quality | None) -> Mapping[str, float] | None:
    if quality is None:
        return None
    return {name: value if name == "customers" else round(value, 5) for name, value in asdict(quality).items()}
