"""Every setting of a run, read once from the environment (make passes its variables on)."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from flows.errors import SettingsError

# where customers can be sent, by the names that campaigns and DESTINATION= give
DestinationName = Literal["csv", "mailchimp", "klaviyo", "brevo", "meta", "hubspot"]
REPOSITORY = Path(__file__).resolve().parent.parent
CONNECTIONS = REPOSITORY / "airbyte" / "connections.yml"
SIMULATED_SHOP = "simulated_shop"
ANY_ORDERS_CSV = "orders_csv"
ANY_CONTACTS_CSV = "contacts_csv"


class Settings(BaseSettings):
    """One run's settings. A make variable of the same name, in capitals, sets each."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")

    warehouse: Literal["duckdb", "snowflake"] = Field(
        "duckdb", description="where tables live; also the dbt target. For snowflake, see `SnowflakeSettings`"
    )
    orders: str | None = Field(None, description="CSV file (or glob) of orders; none: simulate")
    source: str | None = Field(
        None, description="entry of airbyte/connections.yml; several, separated by commas, are one shop's"
    )
    contacts: str | None = Field(None, description="CSV file (or glob) of contacts, or an entry that has contacts")
    as_of: date | None = Field(None, description="YYYY-MM-DD; none: the last order's day")
    horizon_days: int | None = Field(
        None, ge=7, le=365, description="churn = no purchase in so many days; none: from the shop's own gaps"
    )
    currency: str | None = Field(None, description="report in this currency (ISO code)")
    data_dir: Path = Field(Path("data"), description="everything a run writes")
    models: str | None = Field(None, description="where models are kept: a folder or s3://bucket/prefix")
    customers: int = Field(5_000, ge=1, le=10_000_000, description="size of the simulated shop")
    seed: int = Field(42, ge=0, description="of the simulated shop")
    show_pii: bool = Field(
        False, description="1: e-mail addresses stand in page, list and extract; else they are masked"
    )
    crm_link: str | None = Field(
        None, description="address of a customer in your CRM, such as https://crm.example.com/customers/{customer_id}"
    )
    training_customers: int = Field(
        20_000,
        ge=1_000,
        description="models are trained on so many customers at most, chosen by the md5 of their ids; all are scored",
    )
    global_holdout: float = Field(0, ge=0, le=0.5, description="share of the customers whom no campaign ever contacts")
    destination: DestinationName | None = Field(
        None, description="where `make activate` and the daily run send segments"
    )
    launch: bool = Field(False, description="1: `make campaign` freezes and sends; else it only shows what would be")
    timings: bool = Field(False, description="1: print where the time of the command went")
    threads: int | None = Field(None, ge=1, le=64, description="of dbt; none: as dbt_project/profiles.yml says")

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("crm_link")
    @classmethod
    def _names_a_customer(cls, value: str | None) -> str | None:
        names = set(re.findall(r"\{(.*?)\}", value or "{customer_id}"))
        if value and not (value.startswith("https://") and names and names <= {"customer_id", "email"}):
            raise ValueError(
                f"CRM_LINK={value}: write it as https://…, with {{customer_id}} or {{email}} where a customer's goes"
            )
        return value

    @model_validator(mode="after")
    def _orders_and_source_agree(self) -> Self:
        if SIMULATED_SHOP in self.sources and self.orders:
            raise ValueError(
                f"SOURCE={SIMULATED_SHOP} makes its own orders: leave out ORDERS= or choose another SOURCE="
            )
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """The connections whose orders this run reads."""
        named = tuple(name.strip() for name in (self.source or "").split(",") if name.strip())
        return named or ((ANY_ORDERS_CSV,) if self.orders else (SIMULATED_SHOP,))

    @property
    def is_simulated(self) -> bool:
        """Whether this run makes the orders that it reads."""
        return SIMULATED_SHOP in self.sources

    @property
    def shop(self) -> str:
        """Which shop the warehouse describes: two shops never share one."""
        size = f"_{self.customers}_{self.seed}"
        return "_and_".join(name + size if name == SIMULATED_SHOP else name for name in sorted(set(self.sources)))

    @property
    def scratch(self) -> Path:
        """For copies that live as long as they are read."""
        return self.data_dir / "tmp"

    @property
    def warehouse_file(self) -> Path:
        return self.data_dir / "warehouse.duckdb"

    @property
    def is_on_this_machine(self) -> bool:
        """Whether the warehouse is a file here, which may be written to at any moment."""
        return self.warehouse == "duckdb"

    def outbox(self, shop: str | None) -> Path:
        """Predictions that were served for a shop and are not in its warehouse yet; None: before any shop was run."""
        return self.data_dir / "outbox" / (shop or "before_the_first_run")

    @property
    def dashboard_file(self) -> Path:
        return self.data_dir / "dashboard.html"

    @property
    def docs_file(self) -> Path:
        return self.data_dir / "dbt_docs.html"

    @property
    def contacts_file(self) -> Path:
        return self.data_dir / "customers_to_contact.csv"

    @property
    def extract_file(self) -> Path:
        """The marts that marketing works with, in Tableau's format."""
        return self.data_dir / "marketing.hyper"

    @property
    def workbook_file(self) -> Path:
        """The dashboards for marketing: with their data in them, or connected to where these are."""
        return self.data_dir / ("marketing.twbx" if self.is_on_this_machine else "marketing.twb")

    @property
    def campaigns_folder(self) -> Path:
        """Files for the services that send: a folder for each campaign."""
        return self.data_dir / "campaigns"

    @property
    def copies(self) -> tuple[Path, ...]:
        """Where runs have shown or handed out rows about customers, Prefect's own records among them."""
        shown = (
            self.dashboard_file, self.contacts_file, self.extract_file, self.workbook_file, self.campaigns_folder,
        )  # fmt: skip
        unfinished = self.data_dir.glob("*.draft*")
        return (*shown, *unfinished, self.scratch, self.data_dir / ".prefect")

    @property
    def models_cache(self) -> Path:
        """Copies of models that are kept elsewhere."""
        return self.data_dir / "models"

    @property
    def models_location(self) -> str:
        """Models trained by this installation; the shipped one is in `SHIPPED_MODELS`."""
        return self.models or str(self.data_dir / "models")


SHIPPED_MODELS = REPOSITORY / "model_artifacts"


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


def _split_address(variable: str, address: str, instead: str) -> SplitResult:
    """A server's address. What is wrong with it is said without its value, where that holds a password."""
    parts = urlsplit(address)
    if parts.username or parts.password:
        raise ValueError(f"{variable}: leave out user and password; {instead}")
    return parts


def _keeps_secrets(parts: SplitResult) -> bool:
    """Whether what is sent there travels encrypted, or does not leave this machine."""
    is_here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_here))


def _is_bare(parts: SplitResult) -> bool:
    return not (parts.query or parts.fragment or parts.path.strip("/"))


class AirbyteSettings(BaseSettings):
    """How to reach Airbyte's server, from variables such as AIRBYTE_URL. Without that one nothing is triggered here:
    Airbyte keeps its own schedule."""

    model_config = SettingsConfigDict(env_prefix="AIRBYTE_", env_ignore_empty=True, extra="ignore", frozen=True)

    url: str | None = Field(
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

    @model_validator(mode="after")
    def _secrets_travel_encrypted(self) -> Self:
        if self.url is None:
            return self
        parts = _split_address("AIRBYTE_URL", self.url, "AIRBYTE_CLIENT_ID and _CLIENT_SECRET say them")
        if not _keeps_secrets(parts) or parts.query:
            raise ValueError(
                f"AIRBYTE_URL={self.url}: write it as https://api.airbyte.com/v1 or https://HOST/api/public/v1"
                " (http only to this machine: the client secret goes there)"
            )
        return self


class TableauSettings(BaseSettings):
    """How to reach Tableau, from variables such as TABLEAU_URL. Without that one nothing is published."""

    model_config = SettingsConfigDict(env_prefix="TABLEAU_", env_ignore_empty=True, extra="ignore", frozen=True)

    url: str | None = Field(None, description="https://POD.online.tableau.com, or https://HOST of one's own server")
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
        None, description="as whom Tableau reads Snowflake: one who may do no more; none: viewers sign in themselves"
    )
    snowflake_role: str = Field(
        "REPORTER", description="in which role the workbook reads Snowflake: the marts, no more"
    )
    snowflake_warehouse: str = Field("REPORT", description="the virtual warehouse that computes for the workbook")
    snowflake_password: SecretStr | None = Field(
        None, description="his password or programmatic access token; none: the key pair that the site has saved"
    )

    @model_validator(mode="after")
    def _secrets_travel_encrypted(self) -> Self:
        if self.url is None:
            return self
        parts = _split_address("TABLEAU_URL", self.url, "TABLEAU_TOKEN_NAME and _TOKEN_SECRET say them")
        if not _keeps_secrets(parts) or not _is_bare(parts):
            raise ValueError(
                f"TABLEAU_URL={self.url}: write it as https://HOST, without what follows in a browser; the site's name"
                " goes to TABLEAU_SITE (http only to this machine: the token goes there)"
            )
        return self

    @model_validator(mode="after")
    def _password_has_its_user(self) -> Self:
        if self.snowflake_password is not None and self.snowflake_user is None:
            raise ValueError("TABLEAU_SNOWFLAKE_PASSWORD: say whose it is with TABLEAU_SNOWFLAKE_USER")
        return self


class HubSpotSettings(BaseSettings):
    """How to write to HubSpot, from variables such as HUBSPOT_ACTIVATION_TOKEN. The source's HUBSPOT_ACCESS_TOKEN is
    never taken for it: who reads need not be able to write."""

    model_config = SettingsConfigDict(env_prefix="HUBSPOT_", env_ignore_empty=True, extra="ignore", frozen=True)

    activation_token: SecretStr | None = Field(
        None, description="of a private app that may read and write contacts, contact properties and lists"
    )
    activation_block: str | None = Field(None, description="name of a Prefect Secret block that holds it instead")
    base_url: str = Field("https://api.hubapi.com", description="where HubSpot is; of the source too")
    create_contacts: bool = Field(
        False, description="1: a customer whose address HubSpot does not know becomes a contact; else he is left out"
    )

    @model_validator(mode="after")
    def _secrets_travel_encrypted(self) -> Self:
        parts = _split_address("HUBSPOT_BASE_URL", self.base_url, "HUBSPOT_ACTIVATION_TOKEN says who we are")
        if not _keeps_secrets(parts) or not _is_bare(parts):
            raise ValueError(
                f"HUBSPOT_BASE_URL={self.base_url}: write it as https://HOST (http only to this machine: the token goes"
                " there)"
            )
        return self


def read_settings(**overrides: Any) -> Settings:
    """Settings from the environment.

    Raises:
        SettingsError: naming each variable, what it holds, and what would fit.
    """
    return _read(Settings, overrides)


def read_snowflake_settings() -> SnowflakeSettings:
    """How to reach Snowflake, from the environment.

    Raises:
        SettingsError: naming each variable, what it holds, and what would fit.
    """
    return _read(SnowflakeSettings, {})


def read_airbyte_settings() -> AirbyteSettings:
    """How to reach Airbyte's server, from the environment.

    Raises:
        SettingsError: naming each variable, what it holds, and what would fit.
    """
    return _read(AirbyteSettings, {})


def read_tableau_settings() -> TableauSettings:
    """How to reach Tableau, from the environment.

    Raises:
        SettingsError: naming each variable, what it holds, and what would fit.
    """
    return _read(TableauSettings, {})


def read_hubspot_settings() -> HubSpotSettings:
    """How to write to HubSpot, from the environment.

    Raises:
        SettingsError: naming each variable, what it holds, and what would fit.
    """
    return _read(HubSpotSettings, {})


_Kind = TypeVar("_Kind", bound=BaseSettings)


def _read(kind: type[_Kind], overrides: Mapping[str, Any]) -> _Kind:
    try:
        return kind(**overrides)
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        problems = "\n  ".join(_in_words(problem, prefix) for problem in error.errors())
        raise SettingsError(f"These settings do not fit:\n  {problems}") from None


def _in_words(problem: ErrorDetails, prefix: str) -> str:
    if not problem["loc"]:  # of several settings together
        return problem["msg"].removeprefix("Value error, ")
    name = str(problem["loc"][0])
    hint = " (write it as YYYY-MM-DD)" if name == "as_of" else ""
    return f"{(prefix + name).upper()}={problem['input']!s}: {problem['msg'].lower()}{hint}"
