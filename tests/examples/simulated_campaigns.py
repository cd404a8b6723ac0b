"""A simulated shop that ran a campaign whose targets were drawn by chance, and is about to run the next one."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.churn.candidates import AVERAGED, CANDIDATES
from flows.churn.churn_model import ChurnModel
from flows.churn.pace import fit_process
from flows.churn.training_set import TrainingSet
from flows.simulator.response import responses, with_responses
from flows.simulator.shop import ShopProfile, simulate
from tests.examples.simulated_snapshots import snapshot_table

_KNOWN = """
with lines as (
    select * from order_lines where customer_id is not null and ordered_at < date '{day}' + interval 1 day
)
select customer_id, any_value(channel) as channel,
    coalesce(sum(amount) filter (ordered_at >= date '{day}' - interval {days} day + interval 1 day), 0)::double
        as spend_last_period
from lines group by customer_id having max(quantity) > 0 order by customer_id
"""


@dataclass(frozen=True)
class Campaigned:
    """`history`: what `flows.campaigns.uplift.fit_uplift` takes, of the campaign that was. `customers`: everybody on
    the day of the next one, with covariates and rfm_score. `truth`: both outcomes of each of them, in the same
    order."""

    history: pa.Table
    customers: pa.Table
    truth: pa.Table


def campaigned(
    profile: ShopProfile, folder: Path, launched_on: date, next_on: date, targets: int, holdout: float, window_days: int
) -> Campaigned:
    """Both days must be among the snapshots: the first of a month, a horizon before the shop's last day or earlier."""
    shop = simulate(profile)
    rng = np.random.default_rng(profile.seed)
    ids = np.array(_known(shop.order_lines, launched_on, 1).column("customer_id").to_pylist(), dtype=object)
    chosen = np.sort(rng.choice(ids, min(targets, len(ids)), replace=False))
    treated = rng.random(len(chosen)) >= holdout
    contacted = pa.table(
        {
            "customer_id": pa.array(chosen[treated], pa.string()),
            "launched_on": pa.array([launched_on] * int(treated.sum()), pa.date32()),
            "window_days": np.full(int(treated.sum()), window_days),
        }
    )
    after = with_responses(shop, contacted)
    snapshots, horizon_days = snapshot_table(after.order_lines, profile, folder, dates=18)
    data = TrainingSet.from_table(snapshots, horizon_days)

    targets_then = _scored(data, after.order_lines, launched_on)
    position = pc.index_in(targets_then.column("customer_id"), pa.array(chosen, pa.string()))
    targets_then = targets_then.filter(pc.is_valid(position))
    was_treated = treated[position.drop_null().to_numpy()]
    outcome = responses(shop, targets_then.column("customer_id"), launched_on, window_days)
    happened = {
        "campaign": np.full(len(was_treated), "first"),
        "arm": np.where(was_treated, "treated", "holdout"),
        "treatment_share": np.full(len(was_treated), 1 - holdout),
        "window_days": np.full(len(was_treated), window_days),
        "purchased": np.where(was_treated, outcome.column("bought_treated"), outcome.column("bought_untreated")),
        "spend": np.where(was_treated, outcome.column("spend_treated"), outcome.column("spend_untreated")),
    }
    history = pa.table({name: targets_then.column(name) for name in targets_then.column_names} | happened)

    customers = _scored(data, after.order_lines, next_on)
    return Campaigned(history, customers, responses(after, customers.column("customer_id"), next_on, window_days))


def _scored(data: TrainingSet, order_lines: pa.Table, day: date) -> pa.Table:
    """The customers of a snapshot with what was expected of them that day, in the order of their ids."""
    past, now = data.known_by(day), data.at([day])
    process = fit_process(past)
    model = ChurnModel.train(CANDIDATES[AVERAGED], past, process)
    known = _known(order_lines, day, data.horizon_days)  # and those who sent everything back
    known = known.take(pc.index_in(pa.array(now.customer_ids, pa.string()), known.column("customer_id")))
    columns = ("recency_days", "frequency", "monetary", "tenure_days", "average_order_value", "spend_last_365_days")
    fifths = [
        np.searchsorted(np.quantile(value, [0.2, 0.4, 0.6, 0.8]), value)
        for value in (-now.column("recency_days"), now.column("frequency"), now.column("monetary"))
    ]
    return pa.table(
        {
            "customer_id": pa.array(now.customer_ids, pa.string()),
            **{name: now.column(name) for name in columns},
            "spend_last_period": known.column("spend_last_period"),
            "churn_probability": model.churn_probability(now.features),
            "expected_spend": model.expected_spend(now.features),
            "channel": known.column("channel"),
            "rfm_score": np.sum(fifths, axis=0),
        }
    )


def _known(order_lines: pa.Table, day: date, days: int) -> pa.Table:
    """Everyone with a purchase by the end of the day, their channel, and their spend in the last days."""
    with duckdb.connect() as con:
        con.register("order_lines", order_lines)
        return con.sql(_KNOWN.format(day=day, days=days)).to_arrow_table()
