"""`marts.promises`: what campaigns and forecasts were expected to bring, as stated at the time, and what came."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from flows.adapters.marts.campaign_results import RESULTS
from flows.adapters.marts.campaign_tables import CAMPAIGNS
from flows.adapters.marts.staged_orders import AsOf
from flows.campaigns.measurement import WHOLE_CAMPAIGN
from flows.campaigns.track_record import MAX_STATED, KeptPromise, TrackRecord, deviation
from flows.churn.past_forecasts import Corrections, PastForecast, correction
from flows.ports.warehouse import Warehouse

RELATION, KEY = "marts.promises", ("kind", "subject", "stated_on", "due_on")
CAMPAIGN_PROFIT, EXPECTED_SPEND, EXPECTED_LOSS = "campaign_profit", "expected_spend", "expected_loss"
EVERYONE = "all customers"
# Forecasts that are stated every day are one and the same: they are written down once in so many days.
DAYS_BETWEEN_FORECASTS = 28
PURCHASES, PREDICTIONS = "intermediate.int_purchases", "marts.churn_predictions"
_MEAN_AND_ENDS = ("", "_low", "_high")


def state_forecasts(
    warehouse: Warehouse, as_of: AsOf, uncorrected_range: tuple[float, float] | None, corrections: Corrections
) -> None:
    """Writes down the expected spend and the expected loss of all customers, as this run has predicted them, with and
    without the corrections. uncorrected_range: the ends of the total of expected spend."""
    since = as_of.date - timedelta(days=DAYS_BETWEEN_FORECASTS - 1)
    [stated] = warehouse.row(
        f"""select count(*) from {RELATION}
        where kind = '{EXPECTED_SPEND}' and stated_on >= '{since}' and stated_on < '{as_of.date}'"""
    )
    customers, spend, loss, clv, clv_days = warehouse.row(
        f"""select count(*), sum(expected_spend), sum(expected_loss), sum(clv), max(clv_days) from {PREDICTIONS}
        where source = 'batch' and as_of_date = '{as_of.date}' and horizon_days = {as_of.horizon_days}"""
    )
    if stated or not customers:
        return
    of_all = {"subject": EVERYONE, "stated_on": as_of.date, "customers": customers, "currency": as_of.currency}
    rows = [
        of_all
        | {"kind": EXPECTED_SPEND, "due_on": as_of.date + timedelta(days=as_of.horizon_days)}
        | {"promised": spend * corrections.spend.factor, "uncorrected": spend}
        | _ends("promised", uncorrected_range and corrections.spend.of_range(*uncorrected_range))
        | _ends("uncorrected", uncorrected_range)
    ]
    if loss is not None:
        due_on = as_of.date + timedelta(days=int(clv_days))
        promised = {"promised": corrections.expected_loss(clv, loss), "uncorrected": loss}
        rows.append(of_all | {"kind": EXPECTED_LOSS, "due_on": due_on} | promised | {"spend_if_all_stay": clv + loss})
    _store(warehouse, rows)


def state_campaigns(warehouse: Warehouse, as_of: date) -> None:
    """Writes down the expected profit of every campaign that was launched with one, and what was measured of it."""
    results = ", ".join(f"results.profit{end} as came{end}" for end in _MEAN_AND_ENDS)
    promised = ", ".join(
        f"campaigns.expected_profit{end} as promised{end}, campaigns.uncorrected_profit{end} as uncorrected{end}"
        for end in _MEAN_AND_ENDS
    )
    found = warehouse.read(
        f"""select '{CAMPAIGN_PROFIT}' as kind, campaigns.campaign as subject, campaigns.launched_on as stated_on,
            campaigns.window_ends_on as due_on, campaigns.treated as customers, {promised}, {results},
            campaigns.currency
        from {CAMPAIGNS} as campaigns
        left join {RESULTS} as results on campaigns.campaign = results.campaign
            and results.segment = '{WHOLE_CAMPAIGN}' and not results.is_sample_ratio_off
        where campaigns.launched_on <= '{as_of}' and campaigns.expected_profit is not null
        order by campaigns.campaign"""
    )
    _store(warehouse, found.to_pylist())


def settle_forecasts(warehouse: Warehouse, as_of: date) -> None:
    """Writes down what came of the forecasts that are due."""
    due = warehouse.read(
        f"""select * from {RELATION}
        where kind in ('{EXPECTED_SPEND}', '{EXPECTED_LOSS}') and due_on <= '{as_of}' and came is null
        order by kind, stated_on, due_on"""
    ).to_pylist()
    _store(warehouse, [row | {"came": _came(warehouse, row)} for row in due])


def read_corrections(warehouse: Warehouse, as_of: date, currency: str | None) -> Corrections:
    """Of the forecasts of that day, by what came of those that were due by then. Of an expected loss the clv beside it
    is what was right or wrong."""
    rows = warehouse.read(
        f"""select kind, stated_on, due_on,
            case when kind = '{EXPECTED_LOSS}' then spend_if_all_stay - coalesce(uncorrected, promised)
                else coalesce(uncorrected, promised) end as uncorrected,
            case when kind = '{EXPECTED_LOSS}' then spend_if_all_stay - came else came end as came
        from {RELATION}
        where kind in ('{EXPECTED_SPEND}', '{EXPECTED_LOSS}') and {_settled(as_of, currency)}
        order by stated_on desc"""
    ).to_pylist()
    past: dict[str, list[PastForecast]] = {EXPECTED_SPEND: [], EXPECTED_LOSS: []}
    for row in rows:
        past[row.pop("kind")].append(PastForecast(**row))
    return Corrections(correction(past[EXPECTED_SPEND]), correction(past[EXPECTED_LOSS]))


def read_track_record(warehouse: Warehouse, as_of: date, currency: str | None) -> TrackRecord:
    """Of campaigns whose window had ended by then and whose profit could be measured."""
    rows = warehouse.read(
        f"""select * from {RELATION} where kind = '{CAMPAIGN_PROFIT}' and {_settled(as_of, currency)}
            and came_low is not null
        order by due_on desc, subject"""
    )
    return TrackRecord(
        [
            KeptPromise.of(row["customers"], row["promised"], _interval(row, "uncorrected"), _interval(row, "came"))
            for row in rows.to_pylist()
        ]
    )


def read_totals(warehouse: Warehouse, as_of: date, currency: str | None) -> list[dict[str, Any]]:
    """For each kind of promise that has come due: the number of the newest MAX_STATED, what was promised and what came
    in all, and how much too high that was (deviation)."""
    rows = warehouse.read(
        f"""select kind, count(*) as promises, sum(promised) as promised, sum(came) as came
        from (
            select *, row_number() over (partition by kind order by due_on desc, subject) as newest
            from {RELATION} where {_settled(as_of, currency)}
        ) as settled
        where newest <= {MAX_STATED} group by kind order by kind"""
    ).to_pylist()
    return [row | {"deviation": deviation(row["promised"], row["came"])} for row in rows]


def _settled(as_of: date, currency: str | None) -> str:
    return f"due_on <= '{as_of}' and came is not null and coalesce(currency, '') = '{currency or ''}'"


def _came(warehouse: Warehouse, row: Mapping[str, Any]) -> float:
    """What the customers of a forecast spent until it was due, as known then; of an expected loss, what that is less
    than they would have spent if all had stayed, as stated at the time."""
    start, end = row["stated_on"], row["due_on"]
    [spent] = warehouse.row(
        f"""select cast(coalesce(sum(purchases.net_amount), 0) as double) from {PURCHASES} as purchases
        inner join (
            select distinct customer_id from {PREDICTIONS} where source = 'batch' and as_of_date = '{start}'
        ) as predicted on purchases.customer_id = predicted.customer_id
        where purchases.net_amount > 0 and purchases.purchased_on > '{start}' and purchases.purchased_on <= '{end}'
            and purchases.known_from <= '{end}' and purchases.known_until > '{end}'"""
    )
    return float(spent) if row["kind"] == EXPECTED_SPEND else float(row["spend_if_all_stay"] - spent)


def _interval(row: Mapping[str, Any], name: str) -> tuple[float, float, float]:
    mean, low, high = (float(row[f"{name}{end}"]) for end in _MEAN_AND_ENDS)
    return mean, low, high


def _ends(name: str, ends: tuple[float, float] | None) -> dict[str, float | None]:
    low, high = ends or (None, None)
    return {f"{name}_low": low, f"{name}_high": high}


def _store(warehouse: Warehouse, rows: list[dict[str, Any]]) -> None:
    if rows:
        warehouse.merge(RELATION, pa.Table.from_pylist(rows, schema=_SCHEMA), KEY)


_SCHEMA = pa.schema(
    {
        "kind": pa.string(), "subject": pa.string(), "stated_on": pa.date32(), "due_on": pa.date32(),
        "customers": pa.int64(),
        **{f"{name}{end}": pa.float64() for name in ("promised", "uncorrected", "came") for end in _MEAN_AND_ENDS},
        "spend_if_all_stay": pa.float64(), "currency": pa.string(),
    }
)  # fmt: skip
