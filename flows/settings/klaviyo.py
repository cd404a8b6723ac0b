"""How to write to Klaviyo."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.settings.addresses import SecretsGoTo


class KlaviyoSettings(BaseSettings):
    """How to write to Klaviyo, from variables such as KLAVIYO_API_KEY."""

    model_config = SettingsConfigDict(env_prefix="KLAVIYO_", env_ignore_empty=True, extra="ignore", frozen=True)

    api_key: SecretStr | None = Field(
        None, description="a private key that may read and write lists and profiles, and read subscriptions"
    )
    block: str | None = Field(None, description="name of a Prefect Secret block that holds it instead")
    base_url: Annotated[str, SecretsGoTo(credentials="KLAVIYO_API_KEY", form="https://HOST")] = Field(
        "https://a.klaviyo.com", description="where Klaviyo's API is"
    )
    create_profiles: bool = Field(
        False, description="1: a customer whose address Klaviyo does not know becomes a profile; else they are left out"
    )
