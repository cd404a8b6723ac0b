"""What is set from outside: by options of the command line, by environment variables, or by make, which passes its
variables on. A file for each system, and one reader."""

from flows.settings.airbyte import AirbyteSettings
from flows.settings.brevo import BrevoSettings
from flows.settings.deployment import DeploymentSettings
from flows.settings.destinations import DestinationName
from flows.settings.digest import DigestSettings
from flows.settings.hubspot import HubSpotSettings
from flows.settings.klaviyo import KlaviyoSettings
from flows.settings.mailchimp import MailchimpSettings
from flows.settings.project import (
    ANY_CONTACTS_CSV,
    ANY_ORDERS_CSV,
    ANY_PRODUCTS_CSV,
    CONNECTIONS,
    REPOSITORY,
    SHIPPED_MODELS,
    SIMULATED_SHOP,
)
from flows.settings.reader import changed, read_settings
from flows.settings.run import Settings
from flows.settings.shown import differing
from flows.settings.snowflake import SnowflakeSettings
from flows.settings.tableau import TableauSettings

__all__ = [
    "ANY_CONTACTS_CSV",
    "ANY_ORDERS_CSV",
    "ANY_PRODUCTS_CSV",
    "CONNECTIONS",
    "REPOSITORY",
    "SHIPPED_MODELS",
    "SIMULATED_SHOP",
    "AirbyteSettings",
    "BrevoSettings",
    "DeploymentSettings",
    "DestinationName",
    "DigestSettings",
    "HubSpotSettings",
    "KlaviyoSettings",
    "MailchimpSettings",
    "Settings",
    "SnowflakeSettings",
    "TableauSettings",
    "changed",
    "differing",
    "read_settings",
]
