"""How to write to Brevo."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.settings.addresses import SecretsGoTo


class BrevoSettings(BaseSettings):
    """How to write to Brevo, from variables such as BREVO_API_KEY."""

    model_config = SettingsConfigDict(env_prefix="BREVO_", env_ignore_empty=True, extra="ignore", frozen=True)

    api_key: SecretStr | None = Field(None, description="an API key, of Settings, SMTP & API")
    block: str | None = Field(None, description="name of a Prefect Secret block that holds it instead")
    base_url: Annotated[str, SecretsGoTo(credentials="BREVO_API_KEY", form="https://HOST")] = Field(
        "https://api.brevo.com", description="where Brevo's API is"
    )
    create_contacts: bool = Field(
        False, description="1: a customer whose address Brevo does not know becomes a contact; else they are left out"
    )
    suppress_opt_outs: bool = Field(
        False, description="1: contacts whose customer has opted out here are blocklisted for e-mails in Brevo"
    )
