"""What `churn deploy` writes into the deployments of prefect.yaml, and whose the Prefect server's objects are."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.settings.reader import variable

Receiver = Literal["slack", "teams", "pagerduty", "webhook", "email"]


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
    runs_on: Literal["managed", "ecs", "machine"] = Field(
        "managed", description="managed: runs fetch code and packages; ecs, machine: both are in an image"
    )
    runs_role: str | None = Field(
        None, description="with managed: the role in AWS that Prefect Cloud takes on for a run"
    )
    git_commit: str | None = Field(
        None, pattern="^[0-9a-f]{40}$", description="what runs fetch; by default the commit of this checkout"
    )
    repository_token_block: str | None = Field(
        None, description="a Prefect Secret block with a token, where the repository is private"
    )
    code_directory: str = Field("/srv/churn", description="where the code is in the image, or on the machine")
    local_pool: bool = Field(False, description="1: a second pool for a machine that has code and environment")

    alerts_to: Receiver | None = Field(None, description="who gets alerts; none: the block `alerts` as it is")
    alerts_secret: SecretStr | None = Field(
        None, description="the webhook's address; PagerDuty's integration key; for email SendGrid's API key"
    )
    alerts_sender: str | None = Field(None, description="with email: from")
    alerts_recipients: str | None = Field(None, description="with email: to, addresses with commas")

    @property
    def missing(self) -> Iterator[str]:
        """Variables without which a deployment would be half blank."""
        needed = ("prefect_api_url", "repository_url", "snowflake_block", "source", "models")
        return (variable(type(self), name) for name in needed if getattr(self, name) is None)
