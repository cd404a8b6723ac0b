"""The last year of simulated shops that nothing was chosen on, and who left, which no real shop knows."""

import tempfile
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import gammainc

from flows.churn.backtest import run_backtest
from flows.churn.btyd import Floats
from flows.churn.churn_model import ChurnModel
from flows.churn.selection import select, train_selected
from flows.churn.training_set import TrainingSet
from flows.simulator.shop import ShopClock, ShopProfile, simulate
from tests.benchmarks.best_possible import expected_loss
from tests.examples.simulated_snapshots import snapshot_table

# Thresholds of the product were chosen on shops of other seeds. Of one shop alone the true loss is known to 7 to 10 %:
# it depends on who happens to leave.
SEEDS = (8, 9, 10, 11)
CUSTOMERS, DAYS, DATES = 6_000, 4 * 365, 36
YEAR = timedelta(days=365)

_PURCHASES = """
select customer_id, count(*) as purchases, sum(net_amount)::double as spent, max(purchased_on) as last_purchased_on
from intermediate.int_purchases where known_until = date '9999-12-31' group by customer_id
"""


@dataclass(frozen=True)
class UnseenYear:
    """The served procedure as of `day`, the last but 365 of the shop, and its customers of that day, [n].

    had_left: by then, [n]. lost: what those who left in the 365 days would have spent in the rest of them, [n], in the
    reporting currency; 0 of all others. `lost_at_best`: what histories and the shop's true distributions let expect of
    that; nan in a shop with habits.
    """

    day: date
    model: ChurnModel
    customers: TrainingSet
    had_left: NDArray[np.bool_]
    lost: Floats
    lost_at_best: Floats


def unseen_years(profile: ShopProfile) -> list[UnseenYear]:
    """One for each of SEEDS; benchmarks of one run share them."""
    return [_unseen_year(replace(profile, customers=CUSTOMERS, days=DAYS, seed=seed)) for seed in SEEDS]


@cache
def _unseen_year(profile: ShopProfile) -> UnseenYear:
    with tempfile.TemporaryDirectory(prefix="bench-year-") as folder:
        return _measured(profile, Path(folder))


def _measured(profile: ShopProfile, folder: Path) -> UnseenYear:
    shop = simulate(profile)
    table, horizon_days = snapshot_table(shop.order_lines, profile, folder, DATES)
    data = TrainingSet.from_table(table, horizon_days)
    day = profile.last_day - YEAR
    past, customers = data.known_by(day), data.at([day])
    backtest = run_backtest(past)
    model = train_selected(past, backtest, select(backtest), day)
    with duckdb.connect(folder / "warehouse.duckdb") as con:
        purchases = con.sql(_PURCHASES).to_arrow_table()
    truth = _by_customer(shop.customers, customers).append_column("row", pa.array(range(len(customers))))
    truth = truth.join(purchases, "customer_id").sort_by("row")
    clock = ShopClock.of(profile)
    had_left = _floats(truth, "left_at_shop_day") <= clock.elapsed[(day - profile.first_day).days + 1]
    lost = np.zeros(len(customers))
    lost[~had_left] = _purchases_lost(truth.filter(~had_left), clock, profile)
    at_best = expected_loss(profile, clock, day, customers) if profile.habits is None else lost * np.nan
    return UnseenYear(day, model, customers, had_left, lost * _spend_per_purchase(truth, profile), at_best)


def _by_customer(truth: pa.Table, customers: TrainingSet) -> pa.Table:
    rows = {customer: row for row, customer in enumerate(truth.column("customer_id").to_pylist())}
    return truth.take([rows[customer] for customer in customers.customer_ids])


def _purchases_lost(truth: pa.Table, clock: ShopClock, profile: ShopProfile) -> Floats:
    """Purchases that they would have made from when they left until the shop's last day, [n]; 0 of who stays.

    Who left with a purchase starts a gap of their own then: its renewal function. Who left at any other moment was
    somewhere in a gap: purchases come at their mean rate."""
    shape, rate, left_at = (
        _floats(truth, name) for name in ("gap_regularity", "purchases_per_shop_day", "left_at_shop_day")
    )
    first = np.datetime64(profile.first_day)
    last_day = (truth.column("last_purchased_on").to_numpy().astype("datetime64[D]") - first).astype(float)
    with_a_purchase = np.floor(clock.calendar_days(left_at)) == last_day
    expected = rate * np.maximum(clock.elapsed[-1] - left_at, 0)
    renewals = np.zeros(len(expected))
    for purchase in range(1, 20 + 2 * int(expected.max())):
        renewals += gammainc(purchase * shape, shape * expected)
    return np.where(with_a_purchase, renewals, expected)


def _spend_per_purchase(truth: pa.Table, profile: ShopProfile) -> Floats:
    """Their mean basket, less what the shop's customers got off and returned, [n]."""
    basket = np.exp(_floats(truth, "log_basket") + profile.log_basket_sd_within**2 / 2)
    net = _floats(truth, "spent").sum() / (_floats(truth, "purchases") * basket).sum()
    return np.asarray(net * basket)


def _floats(table: pa.Table, name: str) -> Floats:
    return np.asarray(table.column(name).to_numpy(), dtype=np.float64)
