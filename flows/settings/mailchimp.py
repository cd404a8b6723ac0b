"""How to write to Mailchimp."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.settings.addresses import SecretsGoTo


class MailchimpSettings(BaseSettings):
    """How to write to Mailchimp, from variables such as MAILCHIMP_API_KEY."""

    model_config = SettingsConfigDict(env_prefix="MAILCHIMP_", env_ignore_empty=True, extra="ignore", frozen=True)

    api_key: SecretStr | None = Field(None, description="an API key, with its data centre at the end, such as -us6")
    block: str | None = Field(None, description="name of a Prefect Secret block that holds it instead")
    audience: str | None = Field(None, description="id of the audience, of Audience, Settings")
    base_url: Annotated[str, SecretsGoTo(credentials="MAILCHIMP_API_KEY", form="https://HOST")] | None = Field(
        None, description="where Mailchimp's API is; blank: in the key's data centre"
    )
    create_members: bool = Field(
        False,
        description="1: a customer whose address the audience does not have is subscribed to it, which tells Mailchimp"
        " that they agreed; else they are left out",
    )
    suppress_opt_outs: bool = Field(
        False, description="1: members whose customer has opted out here are unsubscribed in Mailchimp"
    )
