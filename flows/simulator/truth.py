"""The true churn probability of each simulated customer, which no real shop knows."""

from datetime import date

import numpy as np
import pyarrow as pa
from scipy.special import gammainc

from flows.simulator.shop import Floats, ShopClock, ShopProfile


def probability_of_no_purchase(
    customers: pa.Table, profile: ShopProfile, last_purchase_on: Floats, as_of: date, horizon_days: int
) -> Floats:
    """True P(no purchase in the horizon after `as_of`) given the last purchase and the customer's parameters.

    `customers`: rows of `SimulatedShop.customers`; `last_purchase_on`: days since the shop's first day, in the same
    order. Whether a customer has already left is not used: this is the best that any model can do with observable data.

    With gamma gaps and exponential lifetimes on the same clock, the next purchase comes within t shop days with
    probability G(t) = (1-c) · (1+mθ)^-k · P(k, t(1/θ+m)): c leaves after a purchase, m dropout rate,
    k regularity, θ gap scale, P the regularised incomplete gamma function.

    Raises:
        ValueError: for a shop with habits, whose gift buyers also buy by the calendar.
    """
    if profile.habits:
        raise ValueError("a shop with habits has gift buyers, whose purchases by the calendar this formula leaves out")
    clock = ShopClock.of(profile)
    end_of_day = (as_of - profile.first_day).days + 1.0
    last = clock.shop_days(last_purchase_on)
    waited = clock.shop_days(np.full_like(last, end_of_day)) - last
    # beyond the simulated calendar, the coming year is as long in shop days as in calendar days
    horizon = _shop_days_after(clock, profile, as_of, horizon_days)

    def truth(name: str) -> Floats:
        return np.asarray(customers.column(name).to_numpy(), dtype=np.float64)

    shape = truth("gap_regularity")
    scale = 1 / (shape * truth("purchases_per_shop_day"))
    dropout, coin = truth("dropouts_per_shop_day"), truth("dropout_probability_after_purchase")

    def bought_within(days: Floats) -> Floats:
        discount = (1 - coin) * (1 + dropout * scale) ** -shape
        return np.asarray(discount * gammainc(shape, days * (1 / scale + dropout)))

    return np.asarray((1 - bought_within(waited + horizon)) / (1 - bought_within(waited)))


def _shop_days_after(clock: ShopClock, profile: ShopProfile, as_of: date, horizon_days: int) -> float:
    start = (as_of - profile.first_day).days + 1
    inside = max(0, min(horizon_days, profile.days - start))
    gone = clock.elapsed[start + inside] - clock.elapsed[start]
    return float(gone + (horizon_days - inside))
