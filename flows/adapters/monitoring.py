"""`marts.model_monitoring`: drift at each scoring, and how right past scores turned out."""

from datetime import date, datetime

import pyarrow as pa

from flows.adapters.model_registry import ModelRegistry, StoredModel
from flows.adapters.warehouse import Warehouse
from flows.churn.backtest import FEWEST_OF_EACH_OUTCOME
from flows.churn.monitoring import Measurement, drift, realised
from flows.churn.training_set import feature_matrix
from flows.errors import ModelRefused

RELATION = "marts.model_monitoring"
KEY = ("model_version", "as_of_date", "horizon_days", "measure", "feature")

_EMPTY = pa.schema(
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


_MEASURES = {
    "feature_drift": "customers differ in {feature} from those at training: PSI {value:.2f}, limit {limit_value:.2f}",
    "score_drift": "scores differ from those at training: PSI {value:.2f}, limit {limit_value:.2f}",
    "auc": "the scores of {as_of_date} sorted worse than expected: AUC {value:.3f}, limit {limit_value:.3f}",
    "brier": "the scores of {as_of_date} were worse than the base rate: Brier {value:.3f}, limit {limit_value:.3f}",
    "ece": "the scores of {as_of_date} were off: calibration error {value:.3f}, limit {limit_value:.3f}",
    "expected_to_actual_spend": "the spend expected on {as_of_date} was {value:.2f} times what came",
}


def warnings_in_words(measured: pa.Table) -> list[str]:
    """The rows that are beyond their limit, for people."""
    warnings = measured.filter(measured.column("is_warning")).to_pylist()
    return [_MEASURES[row["measure"]].format(**row) for row in warnings]


def monitor(
    warehouse: Warehouse, models: ModelRegistry, model: StoredModel | None, as_of: date, measured_at: datetime
) -> pa.Table:
    """Measures and stores the drift of this run's customers, and the quality of every earlier batch whose horizon
    has passed since and that was not measured before. Returns the rows it stored."""
    warehouse.merge(RELATION, _EMPTY, KEY)
    found = [] if model is None else _drift(warehouse, model, as_of, measured_at)
    rows = pa.Table.from_pylist(found + _realised(warehouse, models, measured_at), schema=_EMPTY.schema)
    warehouse.merge(RELATION, rows, KEY)
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


def _realised(warehouse: Warehouse, models: ModelRegistry, measured_at: datetime) -> list[dict[str, object]]:
    batches = warehouse.read(
        f"""select model_version, as_of_date, horizon_days from marts.prediction_outcomes as outcomes
        where not exists (
            select 1 from {RELATION} as measured
            where measured.model_version = outcomes.model_version and measured.as_of_date = outcomes.as_of_date
                and measured.horizon_days = outcomes.horizon_days and measured.measure = 'auc'
        )
        group by model_version, as_of_date, horizon_days
        having least(count_if(churned), count_if(not churned)) >= {FEWEST_OF_EACH_OUTCOME}
        order by model_version, as_of_date, horizon_days"""
    ).to_pylist()
    rows = []
    for batch in batches:
        version, day, horizon_days = batch.values()
        outcomes = warehouse.read(
            f"""select churned, churn_probability, spend_in_horizon, expected_spend from marts.prediction_outcomes
            where model_version = '{version}' and as_of_date = '{day}' and horizon_days = {horizon_days}"""
        )
        probability, spend, expected = (column.cast(pa.float64()).to_numpy() for column in outcomes.columns[1:])
        churned = outcomes.column("churned").to_numpy()
        measured = realised(churned, probability, spend, expected, _backtest_auc(models, version))
        rows += [_row(version, day, horizon_days, figure, measured_at) for figure in measured]
    return rows


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
