"""The token for Tableau, and Tableau's login in Snowflake: from the environment or from a Prefect block."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.adapters.prefect.secret_block import read_secret_block
from flows.errors import SettingsError
from flows.settings import TableauSettings


@dataclass(frozen=True)
class SnowflakeLogin:
    """`password` None: the key pair that the site has saved for this user."""

    user: str
    password: str | None = field(repr=False)


@dataclass(frozen=True)
class TableauCredentials:
    """`snowflake` None: no login is stored, and viewers sign in to Snowflake themselves."""

    token_name: str
    token_secret: str = field(repr=False)
    snowflake: SnowflakeLogin | None


def read_credentials(settings: TableauSettings) -> TableauCredentials:
    """The personal access token, and the login for published connections.

    Raises:
        SettingsError: naming what is missing, or why the block cannot be used; never a secret.
    """
    held = _block(settings.block) if settings.block else _environment(settings)
    password = held.get("snowflake_password")
    if password is None and settings.snowflake_password is not None:
        password = settings.snowflake_password.get_secret_value()
    if settings.snowflake_user is None and password is not None:
        raise SettingsError(
            f"TABLEAU_BLOCK={settings.block} holds a snowflake_password: name its user with TABLEAU_SNOWFLAKE_USER."
        )
    login = SnowflakeLogin(settings.snowflake_user, password) if settings.snowflake_user else None
    return TableauCredentials(str(held["token_name"]), str(held["token_secret"]), login)


def _environment(settings: TableauSettings) -> Mapping[str, Any]:
    if settings.token_name is None or settings.token_secret is None:
        given = {"TABLEAU_TOKEN_NAME": settings.token_name, "TABLEAU_TOKEN_SECRET": settings.token_secret}
        missing = " and ".join(name for name, value in given.items() if value is None)
        raise SettingsError(
            f"TABLEAU_URL needs {missing} too; or TABLEAU_BLOCK, the name of a Prefect Secret block that holds them."
        )
    return {"token_name": settings.token_name, "token_secret": settings.token_secret.get_secret_value()}


def _block(name: str) -> Mapping[str, Any]:
    held = read_secret_block("TABLEAU_BLOCK", name)
    if not isinstance(held, dict) or not {"token_name", "token_secret"} <= held.keys():
        raise SettingsError(f'TABLEAU_BLOCK={name}: the block must hold {{"token_name": …, "token_secret": …}}.')
    return held
