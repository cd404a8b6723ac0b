"""The credentials for Airbyte's server: from the environment or from a Prefect block."""

from flows.adapters.prefect.secret_block import read_secret_block
from flows.errors import SettingsError
from flows.settings import AirbyteSettings


def read_credentials(settings: AirbyteSettings) -> tuple[str, str]:
    """Client id and client secret.

    Raises:
        SettingsError: naming what is missing, or why the block cannot be used; never the secret.
    """
    return _from_block(settings.block) if settings.block else _from_environment(settings)


def _from_environment(settings: AirbyteSettings) -> tuple[str, str]:
    if settings.client_id is None or settings.client_secret is None:
        given = {"AIRBYTE_CLIENT_ID": settings.client_id, "AIRBYTE_CLIENT_SECRET": settings.client_secret}
        missing = " and ".join(name for name, value in given.items() if value is None)
        raise SettingsError(
            f"AIRBYTE_URL needs {missing} too; or AIRBYTE_BLOCK, the name of a Prefect Secret block that holds them."
        )
    return settings.client_id, settings.client_secret.get_secret_value()


def _from_block(name: str) -> tuple[str, str]:
    held = read_secret_block("AIRBYTE_BLOCK", name)
    try:
        return str(held["client_id"]), str(held["client_secret"])
    except (TypeError, KeyError):
        raise SettingsError(
            f'AIRBYTE_BLOCK={name}: the block must hold {{"client_id": …, "client_secret": …}}.'
        ) from None
