"""`marts.model_monitoring` and `marts.model_reliability`: drift at each scoring, and the realised quality of scores."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import pyarrow as pa

from flows.adapters.models.registry import ModelRegistry, StoredModel
from flows.churn.backtest import MIN_PER_OUTCOME
from flows.churn.evaluation import reliability
from flows.churn.monitoring import PSI_LIMIT, Measurement, drift, realised
from flows.churn.training_set import HORIZONS_TO_KEEP, can_be_kept, feature_matrix
from flows.errors import ModelRefused
from flows.ports.warehouse import Warehouse

RELATION = "marts.model_monitoring"
KEY = ("model_version", "as_of_date", "horizon_days", "measure", "feature")

NO_MEASUREMENTS = pa.schema(
    {
        "model_version": pa.string(),
        "as_of_date": pa.date32(),
        "horizon_days": pa.int32(),
        "measure": pa.string(),
        "feature": pa.string(),
        "value": pa.float64(),
        "limit_value": pa.float64(),
        "is_warning": pa.bool_(),
        "customers": pa.int64(),
        "measured_at": pa.timestamp("s"),
    }
).empty_table()

RELIABILITY = "marts.model_reliability"
RELIABILITY_KEY = ("model_version", "evidence", "as_of_date", "horizon_days", "tenth")

NO_DECILES = pa.schema(
    {
        "model_version": pa.string(),
        "evidence": pa.string(),
        "as_of_date": pa.date32(),
        "horizon_days": pa.int32(),
        "tenth": pa.int32(),
        "customers": pa.int64(),
        "mean_probability": pa.float64(),
        "churn_rate": pa.float64(),
        "standard_error": pa.float64(),
        "measured_at": pa.timestamp("s"),
    }
).empty_table()

WARNING_TEXTS = {
    "feature_drift": "customers differ in {feature} from those at training: PSI {value:.2f}, limit {limit_value:.2f}",
    "score_drift": "scores differ from those at training: PSI {value:.2f}, limit {limit_value:.2f}",
    "auc": "the scores of {as_of_date} sorted worse than expected: AUC {value:.3f}, limit {limit_value:.3f}",
    "brier": "the scores of {as_of_date} were worse than the base rate: Brier {value:.3f}, limit {limit_value:.3f}",
    "ece": "the scores of {as_of_date} were off: calibration error {value:.3f}, limit {limit_value:.3f}",
    "expected_to_actual_spend": "the spend expected on {as_of_date} was {value:.2f} times the actual spend",
}


_MANY_DRIFTED = (
    "customers differ in {count} figures from those at training, most in {feature}:"
    " PSI {value:.2f}, limit {limit_value:.2f}"
)
MAX_DRIFTED_NAMED = 5


_GROWN = (
    "{count} figures that grow with the age of the shop differ from those at training, most {feature}"
    " (PSI {value:.2f}): no alarm"
)


def describe_growth(measured: pa.Table) -> list[str]:
    """What differs from the training only because the shop has grown older; nothing, or one sentence."""
    rows = [row for row in measured.to_pylist() if row["limit_value"] is None and row["value"] > PSI_LIMIT]
    return [_GROWN.format(count=len(rows), **max(rows, key=lambda row: row["value"]))] if rows else []


def describe_warnings(measured: pa.Table) -> list[str]:
    """A sentence for each figure beyond its limit; one for all features, where many have drifted."""
    warnings = measured.filter(measured.column("is_warning")).to_pylist()
    drifted = [row for row in warnings if row["measure"] == "feature_drift"]
    if len(drifted) <= MAX_DRIFTED_NAMED:
        return [WARNING_TEXTS[row["measure"]].format(**row) for row in warnings]
    most = max(drifted, key=lambda row: row["value"] / row["limit_value"])
    others = [WARNING_TEXTS[row["measure"]].format(**row) for row in warnings if row not in drifted]
    return [_MANY_DRIFTED.format(count=len(drifted), **most), *others]


def monitor(
    warehouse: Warehouse, models: ModelRegistry, model: StoredModel | None, as_of: date, measured_at: datetime
) -> pa.Table:
    """Measures and stores the drift of this run's customers, and the quality of every earlier batch whose horizon
    has passed since and that was not measured before. Returns the rows of `marts.model_monitoring` that it stored."""
    warehouse.merge(RELATION, NO_MEASUREMENTS, KEY)
    measured = [] if model is None else _drift(warehouse, model, as_of, measured_at)
    deciles = _held_out(model, measured_at) if model and model.version in models.versions() else []
    realised_figures, realised_deciles = _realised(warehouse, models, measured_at)
    rows = pa.Table.from_pylist(measured + realised_figures, schema=NO_MEASUREMENTS.schema)
    warehouse.merge(RELIABILITY, pa.Table.from_pylist(deciles + realised_deciles, NO_DECILES.schema), RELIABILITY_KEY)
    warehouse.merge(RELATION, rows, KEY)  # last: what is stored here is not measured again
    return rows


def _drift(warehouse: Warehouse, model: StoredModel, as_of: date, measured_at: datetime) -> list[dict[str, object]]:
    scored = warehouse.read(
        f"""select features.*, predictions.churn_probability from marts.customer_features as features
        inner join marts.churn_predictions as predictions
            on features.customer_id = predictions.customer_id and features.as_of_date = predictions.as_of_date
        where predictions.source = 'batch' and predictions.as_of_date = '{as_of}'
            and predictions.horizon_days = {model.horizon_days}"""
    )
    if not scored.num_rows:
        return []
    probability = scored.column("churn_probability").to_numpy()
    measured = drift(model.card["drift_reference"], feature_matrix(scored), probability)
    return [_row(model.version, as_of, model.horizon_days, figure, measured_at) for figure in measured]


def _held_out(model: StoredModel, measured_at: datetime) -> list[dict[str, object]]:
    """The reliability of the model's held-out dates, from its card."""
    return [
        row
        for held_out in model.card["held_out"]
        for row in _deciles(
            (model.version, "held_out", date.fromisoformat(held_out["date"]), model.horizon_days),
            held_out.get("reliability", ()),  # cards of older models have none
            measured_at,
        )
    ]


def _realised(
    warehouse: Warehouse, models: ModelRegistry, measured_at: datetime
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    keepable = f"recency_days <= {HORIZONS_TO_KEEP} * horizon_days"
    batches = warehouse.read(
        f"""select model_version, as_of_date, horizon_days from marts.prediction_outcomes as outcomes
        where not exists (
            select 1 from {RELATION} as measured
            where measured.model_version = outcomes.model_version and measured.as_of_date = outcomes.as_of_date
                and measured.horizon_days = outcomes.horizon_days and measured.measure = 'auc'
        )
        group by model_version, as_of_date, horizon_days
        having least(count_if(churned and {keepable}), count_if(not churned and {keepable})) >= {MIN_PER_OUTCOME}
        order by model_version, as_of_date, horizon_days"""
    ).to_pylist()
    figures, deciles = [], []
    for batch in batches:
        version, day, horizon_days = batch.values()
        outcomes = warehouse.read(
            f"""select churned, recency_days, churn_probability, spend_in_horizon, expected_spend
            from marts.prediction_outcomes
            where model_version = '{version}' and as_of_date = '{day}' and horizon_days = {horizon_days}"""
        )
        recency, probability, spend, expected = (
            column.cast(pa.float64()).to_numpy() for column in outcomes.columns[1:]
        )
        churned, keepable_now = outcomes.column("churned").to_numpy(), can_be_kept(recency, horizon_days)
        measured = realised(churned, probability, keepable_now, spend, expected, _backtest_auc(models, version))
        figures += [_row(version, day, horizon_days, figure, measured_at) for figure in measured]
        predicted_and_observed = reliability(churned[keepable_now], probability[keepable_now])
        deciles += _deciles((version, "realised", day, horizon_days), predicted_and_observed, measured_at)
    return figures, deciles


def _backtest_auc(models: ModelRegistry, version: str) -> float | None:
    try:
        return float(models.load(version).card["quality"]["auc"])
    except ModelRefused:  # shipped with the project, or no longer there
        return None


def _row(version: str, as_of: date, horizon_days: int, figure: Measurement, measured_at: datetime) -> dict[str, object]:
    return {
        "model_version": version,
        "as_of_date": as_of,
        "horizon_days": horizon_days,
        "measure": figure.measure,
        "feature": figure.feature,
        "value": figure.value,
        "limit_value": figure.limit,
        "is_warning": figure.is_warning,
        "customers": figure.customers,
        "measured_at": measured_at.replace(tzinfo=None),
    }


def _deciles(
    of: tuple[str, str, date, int], predicted_and_observed: Sequence[Mapping[str, float]], measured_at: datetime
) -> list[dict[str, object]]:
    """Rows of `marts.model_reliability`; `of`: the first fields of its key."""
    return [
        {
            **dict(zip(RELIABILITY_KEY, (*of, decile), strict=True)),
            **row,
            "customers": int(row["customers"]),
            "measured_at": measured_at.replace(tzinfo=None),
        }
        for decile, row in enumerate(predicted_and_observed, start=1)
    ]
