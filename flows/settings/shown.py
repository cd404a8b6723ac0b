"""Which settings a run works with."""

from collections.abc import Iterator
from contextlib import suppress

from pydantic_settings import BaseSettings

from flows.errors import SettingsError
from flows.settings.airbyte import AirbyteSettings
from flows.settings.brevo import BrevoSettings
from flows.settings.digest import DigestSettings
from flows.settings.hubspot import HubSpotSettings
from flows.settings.klaviyo import KlaviyoSettings
from flows.settings.mailchimp import MailchimpSettings
from flows.settings.reader import changed, read_settings
from flows.settings.run import Settings
from flows.settings.snowflake import SnowflakeSettings
from flows.settings.tableau import TableauSettings

SYSTEMS: tuple[type[BaseSettings], ...] = (
    SnowflakeSettings, AirbyteSettings, TableauSettings, HubSpotSettings, KlaviyoSettings, BrevoSettings,
    MailchimpSettings, DigestSettings,
)  # fmt: skip


def differing(settings: Settings) -> str:
    """A line with NAME=value of each setting that differs from its default, of all systems that a run may reach.
    Secrets are only named."""
    return f"settings: {', '.join(_differing(settings)) or 'all by default'}"


def _differing(settings: Settings) -> Iterator[str]:
    yield from changed(settings)
    for kind in SYSTEMS:
        if kind is SnowflakeSettings and settings.is_on_this_machine:
            continue
        with suppress(SettingsError):  # of a system that this command may not need; if it does, it says so
            yield from changed(read_settings(kind))
