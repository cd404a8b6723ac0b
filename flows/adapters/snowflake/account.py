"""The account, user and database in Snowflake: from the environment or a Prefect block, for the connector and for
dbt."""

import base64
from dataclasses import dataclass, field
from typing import Any, Self

from snowflake.connector.util_text import construct_hostname

from flows.errors import SettingsError
from flows.settings import SnowflakeSettings
from functions.prediction_sink.snowflake_connection import SettingsRefused, private_key_der

LOGIN_TIMEOUT_SECONDS = 30
LOCK_TIMEOUT_SECONDS = 300  # a killed run may hold its locks for hours
NETWORK_TIMEOUT_SECONDS = 120  # how long the connector itself retries without a response


@dataclass(frozen=True)
class SnowflakeAccount:
    """`private_key`: unencrypted DER; either it or `password` is set. `elsewhere`: host, port and protocol of another
    server than Snowflake's cloud."""

    account: str
    user: str
    role: str
    warehouse: str
    database: str
    schema: str
    private_key: bytes | None = field(repr=False)
    password: str | None = field(repr=False)
    query_tag: str
    statement_timeout_seconds: int
    elsewhere: tuple[tuple[str, str | int], ...] = ()

    @classmethod
    def read(cls, settings: SnowflakeSettings) -> Self:
        """The account that the settings describe.

        Raises:
            SettingsError: naming what is missing, or why the key or the block cannot be used; never the key.
        """
        identity = _from_block(settings.block) if settings.block else _from_environment(settings)
        elsewhere = {name: getattr(settings, name) for name in ("host", "port", "protocol")}
        return cls(
            **identity,
            query_tag=settings.query_tag,
            statement_timeout_seconds=settings.statement_timeout_seconds,
            elsewhere=tuple((name, value) for name, value in elsewhere.items() if value is not None),
        )

    @property
    def host(self) -> str:
        """The account's host, for other clients."""
        given = str(dict(self.elsewhere).get("host", ""))
        if given.endswith((".snowflakecomputing.com", ".snowflakecomputing.cn")):  # for example PrivateLink
            return given
        return str(construct_hostname(None, self.account.replace("_", "-")))

    def connection_arguments(self) -> dict[str, Any]:
        """What `snowflake.connector.connect` wants."""
        secret: dict[str, Any] = {"private_key": self.private_key} if self.private_key else {"password": self.password}
        return {
            "account": self.account, "user": self.user, "role": self.role, "warehouse": self.warehouse,
            "database": self.database, "schema": self.schema, **secret, **dict(self.elsewhere),
            "application": "rfm_churn",
            "login_timeout": LOGIN_TIMEOUT_SECONDS,
            "network_timeout": NETWORK_TIMEOUT_SECONDS,
            "session_parameters": {
                "QUERY_TAG": self.query_tag,
                "STATEMENT_TIMEOUT_IN_SECONDS": self.statement_timeout_seconds,
                "LOCK_TIMEOUT": LOCK_TIMEOUT_SECONDS,
                "TIMEZONE": "UTC",
            },
        }  # fmt: skip

    def dbt_environment(self) -> dict[str, str]:
        """The variables that dbt_project/profiles.yml reads; dbt hides the values of those named DBT_ENV_SECRET_…"""
        given = {
            "SNOWFLAKE_ACCOUNT": self.account, "SNOWFLAKE_USER": self.user, "SNOWFLAKE_ROLE": self.role,
            "SNOWFLAKE_WAREHOUSE": self.warehouse, "SNOWFLAKE_DATABASE": self.database,
            "SNOWFLAKE_QUERY_TAG": self.query_tag,
            "DBT_ENV_SECRET_SNOWFLAKE_PRIVATE_KEY": base64.b64encode(self.private_key or b"").decode(),
            "DBT_ENV_SECRET_SNOWFLAKE_PASSWORD": self.password or "",
        }  # fmt: skip
        return given | {f"SNOWFLAKE_{name.upper()}": str(value) for name, value in self.elsewhere}


def _from_environment(settings: SnowflakeSettings) -> dict[str, Any]:
    required = ("account", "user", "role", "warehouse", "database")
    missing = [f"SNOWFLAKE_{name.upper()}" for name in required if getattr(settings, name) is None]
    key = settings.private_key.get_secret_value() if settings.private_key else None
    if settings.private_key_file:
        try:
            key = settings.private_key_file.expanduser().read_text(encoding="utf-8")
        except OSError as problem:
            raise SettingsError(
                f"SNOWFLAKE_PRIVATE_KEY_FILE={settings.private_key_file}: {problem.strerror}."
            ) from None
    if not key and not settings.password:
        missing.append("SNOWFLAKE_PRIVATE_KEY_FILE (or SNOWFLAKE_PRIVATE_KEY)")
    if missing:
        raise SettingsError(
            f"Snowflake needs these variables too: {', '.join(missing)};"
            " or SNOWFLAKE_BLOCK, the name of a Prefect block that holds them."
        )
    passphrase = settings.private_key_passphrase
    return {name: getattr(settings, name) for name in required} | {
        "schema": settings.default_schema,
        "private_key": _der(key, passphrase.get_secret_value() if passphrase else None) if key else None,
        "password": settings.password.get_secret_value() if settings.password else None,
    }


def _der(key: str, passphrase: str | None) -> bytes:
    try:
        return private_key_der(key, passphrase)
    except SettingsRefused as problem:
        raise SettingsError(f"{problem} If it is encrypted, SNOWFLAKE_PRIVATE_KEY_PASSPHRASE must fit it.") from None


def _from_block(name: str) -> dict[str, Any]:
    from prefect_snowflake import (
        SnowflakeConnector,  # takes a second or two, so it is imported only where a block is used
    )

    try:
        block = SnowflakeConnector.load(name)
        private_key = block.credentials.resolve_private_key()
    except (ValueError, TypeError) as problem:
        raise SettingsError(f"SNOWFLAKE_BLOCK={name}: {problem}") from None
    credentials = block.credentials
    identity = {
        "account": credentials.account, "user": credentials.user, "role": credentials.role,
        "warehouse": block.warehouse, "database": block.database, "schema": block.schema_,
    }  # fmt: skip
    if missing := [part for part, value in identity.items() if not value]:
        raise SettingsError(f"SNOWFLAKE_BLOCK={name}: the block has no {' and no '.join(missing)}.")
    password = credentials.password.get_secret_value() if credentials.password else None
    return identity | {"private_key": private_key, "password": password}
