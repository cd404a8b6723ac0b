"""How to reach Airbyte's server."""

from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from flows.settings.addresses import SecretsGoTo

_ADDRESS = SecretsGoTo(
    credentials="AIRBYTE_CLIENT_ID and AIRBYTE_CLIENT_SECRET",
    form="https://api.airbyte.com/v1 or https://HOST/api/public/v1",
    may_have_path=True,
)


class AirbyteSettings(BaseSettings):
    """How to reach Airbyte's server, from variables such as AIRBYTE_URL. Without that one nothing is triggered here:
    Airbyte keeps its own schedule."""

    model_config = SettingsConfigDict(env_prefix="AIRBYTE_", env_ignore_empty=True, extra="ignore", frozen=True)

    url: Annotated[str, _ADDRESS] | None = Field(
        None,
        description="the public API: https://api.airbyte.com/v1, or https://HOST/api/public/v1 of one's own server",
    )
    client_id: str | None = Field(None, description="of an application (in Airbyte: User settings, Applications)")
    client_secret: SecretStr | None = Field(None, description="of the same application")
    block: str | None = Field(
        None, description='name of a Prefect Secret block that holds {"client_id": …, "client_secret": …} instead'
    )
    connections: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="ids or names, with commas; none: what the run reads, under its name in airbyte/connections.yml"
    )
    sync_timeout_seconds: int = Field(7_200, ge=1, le=604_800, description="how long a sync may take")
    on_timeout: Literal["cancel", "report"] = Field(
        "report", description="a sync that takes longer is cancelled, or left running and reported"
    )

    @field_validator("connections", mode="before")
    @classmethod
    def _with_commas(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
        return value
