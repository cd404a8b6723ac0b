"""Shops that differ in pace, season and drift. Each is a `ShopProfile`."""

from dataclasses import replace

from flows.simulator.habits import Habits
from flows.simulator.shop import ShopProfile

GIFT = ShopProfile()

# weekly or fortnightly habits; hardly a season; most customers who are silent for a month have left
GROCERIES = replace(
    GIFT,
    rate_shape=1.2, rate_scale_days=14.0, gap_regularity=2.5,
    dropout_shape=0.8, dropout_scale_days=250.0, leaves_after_purchase=(0.12, 8.0),
    log_basket_mean=3.6, log_basket_sd_between=0.4, log_basket_sd_within=0.35,
    month_weights=(1.0, 1.0, 1.02, 1.0, 1.0, 0.97, 0.88, 0.85, 1.0, 1.03, 1.05, 1.2),
    weekday_weights=(0.9, 0.85, 0.9, 1.0, 1.3, 1.35, 0.7),
    share_of_orders_returned=0.01,
)  # fmt: skip

# two collections a year; half a year of silence is usual
SLOW_FASHION = replace(
    GIFT,
    days=4 * 365,
    rate_shape=0.9, rate_scale_days=150.0, gap_regularity=1.2,
    dropout_shape=0.6, dropout_scale_days=500.0, leaves_after_purchase=(0.2, 5.0),
    log_basket_mean=4.4, log_basket_sd_between=0.5, log_basket_sd_within=0.5,
    month_weights=(1.1, 0.75, 1.35, 1.3, 0.95, 0.85, 0.75, 0.75, 1.45, 1.25, 0.95, 0.9),
    share_of_orders_returned=0.2,
)  # fmt: skip

# a gift shop: every year everyone buys a fifth less often
FADING_GIFT = replace(GIFT, pace_change_per_year=-0.2)

# replenishers, gift buyers with days of their own in the year, channels and countries that differ; a milder season.
# Neither rates from a gamma distribution nor gaps from a Poisson process, as buy-till-you-die models assume.
HABITS = replace(
    GIFT,
    habits=Habits(),
    month_weights=(0.9, 0.9, 0.95, 1.0, 1.05, 0.95, 0.9, 0.9, 1.0, 1.05, 1.3, 1.2),
)  # fmt: skip

REGIMES: dict[str, ShopProfile] = {
    "gift season": GIFT,
    "groceries": GROCERIES,
    "slow fashion": SLOW_FASHION,
    "fading gift shop": FADING_GIFT,
    "habits": HABITS,
}
