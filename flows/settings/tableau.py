"""How to reach Tableau."""

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.settings.addresses import SecretsGoTo

_ADDRESS = SecretsGoTo(
    credentials="TABLEAU_TOKEN_NAME and TABLEAU_TOKEN_SECRET",
    form="https://HOST, without what follows in a browser; the site's name goes to TABLEAU_SITE",
)


class TableauSettings(BaseSettings):
    """How to reach Tableau, from variables such as TABLEAU_URL. Without that one nothing is published."""

    model_config = SettingsConfigDict(env_prefix="TABLEAU_", env_ignore_empty=True, extra="ignore", frozen=True)

    url: Annotated[str, _ADDRESS] | None = Field(
        None, description="https://POD.online.tableau.com, or https://HOST of one's own server"
    )
    site: str = Field("", description="the name in the address, after /site/; blank: the default site of a server")
    token_name: str | None = Field(None, description="of a personal access token (in Tableau: My Account Settings)")
    token_secret: SecretStr | None = Field(None, description="of the same token")
    block: str | None = Field(
        None,
        description='name of a Prefect Secret block that holds {"token_name": …, "token_secret": …} instead, and'
        ' "snowflake_password" if there is one',
    )
    project: str = Field("Marketing", description="where to publish; one within another as Outer/Inner")
    request_timeout_seconds: int = Field(600, ge=1, le=7_200, description="how long one answer may take")
    job_timeout_seconds: int = Field(3_600, ge=1, le=86_400, description="how long Tableau may work on one publication")
    snowflake_user: str | None = Field(
        None, description="Tableau's user in Snowflake, without other rights; none: viewers sign in themselves"
    )
    snowflake_role: str = Field(
        "REPORTER", description="in which role the workbook reads Snowflake: the marts, no more"
    )
    snowflake_warehouse: str = Field("REPORT", description="the virtual warehouse that computes for the workbook")
    snowflake_password: SecretStr | None = Field(
        None, description="their password or programmatic access token; none: the key pair that the site has saved"
    )

    @model_validator(mode="after")
    def _password_has_its_user(self) -> Self:
        if self.snowflake_password is not None and self.snowflake_user is None:
            raise ValueError("TABLEAU_SNOWFLAKE_PASSWORD: name its user with TABLEAU_SNOWFLAKE_USER")
        return self
