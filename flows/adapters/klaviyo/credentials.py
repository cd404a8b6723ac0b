"""The key that writes to Klaviyo: from the environment or from a Prefect block."""

from flows.adapters.prefect.secret_block import read_secret_block
from flows.errors import SettingsError
from flows.settings import KlaviyoSettings


def read_key(settings: KlaviyoSettings) -> str:
    """A private API key.

    Raises:
        SettingsError: naming what is missing, or why the block cannot be used; never the key.
    """
    if settings.block:
        return _from_block(settings.block)
    if settings.api_key is None:
        raise SettingsError(
            "KLAVIYO_API_KEY is missing: a private key that may read and write lists and profiles, and read"
            " subscriptions; or KLAVIYO_BLOCK, the name of a Prefect Secret block that holds it."
        )
    return settings.api_key.get_secret_value()


def _from_block(name: str) -> str:
    held = read_secret_block("KLAVIYO_BLOCK", name)
    if not isinstance(held, str) or not held:
        raise SettingsError(f"KLAVIYO_BLOCK={name}: the block must hold the key, as a text.")
    return held
