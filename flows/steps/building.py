"""dbt's builds of a run, and their as-of date."""

import logging
from collections.abc import Mapping
from typing import Any

from flows.adapters.dbt.runner import DbtProject
from flows.adapters.marts.staged_orders import AsOf, KeptHorizon, decide_as_of, describe_misdated
from flows.orchestration import task, waits_for_warehouse
from flows.ports.warehouse import Warehouse
from flows.settings import Settings

log = logging.getLogger(__name__)

# What each build of a run makes: the folders of dbt_project, so that a new model needs no line here.
STAGING = ("path:seeds", "path:models/staging")
FEATURES = ("path:models/intermediate", "path:models/marts/features", "path:models/marts/app_state")
TRAINING = ("path:models/training",)
SCORES = ("path:models/marts/scores",)


@task(run_name="build {title}", retry=waits_for_warehouse)
def build(
    dbt: DbtProject,
    title: str,
    selection: tuple[str, ...],
    mappings: Mapping[str, Any],
    run_values: Mapping[str, Any],
) -> None:
    log.info("building %s", title)
    dbt.build(selection, mappings, run_values)


@task(retry=waits_for_warehouse)
def find_as_of(warehouse: Warehouse, settings: Settings, kept: KeptHorizon | None) -> AsOf:
    as_of = decide_as_of(warehouse, settings.as_of, settings.currency, settings.horizon_days, kept)
    for note in describe_misdated(warehouse):
        log.warning(note)
    log.info("everything is as of the end of %s", as_of.date)
    log.info("looking %d days ahead: %s", as_of.horizon_days, as_of.why_horizon)
    return as_of
