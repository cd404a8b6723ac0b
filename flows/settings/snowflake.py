"""How to reach Snowflake."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class SnowflakeSettings(BaseSettings):
    """How to reach Snowflake, from variables such as SNOWFLAKE_ACCOUNT; read only with WAREHOUSE=snowflake.

    With SNOWFLAKE_BLOCK everything down to the database comes from that Prefect block instead.
    """

    model_config = SettingsConfigDict(env_prefix="SNOWFLAKE_", env_ignore_empty=True, extra="ignore", frozen=True)

    block: str | None = Field(None, description="name of a prefect-snowflake connector block")
    account: str | None = Field(None, description="organisation-account, as in the account's URL")
    user: str | None = Field(None, description="a service user with a key pair")
    private_key: SecretStr | None = Field(None, description="its private key in PEM")
    private_key_file: Path | None = Field(None, description="or a file that holds it")
    private_key_passphrase: SecretStr | None = Field(None, description="if the key is encrypted")
    password: SecretStr | None = Field(None, description="for a trial: Snowflake is switching passwords off")
    role: str | None = Field(None, description="the role that owns the schemas")
    warehouse: str | None = Field(None, description="the virtual warehouse that computes")
    database: str | None = Field(None, description="the database of one shop")
    default_schema: str = Field(
        "raw", validation_alias="SNOWFLAKE_SCHEMA", description="where a session begins; our statements name theirs"
    )
    query_tag: str = Field("rfm_churn", description="what the account's query history calls our statements")
    statement_timeout_seconds: int = Field(1_800, ge=1, le=604_800, description="of statements outside dbt")
    scoring: Literal["external_function", "udf"] = Field(
        "external_function", description="who scores: the API, or a function inside Snowflake"
    )
    # to reach something that is not Snowflake's cloud
    host: str | None = None
    port: int | None = None
    protocol: Literal["http", "https"] | None = None
