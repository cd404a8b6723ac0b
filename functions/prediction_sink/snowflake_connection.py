"""A connection to Snowflake with a key pair, as the environment describes it."""

import json
from collections.abc import Mapping
from typing import Any

from functions.prediction_record import RELATION

REQUIRED = (
    "SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER", "SNOWFLAKE_ROLE", "SNOWFLAKE_WAREHOUSE", "SNOWFLAKE_DATABASE"
)  # fmt: skip
KEY_SECRET = "SNOWFLAKE_PRIVATE_KEY_SECRET"  # noqa: S105  the name of a variable that names a secret
# to reach something that is not Snowflake's cloud
OPTIONAL = ("SNOWFLAKE_HOST", "SNOWFLAKE_PORT", "SNOWFLAKE_PROTOCOL")


class SettingsRefused(Exception):
    """A setting that is missing or does not fit."""


def require_settings(environment: Mapping[str, str]) -> None:
    """Checks that all variables are set.

    Raises:
        SettingsRefused: names those that are missing.
    """
    if missing := [name for name in (*REQUIRED, KEY_SECRET) if not environment.get(name)]:
        raise SettingsRefused(f"These settings are missing: {', '.join(missing)}.")


def connection_arguments(environment: Mapping[str, str], key_text: str) -> dict[str, Any]:
    """The arguments of `snowflake.connector.connect`, from the variables above.

    `key_text` is the private key in PEM, or a JSON object of private_key and passphrase.

    Raises:
        SettingsRefused: when the key cannot be read; the message never contains it.
    """
    given = {name.removeprefix("SNOWFLAKE_").lower(): environment.get(name) for name in (*REQUIRED, *OPTIONAL)}
    return {name: value for name, value in given.items() if value} | {
        "schema": RELATION.partition(".")[0],
        "private_key": private_key_der(key_text),
        "login_timeout": 10,
        "network_timeout": 20,
        "session_parameters": {"QUERY_TAG": "prediction_sink"},
    }


def connect(environment: Mapping[str, str], key_text: str) -> Any:
    """An open connection."""
    import snowflake.connector  # takes a third of a second, which a sandbox without messages saves

    return snowflake.connector.connect(**connection_arguments(environment, key_text))


def private_key_der(key_text: str, passphrase: str | None = None) -> bytes:
    """The key in the connector's format, from PEM or from a JSON object of private_key and passphrase.

    Raises:
        SettingsRefused: when it cannot be read; the message never contains it.
    """
    from cryptography.hazmat.primitives import serialization

    try:
        given = json.loads(key_text) if key_text.lstrip().startswith("{") else {"private_key": key_text}
        passphrase = given.get("passphrase") or passphrase
        key = serialization.load_pem_private_key(
            given["private_key"].encode(), passphrase.encode() if passphrase else None
        )
    except (ValueError, TypeError, KeyError):
        raise SettingsRefused(
            "The private key cannot be read: store it as PEM (PKCS #8), or as JSON with private_key and passphrase."
        ) from None
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
