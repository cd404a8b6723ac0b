"""Who to contact: share of the best possible profit that each way of ranking customers brings, on simulated shops.

A first campaign contacts customers at random and has a control group of one half. Three months later the same shop has
money for 10, 20 or 30 % of its customers. The profit of a list is the sum of the true expected profits of contacting
them. The best possible list is one that knows these profits, which nobody can: how willing customers are, whether they
have left, and whether they are about to buy anyway cannot be observed.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from flows.campaigns.covariates import Floats
from flows.campaigns.offer import Offer
from flows.campaigns.uplift import InsufficientData, fit_uplift
from flows.simulator.regimes import GIFT
from tests.benchmarks.measured import Figure
from tests.examples.simulated_campaigns import Campaigned, campaigned

CUSTOMERS, DAYS = 16_000, 3 * 365
SEEDS = (201, 202, 203, 204, 205)
LAUNCHED_ON, NEXT_ON = date(2026, 1, 1), date(2026, 4, 1)
TARGETS, HOLDOUT, WINDOW_DAYS = 8_000, 0.5, 30
MARGIN, OFFER = 0.4, Offer(text="Free delivery", cost_per_contact=0.5, cost_per_redemption=4)
BUDGETS = (0.1, 0.2, 0.3)
OURS, RANDOM = "uplift model", "by chance"
BY_COLUMN = {
    "churn risk first": "churn_probability",
    "spend first": "spend_last_365_days",
    "expected spend first": "expected_spend",
    "RFM score first": "rfm_score",
}


def measure(folder: Path) -> Iterator[Figure]:
    shops = []
    for seed in SEEDS:
        profile = replace(GIFT, customers=CUSTOMERS, days=DAYS, seed=seed)
        place = folder / str(seed)
        shops.append(campaigned(profile, place, LAUNCHED_ON, NEXT_ON, TARGETS, HOLDOUT, WINDOW_DAYS))
    shares = [_shares(shop) for shop in shops]
    for position, budget in enumerate(BUDGETS):
        of = {name: [shop[name][position] for shop in shares] for name in shares[0]}
        means = {name: float(np.mean(values)) for name, values in of.items()}
        others = {name: mean for name, mean in means.items() if name != OURS}
        yield Figure(
            f"profit of contacting {budget:.0%} of the customers, of the best possible, {len(shops)} shops",
            f"{means[OURS]:.0%} (single shops {min(of[OURS]):.0%} to {max(of[OURS]):.0%})",
            " · ".join(f"{name} {mean:.0%}" for name, mean in others.items()),
            "ahead of all",
            means[OURS] > max(others.values()),
        )
    profits = np.array([_true_profit(shop).mean() for shop in shops])
    yield Figure(
        "… profit of contacting everybody, per customer",
        f"{profits.mean():+.2f}",
        f"{min(profits):+.2f} to {max(profits):+.2f}",
    )


def _shares(shop: Campaigned) -> dict[str, list[float]]:
    """Of each ranking, for each of BUDGETS: profit of the list by that of the best possible list."""
    profit = _true_profit(shop)
    fitted = fit_uplift(shop.history)
    if isinstance(fitted, InsufficientData) or not fitted.beats_random:
        raise RuntimeError(f"there is too little to fit: {fitted.why}")
    scores = {OURS: fitted.expected_profit(shop.customers, MARGIN, OFFER, WINDOW_DAYS).mean}
    scores |= {name: shop.customers.column(column).to_numpy() for name, column in BY_COLUMN.items()}
    best = _profits(profit, profit)
    shares = {
        name: [float(p / b) for p, b in zip(_profits(profit, s), best, strict=True)] for name, s in scores.items()
    }
    by_chance = [float(budget * profit.sum() / b) for budget, b in zip(BUDGETS, best, strict=True)]
    return shares | {RANDOM: by_chance}


def _profits(profit: Floats, score: Floats) -> list[float]:
    """Of the customers with the highest scores, for each of BUDGETS."""
    in_order = profit[np.argsort(-score, kind="stable")]
    return [float(in_order[: int(budget * len(profit))].sum()) for budget in BUDGETS]


def _true_profit(shop: Campaigned) -> Floats:
    """Expected profit of contacting each customer, given what they do without contact."""
    truth = {name: shop.truth.column(name).to_numpy() for name in shop.truth.column_names if name != "customer_id"}
    additional = truth["expected_spend_treated"] - truth["spend_untreated"]
    profit: Floats = MARGIN * additional - OFFER.cost(truth["probability_bought_treated"])
    return profit
