"""What a campaign of a given size can show: the smallest effect that can be distinguished from chance."""

from dataclasses import dataclass
from math import ceil, exp, inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, poisson

from flows.campaigns.definition import Campaign
from flows.campaigns.measurement import MIN_BUYERS_PER_ARM

CONFIDENCE, POWER = 0.95, 0.8
# Additional buyers per customer contacted that a very good e-mail campaign achieves within a month.
PLAUSIBLE_LIFT = 0.05
# Mean square of single orders by that of customers' averages, where the logarithms of one's orders have a spread of .6.
_OF_SINGLE_ORDERS = exp(0.6**2)
_STANDARD_ERRORS = float(norm.ppf((1 + CONFIDENCE) / 2) + norm.ppf(POWER))


@dataclass(frozen=True)
class Power:
    """Rates are shares of customers who buy within the window; money is in the shop's currency.

    rate_without: expected rate without a campaign. detectable_lift: smallest difference of rates that is found with 80
    % power at 95 % confidence. detectable_margin: the same for margin per customer contacted; infinite where
    measurement will probably withhold it, because an arm has too few buyers. break_even_lift: difference of rates from
    which the campaign pays; infinite where the offer costs more than a purchase brings.
    customers_needed: chosen customers, arms together, with which the largest plausible lift would be found.
    """

    rate_without: float
    detectable_lift: float
    detectable_margin: float
    break_even_lift: float
    customers_needed: int

    @property
    def can_show_something(self) -> bool:
        return self.detectable_lift <= PLAUSIBLE_LIFT


def power(
    campaign: Campaign,
    treated: int,
    held_out: int,
    chance_of_purchase: NDArray[np.float64],
    spend_in_window: NDArray[np.float64],
    order_values: NDArray[np.float64],
) -> Power:
    """chance_of_purchase: of each chosen customer, within the window and without a campaign. spend_in_window: of each,
    in the past. order_values: average order of each, NaN where there is none."""
    rate = float(chance_of_purchase.mean())
    orders = order_values[~np.isnan(order_values)]
    orders = orders if len(orders) else np.zeros(1)
    offer, share = campaign.offer, campaign.holdout
    brings = campaign.margin * float(orders.mean()) - offer.cost_per_redemption
    # customers who were silent have spent nothing lately, and will not all go on so
    usual = rate * float(orders.mean())
    of_orders = sqrt(max(rate * _OF_SINGLE_ORDERS * float((orders**2).mean()) - usual**2, 0.0))
    spread = max(float(spend_in_window.std()), of_orders)
    is_shown = _will_show_margin(rate, min(treated, held_out))
    return Power(
        rate_without=rate,
        detectable_lift=_detectable_lift(rate, treated, held_out),
        detectable_margin=campaign.margin * _detectable_spend(usual, spread, treated, held_out) if is_shown else inf,
        break_even_lift=offer.cost(rate) / brings if brings > 0 else inf,
        customers_needed=customers_needed(rate, share) if share else 0,
    )


def customers_needed(rate: float, holdout: float) -> int:
    """Chosen customers, arms together, with which the largest plausible lift is found where `rate` buy without it."""
    per_customer = sqrt(1 / (1 - holdout) + 1 / holdout)
    return ceil((_STANDARD_ERRORS * sqrt(rate * (1 - rate)) * per_customer / PLAUSIBLE_LIFT) ** 2)


def _detectable_spend(usual: float, spread: float, treated: int, held_out: int) -> float:
    """Per customer. The treated vary more, by as much as what they spend grows: as by larger baskets."""
    if not (treated and held_out and usual > 0):
        return inf
    # the root of more = standard errors × √(spread² × (1 + more / usual)² / treated + spread² / held out)
    squared = (_STANDARD_ERRORS * spread) ** 2
    of_treated, of_held_out = squared / treated, squared / held_out
    a, b, c = 1 - of_treated / usual**2, -2 * of_treated / usual, -(of_treated + of_held_out)
    return (-b + sqrt(b**2 - 4 * a * c)) / (2 * a) if a > 0 else inf


def _will_show_margin(rate: float, smaller_arm: int) -> bool:
    """Whether measurement will find enough buyers in both arms to state the margin."""
    return bool(poisson.sf(MIN_BUYERS_PER_ARM - 1, rate * smaller_arm) >= POWER)


def _detectable_lift(rate: float, treated: int, held_out: int) -> float:
    """One buyer and one non-buyer are added to each arm, as measurement does: with few buyers chance is larger than
    their number says, and the arms look more alike. The treated vary by the rate that they are lifted to."""
    if not (treated and held_out):
        return inf
    alone, lift = (rate * held_out + 1) / (held_out + 2), 0.0
    for _ in range(20):  # settles after a few
        to = min(rate + lift, 1.0)
        lifted = (to * treated + 1) / (treated + 2)
        variance = lifted * (1 - lifted) / (treated + 2) + alone * (1 - alone) / (held_out + 2)
        lift = _STANDARD_ERRORS * sqrt(variance) + (to - lifted) - (rate - alone)
    return lift
