"""What a run found, read back from the warehouse for people to read."""

from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from flows.adapters.csv_source.landing import Landing
from flows.adapters.duckdb_warehouse import DuckDBWarehouse
from flows.adapters.model_store import StoredModel
from flows.adapters.simulated_orders import SimulatedOrders, best_possible_auc
from flows.adapters.staged_orders import AsOf
from flows.churn.evaluation import Quality
from flows.churn.selection import Comparison
from flows.errors import TooLittleData
from flows.settings import Settings


@dataclass(frozen=True)
class ModelReport:
    """`quality` and `candidates` are those of the newest held-out date; the shipped model has none on this shop."""

    version: str
    algorithm: str
    shipped: bool
    why_shipped: str | None
    held_out_date: date | None
    quality: Quality | None
    candidates: dict[str, Quality]
    best_possible_auc: float | None


@dataclass(frozen=True)
class RunReport:
    """Tables: `set_aside` (reason, rows), `segments` (segment, customers, spend_last_365_days, value_at_stake,
    mean_churn_probability, best segment first), `most_at_stake` (ten rows of marketing_customers)."""

    settings: Settings
    landing: Landing
    as_of: AsOf
    later_rows: int
    set_aside: pa.Table
    segments: pa.Table
    most_at_stake: pa.Table
    model: ModelReport | None
    why_no_model: str | None

    @property
    def customers(self) -> int:
        return int(sum(self.segments.column("customers").to_pylist()))


def most_at_stake(customers: int) -> str:
    """The query of so many rows of `marts.marketing_customers`, those with most at stake first."""
    return f"""from marts.marketing_customers
        order by value_at_stake desc nulls last, monetary desc, customer_id limit {customers}"""


def read_report(
    warehouse: DuckDBWarehouse,
    settings: Settings,
    landing: Landing,
    as_of: AsOf,
    comparison: Comparison | TooLittleData,
    model: StoredModel | None,
    simulated: SimulatedOrders | None,
) -> RunReport:
    """The report of a run whose marts are built."""
    known = f"coalesce(ordered_on, date '{as_of.date}') <= '{as_of.date}'"
    return RunReport(
        settings=settings,
        landing=landing,
        as_of=as_of,
        later_rows=warehouse.row(
            f"select count(*) from staging.stg_csv__order_lines where ordered_on > '{as_of.date}'"
        )[0],
        set_aside=warehouse.read(
            f"select reason, count(*) as rows from raw.rejected_rows where {known} group by 1 order by 2 desc, 1"
        ),
        segments=warehouse.read(
            """select segments.segment, count(customers.customer_id) as customers,
                coalesce(sum(spend_last_365_days), 0) as spend_last_365_days,
                sum(value_at_stake) as value_at_stake, avg(churn_probability) as mean_churn_probability
            from staging.rfm_segments as segments
            left join marts.marketing_customers as customers using (segment)
            group by segments.segment, segments.position order by segments.position"""
        ),
        most_at_stake=warehouse.read(most_at_stake(10)),
        model=_model_report(comparison, model, simulated, settings.horizon_days) if model else None,
        why_no_model=None if model else f"{comparison} The shipped model looks another number of days ahead.",
    )


def _model_report(
    comparison: Comparison | TooLittleData, model: StoredModel, simulated: SimulatedOrders | None, horizon_days: int
) -> ModelReport:
    if isinstance(comparison, TooLittleData):
        return ModelReport(model.version, str(model.card["algorithm"]), True, str(comparison), None, None, {}, None)
    newest = comparison.held_out[0]
    return ModelReport(
        version=model.version,
        algorithm=comparison.winner,
        shipped=False,
        why_shipped=None,
        held_out_date=newest.day,
        quality=newest.quality(comparison.winner),
        candidates={name: newest.quality(name) for name in newest.probability},
        best_possible_auc=best_possible_auc(simulated, newest, horizon_days) if simulated else None,
    )
