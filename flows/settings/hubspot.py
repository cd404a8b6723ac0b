"""How to write to HubSpot."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.settings.addresses import SecretsGoTo


class HubSpotSettings(BaseSettings):
    """How to write to HubSpot, from variables such as HUBSPOT_ACTIVATION_TOKEN. The source's HUBSPOT_ACCESS_TOKEN is
    never taken for it: what reads need not be able to write."""

    model_config = SettingsConfigDict(env_prefix="HUBSPOT_", env_ignore_empty=True, extra="ignore", frozen=True)

    activation_token: SecretStr | None = Field(
        None, description="of a private app that may read and write contacts, contact properties and lists"
    )
    activation_block: str | None = Field(None, description="name of a Prefect Secret block that holds it instead")
    base_url: Annotated[str, SecretsGoTo(credentials="HUBSPOT_ACTIVATION_TOKEN", form="https://HOST")] = Field(
        "https://api.hubapi.com", description="where HubSpot is; of the source too"
    )
    create_contacts: bool = Field(
        False, description="1: a customer whose address HubSpot does not know becomes a contact; else they are left out"
    )
