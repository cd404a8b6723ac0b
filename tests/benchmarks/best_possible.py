"""What a simulated year lets expect to be lost, for who knows the shop's true distributions: no ranking can know more.

Each customer's posterior is drawn from: the pace given their gaps exactly, the two ways of leaving by weights."""

from datetime import date

import numpy as np
from scipy.special import gammainc, gammaincc

from flows.churn.btyd import Floats
from flows.churn.training_set import TrainingSet
from flows.simulator.shop import ShopClock, ShopProfile

DRAWS = 3_000


def expected_loss(profile: ShopProfile, clock: ShopClock, day: date, customers: TrainingSet) -> Floats:
    """What customers of `day` are expected to spend less, until the shop's last day, because they leave, [n]; without
    returns, which take the same share of everybody."""
    end = (day - profile.first_day).days + 1.0
    first, last = (clock.shop_days(end - 0.5 - customers.column(name)) for name in ("tenure_days", "recency_days"))
    now, ahead = clock.elapsed[int(end)], clock.elapsed[-1] - clock.elapsed[int(end)]
    rng = np.random.default_rng(0)
    leaving = rng.gamma(profile.dropout_shape, 1 / profile.dropout_scale_days, DRAWS)
    coin = rng.beta(*profile.leaves_after_purchase, DRAWS)
    shape = profile.gap_regularity
    purchases = np.empty(len(customers))
    for i, repeats in enumerate(customers.column("frequency") - 1):
        bought_for, silent = last[i] - first[i], now - last[i]
        known = profile.rate_scale_days + shape * bought_for
        pace = np.maximum(rng.gamma(profile.rate_shape + shape * repeats, 1 / known, DRAWS), 1e-9)
        weight = (1 - coin) ** repeats * np.exp(-leaving * bought_for)
        alive = weight * (1 - coin) * gammaincc(shape, shape * pace * silent) * np.exp(-leaving * silent)
        comes = (1 + leaving / (shape * pace)) ** -shape * gammainc(shape, silent * (shape * pace + leaving))
        hazard = leaving + pace * coin
        lost = pace * (ahead + np.expm1(-hazard * ahead) / hazard)
        purchases[i] = (alive * lost).sum() / (weight * (1 - (1 - coin) * comes)).sum()
    return purchases * _basket(profile, customers)


def _basket(profile: ShopProfile, customers: TrainingSet) -> Floats:
    """Expected order value given the customer's own mean, [n]."""
    orders, own = customers.column("frequency"), np.log(np.maximum(customers.column("average_order_value"), 1))
    between, within = profile.log_basket_sd_between**2, profile.log_basket_sd_within**2
    usual = np.average(own, weights=orders)
    trust = orders * between / (orders * between + within)
    return np.asarray(np.exp(usual + trust * (own - usual) + (1 - trust) * between / 2))
