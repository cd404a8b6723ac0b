"""The same run in both warehouses, and what is different between them: value by value, for all that dbt builds."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.models.registry import ModelRegistry
from flows.settings import SHIPPED_MODELS, Settings
from flows.wiring import wire
from tests.running.dbt import dbt
from tests.running.processes import flows
from tests.running.serving import api_on_loopback

# when a row was made, which two runs cannot share
RUN_COLUMNS = {"scored_at", "decided_at", "measured_at", "extracted_at", "launched_at", "sent_at"}
# twelve digits: engines add doubles in orders of their own
RELATIVE = 1e-12


def run_on_both(run_pipeline, folder: Path, snowflake, environment, killed_at=(), **settings):
    """Runs the pipeline on the laptop's warehouse, serves its model, and runs it on Snowflake with that API and the
    same models; returns the settings of both runs. `environment` is a pytest monkeypatch. Before that, a run on
    Snowflake is killed at each of the statements of `killed_at`."""
    laptop = Settings(data_dir=folder / "laptop", **settings)
    run_pipeline(laptop.data_dir, **settings)
    for name, value in snowflake.flow_settings.items():
        if name != "WAREHOUSE":
            environment.setenv(name, value)
    models = {"models": str(folder / "laptop" / "models")}
    cloud = Settings(data_dir=folder / "cloud", warehouse="snowflake", **models, **settings)
    registries = [ModelRegistry(models["models"], folder), ModelRegistry(str(SHIPPED_MODELS), folder)]
    with api_on_loopback(registries) as url:
        snowflake.steer(api=f"{url}/snowflake", statements=[], batches=[])
        for statement in killed_at:
            _kill_a_run_at(statement, snowflake, cloud.data_dir, models | settings)
        run_pipeline(cloud.data_dir, warehouse="snowflake", **models, **settings)
    return laptop, cloud


def _kill_a_run_at(statement: str, snowflake, data_dir: Path, settings: dict) -> None:
    snowflake.steer(faults=[{"matches": statement, "does": "hang"}])
    given = {name.upper(): str(value) for name, value in settings.items()}
    with flows("run", data_dir, **snowflake.flow_settings, **given) as process:
        snowflake.wait_for_hanging()
        os.killpg(process.pid, signal.SIGKILL)


def differences(laptop: Settings, cloud: Settings) -> list[str]:
    """Every difference between two warehouses, in words; a report that ought to be empty."""
    found = []
    for relation in built_relations(cloud):
        query = f"select * from {relation}"
        found += _table_differences(
            relation, _comparable(wire(laptop).warehouse.read(query)), _comparable(wire(cloud).warehouse.read(query))
        )
    return found


def built_relations(settings: Settings) -> list[str]:
    """schema.name of every model and seed of the project."""
    nodes = [node for node in parsed(settings).nodes.values() if node.resource_type in ("model", "seed")]
    written_by_flows = ["marts.model_monitoring", "marts.model_reliability"]
    return [*sorted(f"{node.schema}.{node.name}" for node in nodes), *written_by_flows]


def last_build(settings: Settings) -> dict[str, Any]:
    """What dbt was given in a run's last build: `variables` and `run_values`."""
    return json.loads((settings.data_dir / ".dbt" / "last_build.json").read_text())


def parsed(settings: Settings) -> Any:
    """dbt's manifest of the project as a run has compiled it."""
    project = wire(settings).dbt
    ended = dbt(
        "parse", "--target", project.target,
        state=project.state / "target", environment=project.environment, variables=last_build(settings)["variables"],
    )  # fmt: skip
    assert ended.success, ended.output
    return ended.result


def _comparable(table: pa.Table) -> pa.Table:
    """Without the columns of a run, each in one type per kind of value, in the order of all of them."""
    table = table.drop_columns([name for name in table.column_names if name in RUN_COLUMNS])
    columns = {}
    for name in sorted(table.column_names):
        column = table.column(name)
        if pa.types.is_decimal(column.type) or pa.types.is_integer(column.type):
            column = column.cast(pa.decimal128(38, 8))
        elif pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us"))
        columns[name] = column
    sorted_by = [(name, "ascending") for name, column in columns.items() if not pa.types.is_floating(column.type)]
    return pa.table(columns).sort_by(sorted_by)


def _table_differences(relation: str, laptop: pa.Table, cloud: pa.Table) -> list[str]:
    if laptop.column_names != cloud.column_names:
        return [f"{relation}: columns {laptop.column_names} and {cloud.column_names}"]
    if laptop.num_rows != cloud.num_rows:
        return [f"{relation}: {laptop.num_rows} and {cloud.num_rows} rows"]
    found = []
    for name in laptop.column_names:
        ours, theirs = laptop.column(name), cloud.column(name)
        if ours.type != theirs.type:
            found.append(f"{relation}.{name}: {ours.type} and {theirs.type}")
            continue
        equal = pc.equal(ours, theirs)
        if pa.types.is_floating(ours.type):
            near = pc.less_equal(pc.abs(pc.subtract(ours, theirs)), pc.multiply(pc.abs(ours), RELATIVE))
            equal = pc.or_kleene(equal, near)
        same = pc.or_(pc.fill_null(equal, False), pc.and_(pc.is_null(ours), pc.is_null(theirs)))
        for row in pc.indices_nonzero(pc.invert(same)).to_pylist()[:3]:
            key = {k: laptop.column(k)[row].as_py() for k in laptop.column_names[:3]}
            found.append(f"{relation}.{name}: {ours[row].as_py()!r} and {theirs[row].as_py()!r} in {key}")
    return found
