"""Every setting of a run, read once from the environment (make passes its variables on)."""

from datetime import date
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.errors import SettingsError

REPOSITORY = Path(__file__).resolve().parent.parent
SIMULATED_SHOP = "simulated_shop"
ANY_ORDERS_CSV = "orders_csv"


class Settings(BaseSettings):
    """One run's settings. A make variable of the same name, in capitals, sets each."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")

    warehouse: Literal["duckdb"] = Field("duckdb", description="where tables live; also the dbt target")
    orders: str | None = Field(None, description="CSV file (or glob) of orders; none: simulate")
    source: str | None = Field(None, description="entry of airbyte/connections.yml")
    as_of: date | None = Field(None, description="YYYY-MM-DD; none: the last order's day")
    horizon_days: int | None = Field(
        None, ge=7, le=365, description="churn = no purchase in so many days; none: from the shop's own gaps"
    )
    currency: str | None = Field(None, description="report in this currency (ISO code)")
    data_dir: Path = Field(Path("data"), description="everything a run writes")
    models: str | None = Field(None, description="where models are kept: a folder or s3://bucket/prefix")
    customers: int = Field(5_000, ge=1, le=10_000_000, description="size of the simulated shop")
    seed: int = Field(42, ge=0, description="of the simulated shop")
    threads: int = Field(2, ge=1, le=64, description="of dbt")

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @model_validator(mode="after")
    def _orders_and_source_agree(self) -> Self:
        if self.source == SIMULATED_SHOP and self.orders:
            raise ValueError(
                f"SOURCE={SIMULATED_SHOP} makes its own orders: leave out ORDERS= or choose another SOURCE="
            )
        if self.source not in (None, SIMULATED_SHOP) and not self.orders:
            raise ValueError(f"SOURCE={self.source} needs ORDERS= too: the CSV file to read")
        return self

    @property
    def connection_name(self) -> str:
        """The connection whose orders this run reads."""
        return self.source or (ANY_ORDERS_CSV if self.orders else SIMULATED_SHOP)

    @property
    def shop(self) -> str:
        """Which shop the warehouse describes: two shops never share one."""
        if self.connection_name == SIMULATED_SHOP:
            return f"{SIMULATED_SHOP}_{self.customers}_{self.seed}"
        return self.connection_name

    @property
    def scratch(self) -> Path:
        """For copies that live as long as they are read."""
        return self.data_dir / "tmp"

    @property
    def warehouse_file(self) -> Path:
        return self.data_dir / "warehouse.duckdb"

    def outbox(self, shop: str | None) -> Path:
        """Predictions that were served for a shop and are not in its warehouse yet; None: before any shop was run."""
        return self.data_dir / "outbox" / (shop or "before_the_first_run")

    @property
    def dashboard_file(self) -> Path:
        return self.data_dir / "dashboard.html"

    @property
    def models_cache(self) -> Path:
        """Copies of models that are kept elsewhere."""
        return self.data_dir / "models"

    @property
    def models_location(self) -> str:
        """Models trained by this installation; the shipped one is in `SHIPPED_MODELS`."""
        return self.models or str(self.data_dir / "models")


SHIPPED_MODELS = REPOSITORY / "model_artifacts"


def read_settings(**overrides: Any) -> Settings:
    """Settings from the environment.

    Raises:
        SettingsError: naming each variable, what it holds, and what would fit.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problems = "\n  ".join(_in_words(problem) for problem in error.errors())
        raise SettingsError(f"These settings do not fit:\n  {problems}") from None


def _in_words(problem: ErrorDetails) -> str:
    if not problem["loc"]:  # of several settings together
        return problem["msg"].removeprefix("Value error, ")
    name = str(problem["loc"][0])
    hint = " (write it as YYYY-MM-DD)" if name == "as_of" else ""
    return f"{name.upper()}={problem['input']!s}: {problem['msg'].lower()}{hint}"
