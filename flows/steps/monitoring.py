"""Whether the model still fits its customers, and whether it was right."""

import logging
from datetime import datetime

import pyarrow as pa

from flows.adapters.marts.monitoring import describe_growth, describe_warnings, monitor
from flows.adapters.marts.staged_orders import AsOf
from flows.adapters.models.registry import StoredModel
from flows.orchestration import alert, keep_table, task, waits_for_warehouse
from flows.wiring import Wiring

log = logging.getLogger(__name__)


@task(retry=waits_for_warehouse)
def watch_model(wiring: Wiring, as_of: AsOf, model: StoredModel | None, measured_at: datetime) -> pa.Table:
    """Drift of this run's customers and realised quality of past predictions, with a warning for each figure beyond its
    limit."""
    measured = monitor(wiring.warehouse, wiring.own_models, model, as_of.date, measured_at)
    alert("monitoring", describe_warnings(measured))
    for note in describe_growth(measured):
        log.info(note)
    return measured


def publish_measured(measured: pa.Table) -> None:
    keep_table(
        "model-monitoring",
        [row | {"as_of_date": str(row["as_of_date"])} for row in measured.drop_columns("measured_at").to_pylist()],
        "Drift of this run and realised quality of earlier ones",
    )
