"""The settings of a run, and the places that follow from them."""

import re
from datetime import date
from pathlib import Path
from typing import Literal, Self, get_args

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.settings.destinations import DestinationName
from flows.settings.limits import LimitName
from flows.settings.project import ANY_ORDERS_CSV, SIMULATED_SHOP


class Settings(BaseSettings):
    """One run's settings. An option of the command line, or an environment or make variable of the same name in
    capitals, sets each."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")

    warehouse: Literal["duckdb", "snowflake"] = Field(
        "duckdb", description="where tables live; also dbt's target. What snowflake needs: docs/configuration.md"
    )
    orders: str | None = Field(None, description="file (or glob) of orders; none: simulate a shop")
    source: str | None = Field(
        None, description="entry of airbyte/connections.yml; several, separated by commas, are one shop's"
    )
    contacts: str | None = Field(None, description="file (or glob) of contacts, or an entry that has contacts")
    products: str | None = Field(None, description="file (or glob) of products, or an entry that has products")
    as_of: date | None = Field(
        None, description="compute as of the end of this day; none: the last day with ordinary business"
    )
    horizon_days: int | None = Field(
        None, ge=7, le=365, description="churn means no purchase within so many days; none: by the shop's own gaps"
    )
    clv_days: Literal[365, 730, 1_095] = Field(
        365, description="customer lifetime value is of so many days: one, two or three years"
    )
    currency: str | None = Field(None, description="report in this currency (ISO code)")
    accept: str | None = Field(
        None,
        description=f"limits that what was read may exceed, separated by commas: {', '.join(get_args(LimitName))}",
    )
    data_dir: Path = Field(Path("data"), description="everything a run writes")
    models: str | None = Field(None, description="model store: a folder or s3://bucket/prefix")
    customers: int = Field(5_000, ge=1, le=10_000_000, description="size of the simulated shop")
    seed: int = Field(42, ge=0, description="seed of the simulated shop")
    show_pii: bool = Field(False, description="show e-mail addresses in page, list and extract; else they are masked")
    crm_link: str | None = Field(
        None, description="address of a customer in your CRM: https://crm.example.com/{customer_id}"
    )
    training_customers: int = Field(
        20_000,
        ge=1_000,
        description="train on at most so many customers, chosen by the md5 of their ids; all are scored",
    )
    review_segments: bool = Field(
        False, description="decide the borders of segments again, from the customers of the as-of date"
    )
    predictions_kept_days: int | None = Field(
        None,
        ge=400,
        description="delete predictions that are older; none: keep all. A year is needed to see how right they were",
    )
    global_holdout: float = Field(0, ge=0, le=0.5, description="share of the customers that no campaign ever contacts")
    destination: DestinationName | None = Field(
        None, description="where `churn activate` and the daily run send segments"
    )
    workbook_language: Literal["en", "fr"] = Field("en", description="language of the Tableau workbook")
    campaign_files: Path | None = Field(
        None, description="folder of campaign files for the page of make serve; none: campaign_files in --data-dir"
    )
    page_link: str | None = Field(
        None, description="https://… where people open the page; digest and alerts link to it"
    )
    outputs: str | None = Field(
        None, description="where a run also puts its files, by as-of date and as latest: a folder or s3://bucket/prefix"
    )
    stale_after_days: int = Field(3, ge=1, description="warn when the newest order is more days old")
    loss_up_alert: float = Field(
        0.25, gt=0, description="warn when the expected loss of a segment is up by more than this share in a month"
    )
    rejected_alert: float = Field(
        0.02, gt=0, le=1, description="warn when a larger share of the rows of orders is rejected"
    )
    stop_sending_after_days: int = Field(
        7,
        ge=1,
        description="a campaign or the daily run sends nothing when the newest order or sync is more days old",
    )
    sync_failed: Literal["stop", "stale"] = Field(
        "stop", description="what a run does when a sync fails: stop, or go on with stale data and say so"
    )
    timings: bool = Field(False, description="print where the time of the command went")
    threads: int | None = Field(
        None, ge=1, le=64, description="how many of dbt's nodes run at a time; none: as profiles.yml says"
    )

    @field_validator("data_dir", "campaign_files")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value and value.expanduser().resolve()

    @field_validator("outputs")
    @classmethod
    def _is_a_place(cls, value: str | None) -> str | None:
        if value and "://" in value and not value.startswith("s3://"):
            raise ValueError("write it as a folder or as s3://bucket/prefix")
        return value

    @field_validator("page_link")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value and not value.startswith("https://"):
            raise ValueError("write it as https://…")
        return value

    @field_validator("accept")
    @classmethod
    def _names_limits(cls, value: str | None) -> str | None:
        if unknown := set(_names(value)) - set(get_args(LimitName)):
            raise ValueError(f"{', '.join(sorted(unknown))}: there are {', '.join(get_args(LimitName))}")
        return value

    @field_validator("crm_link")
    @classmethod
    def _names_a_customer(cls, value: str | None) -> str | None:
        names = set(re.findall(r"\{(.*?)\}", value or "{customer_id}"))
        if value and not (value.startswith("https://") and names and names <= {"customer_id", "email"}):
            raise ValueError("write it as https://…, with {customer_id} or {email} where a customer's goes")
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
        return _names(self.source) or ((ANY_ORDERS_CSV,) if self.orders else (SIMULATED_SHOP,))

    @property
    def accepted(self) -> tuple[str, ...]:
        """The limits that what was read may exceed."""
        return _names(self.accept)

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
    def campaign_files_folder(self) -> Path:
        """Definitions of campaigns, in YAML."""
        return self.campaign_files or self.data_dir / "campaign_files"

    @property
    def digest_folder(self) -> Path:
        """What changed, as e-mails and messages, in both languages."""
        return self.data_dir / "digest"

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
        return (*shown, *unfinished, self.scratch, self.jobs_folder, self.data_dir / ".prefect")

    @property
    def jobs_folder(self) -> Path:
        """Files of customers that callers of the API sent to be scored, and the results."""
        return self.data_dir / "jobs"

    @property
    def models_cache(self) -> Path:
        """Copies of models that are kept elsewhere."""
        return self.data_dir / "models"

    @property
    def model_store(self) -> str:
        """Models trained by this installation; the shipped one is in `SHIPPED_MODELS`."""
        return self.models or str(self.data_dir / "models")


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())
