"""The token that writes to HubSpot: from the environment or from a Prefect block."""

from flows.adapters.prefect.secret_block import read_secret_text
from flows.errors import SettingsError
from flows.settings import HubSpotSettings


def read_token(settings: HubSpotSettings) -> str:
    """The token of a private app.

    Raises:
        SettingsError: naming what is missing, or why the block cannot be used; never the token.
    """
    if settings.activation_block:
        return read_secret_text("HUBSPOT_ACTIVATION_BLOCK", settings.activation_block, "token")
    if settings.activation_token is None:
        raise SettingsError(
            "HUBSPOT_ACTIVATION_TOKEN is missing: the token of a private app that may read and write contacts, contact"
            " properties and lists; or HUBSPOT_ACTIVATION_BLOCK, the name of a Prefect Secret block that holds it."
        )
    return settings.activation_token.get_secret_value()
