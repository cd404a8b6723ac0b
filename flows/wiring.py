"""The one place that reads the switch and decides what stands behind each name."""

from dataclasses import dataclass

from flows.adapters.connections import Connections, read_connections
from flows.adapters.dbt_runner import DbtProject
from flows.adapters.duckdb_warehouse import DuckDBWarehouse
from flows.adapters.model_store import ModelStore
from flows.settings import REPOSITORY, SHIPPED_MODELS, Settings


@dataclass(frozen=True)
class Wiring:
    connections: Connections
    warehouse: DuckDBWarehouse
    dbt: DbtProject
    own_models: ModelStore
    shipped_models: ModelStore


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
        own_models=ModelStore(settings.models_folder),
        shipped_models=ModelStore(SHIPPED_MODELS),
    )
