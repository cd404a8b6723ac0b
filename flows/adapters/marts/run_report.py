"""The report of a run, read from the warehouse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import pyarrow as pa

from flows.adapters.files.simulated_orders import SimulatedOrders, best_possible_auc
from flows.adapters.marts.campaign_results import read_results
from flows.adapters.marts.left_out import LeftOut, read_left_out
from flows.adapters.marts.next_products import ShownNext
from flows.adapters.marts.promises import read_corrections
from flows.adapters.marts.second_order import SecondOrder, read_second_order
from flows.adapters.marts.segment_borders import SegmentBorders, read_borders
from flows.adapters.marts.staged_customers import describe_corrections
from flows.adapters.marts.staged_orders import AsOf, describe_misdated
from flows.adapters.models.registry import StoredModel
from flows.adapters.privacy.masking import masked
from flows.churn.backtest import Backtest
from flows.churn.past_forecasts import UNCORRECTED, Correction, Corrections
from flows.churn.promotion_gate import Verdict
from flows.churn.selection import Selection
from flows.errors import TooLittleData
from flows.ports.syncs import SyncRun
from flows.ports.warehouse import Warehouse
from flows.settings import Settings
from flows.sources.data_age import NOT_JUDGED, DataAge
from flows.sources.mappings import Landing
from flows.sources.receipt import Receipt


@dataclass(frozen=True)
class History:
    """What a run knows about its shop once the order lines are built. `mappings` and `run_values` are for dbt."""

    syncs: list[SyncRun]
    landings: tuple[Landing, ...]
    simulated: SimulatedOrders | None
    receipt: Receipt
    as_of: AsOf
    mappings: Mapping[str, Any]
    run_values: Mapping[str, Any]
    age: DataAge = NOT_JUDGED


@dataclass(frozen=True)
class Output:
    """A file of a run that is kept beyond it. `link`: where a person opens it."""

    name: str
    link: str


@dataclass(frozen=True)
class Trained:
    """The result of a training. `model` is the one to score with: the new one, or the champion that the promotion gate
    kept."""

    model: StoredModel
    new_version: str
    verdict: Verdict
    backtest: Backtest
    selection: Selection


@dataclass(frozen=True)
class ModelReport:
    """`trained`: the training of this run, if there was one. `why_shipped`: why the shipped model scores, which has no
    figures on this shop."""

    model: StoredModel
    trained: Trained | None
    why_shipped: str | None
    best_possible_auc: float | None

    @property
    def version(self) -> str:
        return self.model.version

    @property
    def shipped(self) -> bool:
        return self.why_shipped is not None

    @property
    def interval_of_total(self) -> dict[str, float] | None:
        """Factors `low` and `high` of the total of expected spend, and the `coverage` between them."""
        return None if self.shipped else dict(self.model.card["spend"]["interval_of_total"])

    @property
    def interval_of_clv(self) -> dict[str, float] | None:
        """The same of the total of clv; None also where no past clv_days are known."""
        return None if self.shipped else self.model.card["clv"]["interval_of_total"]

    @property
    def quality(self) -> dict[str, float] | None:
        """Mean quality of the model that scores, over the held-out dates of its training."""
        return None if self.shipped else dict(self.model.card["quality"])


@dataclass(frozen=True)
class Total:
    """Of all customers, corrected by what came of past forecasts, and as the model has it. Ends: of its interval, the
    lower and the upper one, and the probability that it lies between them."""

    expected: float
    ends: tuple[float, float, float] | None
    uncorrected: float
    uncorrected_ends: tuple[float, float, float] | None
    correction: Correction

    @classmethod
    def of(cls, total: float, interval: dict[str, float] | None, correction: Correction) -> Self:
        """`interval`: factors `low` and `high` of the total, and the `coverage` between them."""
        own, corrected = None, None
        if interval is not None:
            low, high, coverage = total * interval["low"], total * interval["high"], interval["coverage"]
            own, corrected = (low, high, coverage), (*correction.of_range(low, high), coverage)
        return cls(total * correction.factor, corrected, total, own, correction)


@dataclass(frozen=True)
class RunReport:
    """Tables: `segments` (segment, customers, spend_last_365_days, expected_spend,
    expected_loss, clv, mean_churn_probability, best segment first), `most_at_stake` (ten rows of marketing_customers),
    `measured` (rows of model_monitoring that this run added), `campaigns` (results of whole campaigns whose window has
    ended, newest first). `warehouse`: where the marts are. `order_lines`: how many were read, used or not.
    `spend_last_year`: in the horizon's days a year before, of those who had bought by then; None where the history is
    shorter. `second_order`: None in shops that are not full of one-time buyers. `identity_notes`: which customers were
    merged, and which conflicts that left. `corrections`: of totals, by what came of past forecasts. `outputs`: what was
    put where OUTPUTS says. `shown_next`: which products customers are shown; None where orders name none."""

    settings: Settings
    warehouse: str
    syncs: Sequence[SyncRun]
    landings: tuple[Landing, ...]
    receipt: Receipt
    left_out: LeftOut
    order_lines: int
    identity_notes: tuple[str, ...]
    as_of: AsOf
    later_rows: int
    segments: pa.Table
    borders: SegmentBorders | None
    most_at_stake: pa.Table
    model: ModelReport | None
    measured: pa.Table
    campaigns: pa.Table
    why_no_model: str | None
    spend_last_year: float | None
    second_order: SecondOrder | None
    age: DataAge = NOT_JUDGED
    corrections: Corrections = UNCORRECTED
    outputs: tuple[Output, ...] = ()
    shown_next: ShownNext | None = None

    @property
    def customers(self) -> int:
        return int(sum(self.segments.column("customers").to_pylist()))

    @property
    def expected_spend(self) -> Total:
        """In the horizon, of all customers; zero where nobody was scored."""
        interval = self.model.interval_of_total if self.model else None
        return Total.of(self._of_all("expected_spend"), interval, self.corrections.spend)

    @property
    def clv(self) -> Total:
        """In clv_days, of all customers; zero where nobody was scored."""
        interval = self.model.interval_of_clv if self.model else None
        return Total.of(self._of_all("clv"), interval, self.corrections.clv)

    @property
    def expected_loss(self) -> float:
        """In clv_days, of all customers, corrected as their clv is."""
        return self.corrections.expected_loss(self._of_all("clv"), self.uncorrected_loss)

    @property
    def uncorrected_loss(self) -> float:
        """The same as the model has it."""
        return self._of_all("expected_loss")

    def _of_all(self, figure: str) -> float:
        return float(sum(value or 0 for value in self.segments.column(figure).to_pylist()))


# the queues of customers to contact, those who can be kept first
QUEUES = ("keep", "win_back", "thank")
# the order within a queue, and that of a list of all of them
BY_QUEUE_VALUE = "queue_value desc nulls last, monetary desc, customer_id"
BY_QUEUE = f"case queue when 'keep' then 1 when 'win_back' then 2 when 'thank' then 3 else 4 end, {BY_QUEUE_VALUE}"


def most_at_stake(customers: int) -> str:
    """The query of `customers` rows of `marts.marketing_customers`, queue by queue, those who can be kept first,
    without those who opted out."""
    return f"""select * from marts.marketing_customers where may_be_contacted
        order by {BY_QUEUE} limit {customers}"""


def read_report(
    warehouse: Warehouse,
    settings: Settings,
    history: History,
    model: ModelReport | None,
    why_no_model: str | None,
    measured: pa.Table,
) -> RunReport:
    """The report of a run whose marts are built. `model` has scored, or `why_no_model`. `measured`: see RunReport."""
    as_of = history.as_of
    stakes = warehouse.read(most_at_stake(10))
    return RunReport(
        settings=settings,
        warehouse=warehouse.place,
        syncs=history.syncs,
        landings=history.landings,
        receipt=history.receipt,
        left_out=read_left_out(warehouse),
        order_lines=warehouse.row("select count(*) from staging.stg_shop__order_lines_validated")[0],
        identity_notes=_identity_notes(warehouse),
        as_of=as_of,
        later_rows=warehouse.row(
            f"select count(*) from staging.stg_shop__order_lines where ordered_on > '{as_of.date}'"
        )[0],
        segments=warehouse.read(
            """select segments.segment, count(customers.customer_id) as customers,
                coalesce(sum(spend_last_365_days), 0) as spend_last_365_days,
                sum(expected_spend) as expected_spend, sum(expected_loss) as expected_loss, sum(clv) as clv,
                avg(churn_probability) as mean_churn_probability
            from staging.rfm_segments as segments
            left join marts.marketing_customers as customers using (segment)
            group by segments.segment, segments.position order by segments.position"""
        ),
        borders=read_borders(warehouse),
        most_at_stake=stakes if settings.show_pii else masked(stakes),
        model=model,
        measured=measured,
        campaigns=read_results(warehouse, as_of.date),
        why_no_model=why_no_model,
        spend_last_year=_spend_last_year(warehouse, as_of),
        second_order=read_second_order(warehouse, model.model.card, model.model.horizon_days)
        if model and not model.shipped
        else None,
        age=history.age,
        corrections=read_corrections(warehouse, as_of.date, as_of.currency),
    )


def _spend_last_year(warehouse: Warehouse, as_of: AsOf) -> float | None:
    then = as_of.date - timedelta(days=365)
    [first, spent] = warehouse.row(
        f"""select
            min(history.first_on),
            cast(sum(
                case when history.first_on <= '{then}' and purchases.purchased_on > '{then}'
                    and purchases.purchased_on <= '{then + timedelta(days=as_of.horizon_days)}'
                then purchases.net_amount else 0 end
            ) as double)
        from intermediate.int_purchases as purchases
        inner join (
            select customer_id, min(purchased_on) as first_on from intermediate.int_purchases group by customer_id
        ) as history on purchases.customer_id = history.customer_id
        where purchases.known_until = '9999-12-31'"""
    )
    return float(spent) if first is not None and first <= then else None


def _identity_notes(warehouse: Warehouse) -> tuple[str, ...]:
    [merged, persons] = warehouse.row(
        "select count(*), count(distinct customer_id) from intermediate.int_customer_identities"
    )
    conflicts = warehouse.read(
        "select conflict, count(*) as n from intermediate.int_identity_conflicts group by conflict order by 2 desc, 1"
    ).to_pylist()
    notes = [f"{merged:,} customer ids are those of {persons:,} persons"] if merged else []
    notes += (f"{row['n']:,} × {row['conflict']} (intermediate.int_identity_conflicts)" for row in conflicts)
    return (*describe_corrections(warehouse), *describe_misdated(warehouse), *notes)


def model_report(
    model: StoredModel, is_shipped: bool, trained: Trained | TooLittleData | None, simulated: SimulatedOrders | None
) -> ModelReport:
    """Of the model that has scored. `trained` is what this run came to by itself, if it trained."""
    if is_shipped:
        why = str(trained) if isinstance(trained, TooLittleData) else "The API has no other model yet."
        return ModelReport(model, None, why, None)
    if not isinstance(trained, Trained) or trained.model.version != model.version:
        return ModelReport(model, None, None, None)
    best = [best_possible_auc(simulated, h) for h in trained.backtest.held_out] if simulated else []
    return ModelReport(model, trained, None, sum(best) / len(best) if best else None)
