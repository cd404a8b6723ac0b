"""What a careful operator gives to Terraform, with secrets that would be found wherever they came up."""

import json
from pathlib import Path
from typing import Any

_PEM = "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----"
# Ephemeral: they go through Terraform and stay nowhere
SECRETS = {
    "snowflake_private_key": _PEM.format("found-terraforms-key"),
    "transformer_private_key": _PEM.format("found-transformers-key"),
    "transformer_private_key_passphrase": "found-transformers-passphrase",
    "prefect_api_key": "found-prefects-key",
    "alerts_secret": "https://hooks.example.com/found-alerts-address",
    "airbyte_client_id": "found-airbytes-id",
    "airbyte_client_secret": "found-airbytes-secret",
    "tableau_token_name": "found-tableaus-name",
    "tableau_token_secret": "found-tableaus-secret",
    "hubspot_activation_token": "found-hubspots-token",
}
# For Airbyte, as references into its store of secrets, and as what they are
REFERENCES: dict[str, Any] = {
    "loader_private_key": "secret_coordinate::loader",
    "source_settings": {"HUBSPOT_ACCESS_TOKEN": "secret_coordinate::hubspot"},
}
IN_CLEAR: dict[str, Any] = {
    "loader_private_key": _PEM.format("found-loaders-key"),
    "source_settings": {"HUBSPOT_ACCESS_TOKEN": 'found-"hubspots"-token'},
}
MARK = "found-"  # in every secret above
PURPOSES = ("loader", "transformer", "scorer", "reporter")


def variables(folder: Path) -> dict[str, Any]:
    """Everything that the variables' files leave out; packages are made in the folder."""
    packages = {}
    for name in ("churn_api", "prediction_sink"):
        package = folder / f"{name}.zip"
        package.write_bytes(f"the package of {name}".encode())
        packages[name] = str(package)
    keys = {purpose: f"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A{purpose:A<360}" for purpose in PURPOSES}
    return {**SECRETS, **REFERENCES, "public_keys": keys, "packages": packages}


def description(plan: Any) -> str:
    """As text, to be searched."""
    return json.dumps(plan, ensure_ascii=False)
