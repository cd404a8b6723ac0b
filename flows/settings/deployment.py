"""What `churn deploy` writes into the deployments of prefect.yaml, and whose the Prefect server's objects are."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.settings.reader import variable


class DeploymentSettings(BaseSettings):
    """Set by `make env` or by hand; prefect reads the same variables for prefect.yaml."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    prefect_api_url: str | None = Field(None, description="the Prefect server's API")
    repository_url: str | None = Field(None, description="where workers clone the project from")
    snowflake_block: str | None = Field(None, description="name of a prefect-snowflake connector block")
    source: str | None = Field(None, description="the shop's entries of airbyte/connections.yml")
    models: str | None = Field(None, description="where models are kept: s3://bucket/prefix")
    managed_by: Literal["terraform"] | None = Field(
        None, description="terraform: work pools, limits and automations are Terraform's; only deployments are made"
    )

    @property
    def missing(self) -> Iterator[str]:
        """Variables without which a deployment would be half blank."""
        needed = (name for name in type(self).model_fields if name != "managed_by")
        return (variable(type(self), name) for name in needed if getattr(self, name) is None)
