"""Every setting of a run, read once from the environment (make passes its variables on)."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
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
    horizon_days: int = Field(90, ge=7, le=365, description="churn = no purchase in so many days")
    currency: str | None = Field(None, description="report in this currency (ISO code)")
    data_dir: Path = Field(Path("data"), description="everything a run writes")
    customers: int = Field(5_000, ge=1, le=10_000_000, description="size of the simulated shop")
    seed: int = Field(42, ge=0, description="of the simulated shop")
    threads: int = Field(2, ge=1, le=64, description="of dbt")

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

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
        """Where temporary copies and the tools' own state live."""
        return self.data_dir / "tmp"

    @property
    def warehouse_file(self) -> Path:
        return self.data_dir / "warehouse.duckdb"

    @property
    def models_folder(self) -> Path:
        """Models trained by this installation; the shipped one is in `SHIPPED_MODELS`."""
        return self.data_dir / "models"


SHIPPED_MODELS = REPOSITORY / "model_artifacts"


def read_settings(**overrides: Any) -> Settings:
    """Settings from the environment.

    Raises:
        SettingsError: naming each variable, what it holds, and what would fit.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problems = [
            f"{str(problem['loc'][0]).upper()}={problem['input']!s}: {problem['msg'].lower()}"
            + (" (write it as YYYY-MM-DD)" if problem["loc"][0] == "as_of" else "")
            for problem in error.errors()
        ]
        raise SettingsError("These settings do not fit:\n  " + "\n  ".join(problems)) from None


def now() -> datetime:
    """The only place that asks what time it is; everything else is told."""
    return datetime.now(UTC).replace(microsecond=0)
