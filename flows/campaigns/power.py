"""What a campaign of a given size can show: the smallest effect that can be distinguished from chance."""

from dataclasses import dataclass
from math import ceil, inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from flows.campaigns.definition import Campaign

CONFIDENCE, POWER = 0.95, 0.8
# Additional buyers per customer contacted that a very good e-mail campaign achieves within a month.
PLAUSIBLE_LIFT = 0.05
_STANDARD_ERRORS = float(norm.ppf((1 + CONFIDENCE) / 2) + norm.ppf(POWER))


@dataclass(frozen=True)
class Power:
    """Rates are shares of customers who buy within the window; money is in the shop's currency.

    rate_without: expected rate without a campaign. detectable_lift: smallest difference of rates that is found with 80
    % power at 95 % confidence. detectable_margin: the same for margin per customer contacted. break_even_lift:
    difference of rates from which the campaign pays; infinite where the offer costs more than a purchase brings.
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
    order_value: float,
) -> Power:
    """chance_of_purchase: of each chosen customer, within the window and without a campaign. spend_in_window: of each,
    in the past; its variance stands for the future one. order_value: mean of an order."""
    rate = float(chance_of_purchase.mean())
    spread = sqrt(rate * (1 - rate))
    per_arms = sqrt(1 / treated + 1 / held_out) if treated and held_out else inf
    offer, share = campaign.offer, campaign.holdout
    brings = campaign.margin * order_value - offer.cost_per_redemption
    per_customer = sqrt(1 / (1 - share) + 1 / share) if share else inf
    needed = (_STANDARD_ERRORS * spread * per_customer / PLAUSIBLE_LIFT) ** 2
    return Power(
        rate_without=rate,
        detectable_lift=_STANDARD_ERRORS * spread * per_arms,
        detectable_margin=_STANDARD_ERRORS * campaign.margin * float(spend_in_window.std()) * per_arms,
        break_even_lift=offer.cost(rate) / brings if brings > 0 else inf,
        customers_needed=ceil(needed) if np.isfinite(needed) else 0,
    )
