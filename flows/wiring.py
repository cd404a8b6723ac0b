"""The one place that reads the switch and decides what stands behind each name."""

from dataclasses import dataclass

from flows.adapters.connections import Connections, read_connections
from flows.adapters.dbt_runner import DbtProject
from flows.adapters.duckdb_warehouse import DuckDBWarehouse
from flows.adapters.model_registry import ModelRegistry
from flows.settings import REPOSITORY, SHIPPED_MODELS, Settings


@dataclass(frozen=True)
class Wiring:
    connections: Connections
    warehouse: DuckDBWarehouse
    dbt: DbtProject
    own_models: ModelRegistry
    shipped_models: ModelRegistry


def wire(settings: Settings) -> Wiring:
    """Everything a run reads from and writes to."""
    return Wiring(
        connections=read_connections(REPOSITORY / "airbyte" / "connections.yml"),
        warehouse=DuckDBWarehouse(settings.warehouse_file, settings.scratch),
        dbt=DbtProject(
            folder=REPOSITORY / "dbt_project",
            target=settings.warehouse,
            threads=settings.threads,
            state=settings.data_dir / ".dbt",
            variables={"warehouse_file": str(settings.warehouse_file)},
        ),
        own_models=ModelRegistry(settings.models_location, settings.models_cache),
        shipped_models=ModelRegistry(str(SHIPPED_MODELS), settings.models_cache),
    )
