"""How often a campaign's intervals contain the truth, and how much the model's expectations narrow them.

Both outcomes of every customer of a simulated shop are known. A campaign draws its customers and its control group from
it; the truth is the mean over the whole shop.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from flows.campaigns.measurement import Difference, money_difference, rate_difference
from flows.simulator.regimes import GIFT
from tests.benchmarks.measured import Figure
from tests.examples.simulated_campaigns import campaigned

CAMPAIGNS, CUSTOMERS_OF_ONE, HELD_OUT = 500, 3_000, 0.3
LEARNT_ON, LAUNCHED_ON, WINDOW_DAYS = date(2026, 1, 1), date(2026, 4, 1), 30
MARGIN = 0.4


def measure(folder: Path) -> Iterator[Figure]:
    profile = replace(GIFT, customers=16_000, seed=301)
    shop = campaigned(profile, folder, LEARNT_ON, LAUNCHED_ON, 1_000, 0.5, WINDOW_DAYS)
    truth = {name: shop.truth.column(name).to_numpy() for name in shop.truth.column_names if name != "customer_id"}
    expected = np.column_stack(
        [
            shop.customers.column(name).to_numpy()
            for name in ("churn_probability", "expected_spend", "spend_last_period")
        ]
    )
    for effect in ("with an effect", "without any"):
        treated = "treated" if effect == "with an effect" else "untreated"
        bought = truth["bought_untreated"], truth[f"bought_{treated}"]
        money = MARGIN * truth["spend_untreated"], MARGIN * truth[f"spend_{treated}"]
        true = [float(after.astype(float).mean() - before.astype(float).mean()) for before, after in (bought, money)]
        held, adjusted, plain = _campaigns(bought, money, true, expected)
        narrower = adjusted.mean(axis=0) / plain.mean(axis=0)
        for position, what in enumerate(("buyers", "margin")):
            yield Figure(
                f"{CAMPAIGNS} campaigns {effect}: intervals of the lift in {what} that hold the truth",
                f"{held[:, position].mean():.1%}",
                f"width {narrower[position]:.2f} of the unadjusted; truth {true[position]:+.3f}",
                "95 % ± 2",
                abs(held[:, position].mean() - 0.95) <= 0.02,
            )


def _campaigns(bought, money, true, expected):
    """Of each campaign and of (buyers, margin): whether the interval holds the truth, its width, and unadjusted."""
    rng = np.random.default_rng(1)
    held, adjusted, plain = (np.zeros((CAMPAIGNS, 2)) for _ in range(3))
    for number in range(CAMPAIGNS):
        chosen = rng.integers(0, len(expected), CUSTOMERS_OF_ONE)
        treated = rng.random(CUSTOMERS_OF_ONE) >= HELD_OUT
        buys, spends = (np.where(treated, after[chosen], before[chosen]) for before, after in (bought, money))
        for expectations, widths in ((expected[chosen], adjusted), (expected[chosen][:, :0], plain)):
            found = (
                rate_difference(buys, treated, expectations),
                money_difference(spends, buys, treated, expectations),
            )
            widths[number] = [difference.high - difference.low for difference in found]
            if widths is adjusted:
                held[number] = [_holds(difference, value) for difference, value in zip(found, true, strict=True)]
    return held, adjusted, plain


def _holds(difference: Difference, value: float) -> bool:
    return difference.low <= value <= difference.high
