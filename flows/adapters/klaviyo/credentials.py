"""The key that writes to Klaviyo: from the environment or from a Prefect block."""

from flows.adapters.prefect.secret_block import read_secret_text
from flows.errors import SettingsError
from flows.settings import KlaviyoSettings


def read_key(settings: KlaviyoSettings) -> str:
    """A private API key.

    Raises:
        SettingsError: naming what is missing, or why the block cannot be used; never the key.
    """
    if settings.block:
        return read_secret_text("KLAVIYO_BLOCK", settings.block, "key")
    if settings.api_key is None:
        raise SettingsError(
            "KLAVIYO_API_KEY is missing: a private key that may read and write lists and profiles, and read"
            " subscriptions; or KLAVIYO_BLOCK, the name of a Prefect Secret block that holds it."
        )
    return settings.api_key.get_secret_value()
