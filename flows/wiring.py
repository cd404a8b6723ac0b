"""The only place that reads WAREHOUSE and chooses the adapters."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.adapters.airbyte.cdk.syncs import CdkSyncs
from flows.adapters.dbt.runner import DbtProject
from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.files import importer_files as csv_files
from flows.adapters.models.registry import ModelRegistry
from flows.errors import SettingsError
from flows.ports.destination import Destination
from flows.ports.syncs import Syncs
from flows.ports.warehouse import Warehouse
from flows.settings import (
    CONNECTIONS,
    REPOSITORY,
    SHIPPED_MODELS,
    AirbyteSettings,
    BrevoSettings,
    HubSpotSettings,
    KlaviyoSettings,
    MailchimpSettings,
    Settings,
    SnowflakeSettings,
    TableauSettings,
    read_settings,
)
from flows.sources.connections import Connections, read_connections
from functions.clock import now

if TYPE_CHECKING:
    from flows.adapters.tableau.server import TableauServer
    from flows.adapters.tableau.workbook import SnowflakeConnection


@dataclass(frozen=True)
class Wiring:
    connections: Connections
    warehouse: Warehouse
    dbt: DbtProject
    own_models: ModelRegistry
    shipped_models: ModelRegistry

    def registry_for(self, version: str) -> ModelRegistry:
        """The registry of a version."""
        return self.shipped_models if version in self.shipped_models.versions() else self.own_models

    def own_card(self, version: str) -> Mapping[str, Any] | None:
        """The card of a version that was trained on this shop; None of the shipped one, and where it is not kept."""
        return None if version in self.shipped_models.versions() else self.own_models.card(version)


def wire(settings: Settings, *, reads_only: bool = False) -> Wiring:
    """Everything a run reads from and writes to. `reads_only`: the laptop's warehouse cannot be written to; what may be
    done in Snowflake is up to the role."""
    warehouse, dbt_settings = _warehouse(settings, reads_only)
    return Wiring(
        connections=read_connections(CONNECTIONS),
        warehouse=warehouse,
        dbt=DbtProject(
            folder=REPOSITORY / "dbt_project",
            target=settings.warehouse,
            threads=settings.threads,
            state=settings.data_dir / ".dbt",
            keeps_artifacts=settings.outputs is not None,
            **dbt_settings,
        ),
        own_models=ModelRegistry(settings.model_store, settings.models_cache),
        shipped_models=ModelRegistry(str(SHIPPED_MODELS), settings.models_cache),
    )


@dataclass(frozen=True)
class Syncing:
    """Who syncs, and optionally which connections `instead` of those that a run reads."""

    by: Syncs
    instead: tuple[str, ...] = ()


def syncs(wiring: Wiring) -> Syncing | None:
    """The syncs of a run's sources; None where AIRBYTE_URL is not set and Airbyte syncs by itself.

    Raises:
        SettingsError: naming what is missing to reach Airbyte's server.
    """
    if isinstance(wiring.warehouse, DuckDBWarehouse):
        return Syncing(CdkSyncs(wiring.warehouse, wiring.connections, CONNECTIONS.parent, now))
    airbyte = read_settings(AirbyteSettings)
    if airbyte.url is None:
        return None
    from flows.adapters.airbyte.server import AirbyteServer  # imports Airbyte's SDK, so it is done only with a server

    return Syncing(AirbyteServer.read(airbyte), airbyte.connections)


def tableau() -> "TableauServer | None":
    """Where to publish; None where TABLEAU_URL is not set.

    Raises:
        SettingsError: naming what is missing to reach Tableau.
    """
    settings = read_settings(TableauSettings)
    if settings.url is None:
        return None
    from flows.adapters.tableau.server import TableauServer  # imports Tableau's SDK, so it is done only with a server

    return TableauServer.read(settings)


def workbook_connection(settings: Settings) -> "SnowflakeConnection | None":
    """Where the workbook finds the marts; None: in its extract."""
    if settings.warehouse == "duckdb":
        return None
    from flows.adapters.snowflake.account import SnowflakeAccount
    from flows.adapters.tableau.credentials import read_credentials
    from flows.adapters.tableau.workbook import SnowflakeConnection

    account, tableau = SnowflakeAccount.read(read_settings(SnowflakeSettings)), read_settings(TableauSettings)
    login = read_credentials(tableau).snowflake if tableau.url else None
    return SnowflakeConnection(
        server=account.host,
        database=account.database,
        warehouse=tableau.snowflake_warehouse,
        role=tableau.snowflake_role,
        authentication="oauth" if login is None else "Username Password" if login.password else "auth-keypair",
    )


def destination(settings: Settings, name: str) -> Destination:
    """The destination of a campaign's customers or of everyone's segments, by its name.

    Raises:
        SettingsError: when there is none of this name, or naming what is missing to reach it.
    """
    if name in csv_files.NAMES:
        return csv_files.CsvFiles(settings.campaigns_folder, name)
    if name not in BY_API:
        raise SettingsError(f"There is no destination {name!r}. There are: {', '.join([*csv_files.NAMES, *BY_API])}.")
    return BY_API[name]()


def _hubspot() -> Destination:
    from flows.adapters.hubspot.destination import HubSpotContacts  # imports HubSpot's SDK, so it is done only for it

    return HubSpotContacts.read(read_settings(HubSpotSettings))


def _klaviyo() -> Destination:
    from flows.adapters.klaviyo.destination import KlaviyoProfiles

    return KlaviyoProfiles.read(read_settings(KlaviyoSettings))


def _brevo() -> Destination:
    from flows.adapters.brevo.destination import BrevoContacts

    return BrevoContacts.read(read_settings(BrevoSettings))


def _mailchimp() -> Destination:
    from flows.adapters.mailchimp.destination import MailchimpMembers

    return MailchimpMembers.read(read_settings(MailchimpSettings))


BY_API: Mapping[str, Callable[[], Destination]] = {
    "hubspot": _hubspot,
    "klaviyo_api": _klaviyo,
    "brevo_api": _brevo,
    "mailchimp_api": _mailchimp,
}


def _warehouse(settings: Settings, reads_only: bool) -> tuple[Warehouse, Mapping[str, Any]]:
    """The warehouse, and dbt's settings for it."""
    if settings.warehouse == "duckdb":
        environment = {"WAREHOUSE_FILE": str(settings.warehouse_file)}  # of dbt_project/profiles.yml
        return DuckDBWarehouse(settings.warehouse_file, settings.scratch, reads_only=reads_only), {
            "environment": environment,
            "connection": _dbts_connection,
        }
    return _snowflake(read_settings(SnowflakeSettings), settings.scratch)


def _dbts_connection() -> AbstractContextManager[None]:
    from flows.adapters.duckdb.scoring import dbts_connection  # imports dbt, so it is done only for a build

    return dbts_connection()


@lru_cache(maxsize=4)
def _snowflake(settings: SnowflakeSettings, scratch: Path) -> tuple[Warehouse, Mapping[str, Any]]:
    """Cached with its connection: signing in takes a second."""
    from flows.adapters.snowflake import errors as snowflake_errors
    from flows.adapters.snowflake.account import SnowflakeAccount
    from flows.adapters.snowflake.warehouse import SnowflakeWarehouse

    account = SnowflakeAccount.read(settings)
    return SnowflakeWarehouse(account, scratch, settings.scoring), {
        "variables": {"scoring": settings.scoring},
        "environment": account.dbt_environment(),
        "advice": snowflake_errors.advice,
        "is_broken_connection": snowflake_errors.is_broken_connection,
    }
