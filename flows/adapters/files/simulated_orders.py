"""The simulated shop's export, as a shop would deliver it, and its true parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from sklearn.metrics import roc_auc_score

from flows.churn.backtest import HeldOut
from flows.settings import Settings
from flows.simulator.contacts import simulate_contacts
from flows.simulator.response import with_responses
from flows.simulator.shop import ShopProfile, simulate
from flows.simulator.truth import probability_of_no_purchase
from flows.sources.connections import KindOfFile


@dataclass(frozen=True)
class SimulatedOrders:
    """`files`: the CSVs that are ingested. `customers`: the true parameters, which nothing else reads."""

    files: Mapping[KindOfFile, Path]
    profile: ShopProfile
    customers: pa.Table


def write_simulated_orders(settings: Settings, contacted: pa.Table) -> SimulatedOrders:
    """Simulates the shop of the settings into `$DATA_DIR/simulated_orders.csv` and `simulated_contacts.csv`.

    Its customers respond to campaigns. contacted: customer_id, launched_on, window_days."""
    profile = ShopProfile(customers=settings.customers, seed=settings.seed)
    shop = with_responses(simulate(profile), contacted)
    files: dict[KindOfFile, Path] = {
        "order_lines": _write_csv(shop.order_lines, settings.data_dir / "simulated_orders.csv"),
        "contacts": _write_csv(simulate_contacts(shop), settings.data_dir / "simulated_contacts.csv"),
    }
    return SimulatedOrders(files, profile, shop.customers)


def _write_csv(rows: pa.Table, file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    with duckdb.connect() as con:
        con.register("rows_to_write", rows)
        con.execute("copy rows_to_write to $1 (format csv, header)", [str(draft)])
    return draft.replace(file)


def best_possible_auc(simulated: SimulatedOrders, held_out: HeldOut) -> float:
    """AUC on the held-out customers who could still be kept, with every customer's true parameters known, but not the
    future."""
    customers = held_out.customers.where(held_out.keepable)
    ids = simulated.customers.column("customer_id").to_numpy(zero_copy_only=False)
    position = np.searchsorted(ids.astype(str), customers.customer_ids.astype(str))
    day = (held_out.day - simulated.profile.first_day).days
    last_purchase_on = day - customers.column("recency_days").astype(float) + 0.5
    churn = probability_of_no_purchase(
        simulated.customers.take(position),
        simulated.profile,
        last_purchase_on,
        held_out.day,
        customers.horizon_days,
    )
    return float(roc_auc_score(customers.churned, churn))
