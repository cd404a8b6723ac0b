"""What a shop of so many customers costs in a month, in proportion to what was measured of one."""

from dataclasses import dataclass

from tests.benchmarks.cost_of_services import Services, services

MEASURED_CUSTOMERS = 100_000
SHOPS = (100_000, 1_000_000, 10_000_000, 100_000_000)

# Assumptions: list prices in USD, AWS US East, 2026; ask your own contract.
CREDIT = 3.00  # Enterprise edition, on demand
STORAGE_TB_MONTH = 23.00
LAMBDA_GB_SECOND, LAMBDA_GB, LAMBDA_MILLION_CALLS = 0.0000166667, 1.77, 0.20  # 1.77 GB is one core
GATEWAY_MILLION_CALLS = 3.50
GATEWAY_CALLS_A_SECOND = 50  # Terraform's `throttle`
XSMALL_CORES = 8  # of about the speed of this machine's; Snowflake does not publish it
SIZES = ("XS", "S", "M", "L", "XL", "2XL", "3XL", "4XL")  # each twice the one before, in cores and in credits
MAX_SECONDS = 1_800  # the smallest warehouse that is done in that time is taken
IDLE_SECONDS = 60  # AUTO_SUSPEND
NODE_SECONDS = 3.0  # of each of dbt's nodes, whatever it does: compiling, comments, grants; four run at a time
FLOW_SECONDS = 120  # what the flow does between its statements, in gaps that are too short for the warehouse to sleep
ROWS_A_CALL = 500  # Snowflake decides; a few hundred is usual
API_ROWS_A_CORE_SECOND = 74_000  # `make bench`: 1,000 customers a request
UDF_ROWS_A_CORE_SECOND = 130_000  # `make bench`: scoring in the warehouse, trees
KEPT_DAYS = 400  # of predictions: PREDICTIONS_KEPT_DAYS
MAILS_A_YEAR = 12
TRAINING_CUSTOMERS = 20_000  # the setting's default: models are trained on a sample of a larger shop
PAST_MONTHS = 24  # of marts.monthly_lifecycle, which every run scores again for those customers


@dataclass(frozen=True)
class Measured:
    """Of a shop of `MEASURED_CUSTOMERS`: rows and bytes of parquet by relation, what reads what, and the work.
    `order_bytes`: of its CSV of orders."""

    rows: dict[str, int]
    bytes: dict[str, int]
    parents: dict[str, list[str]]
    daily_core_seconds: float
    training_core_seconds: float
    daily_nodes: int
    request_bytes: float
    response_bytes: float
    order_bytes: int


@dataclass(frozen=True)
class Bill:
    """A month of a shop, with a daily run and a weekly training, in the smallest warehouse that is fast enough.
    `scored`: rows that a daily run scores."""

    customers: int
    scored: int
    stored_bytes: float
    scanned_bytes: float
    size: str
    daily_seconds: float
    daily_credits: float
    training_credits: float
    calls: float
    api_dollars: float
    waiting_seconds: float
    udf_credits: float
    services: Services

    @property
    def credits(self) -> float:
        return 30 * self.daily_credits + 4.3 * self.training_credits

    @property
    def dollars(self) -> float:
        return self.credits * CREDIT + self.stored_bytes / 1e12 * STORAGE_TB_MONTH

    @property
    def least(self) -> float:
        """With Prefect's free plan and machines, files that need no Airbyte, and no Tableau."""
        return self.dollars + self.api_dollars + self.waiting_credits * CREDIT

    @property
    def waiting_credits(self) -> float:
        return 30 * self.waiting_seconds * 2 ** SIZES.index(self.size) / 3600

    @property
    def everything(self) -> float:
        """With every service, tools that call the API, and runs on Fargate."""
        extra = self.services
        return (
            self.least + extra.airbyte_events + extra.airbyte_orders + extra.tableau + extra.prefect + extra.fargate
            + extra.sink_credits * CREDIT
        )  # fmt: skip


def bill(measured: Measured, customers: int) -> Bill:
    """What a shop costs, in proportion to what was measured."""
    scale = customers / MEASURED_CUSTOMERS
    training = {model for model in measured.parents if model.startswith("intermediate.int_training_")}
    scanned = sum(
        measured.bytes.get(parent, 0)
        for model, parents in measured.parents.items() if model not in training
        for parent in parents
    )  # fmt: skip
    latency = measured.daily_nodes * NODE_SECONDS / 4
    position, seconds = 0, 0.0
    for position in range(len(SIZES)):
        seconds = measured.daily_core_seconds * scale / (XSMALL_CORES * 2**position) + latency
        if seconds <= MAX_SECONDS:
            break
    per_second = 2**position / 3600
    training_seconds = measured.training_core_seconds * scale / (XSMALL_CORES * 2**position) + latency
    predictions = measured.bytes["marts.churn_predictions"] * scale * KEPT_DAYS
    sampled = sum(size for name, size in measured.bytes.items() if name in training)  # as large for every shop
    once = sum(measured.bytes.values()) - sampled - measured.bytes["marts.churn_predictions"]
    scored = customers + min(customers, TRAINING_CUSTOMERS) * PAST_MONTHS
    calls = scored / ROWS_A_CALL
    api = (
        scored / API_ROWS_A_CORE_SECOND * LAMBDA_GB * LAMBDA_GB_SECOND
        + calls / 1e6 * (LAMBDA_MILLION_CALLS + GATEWAY_MILLION_CALLS)
    )  # fmt: skip
    return Bill(
        customers=customers,
        scored=scored,
        stored_bytes=predictions + once * scale + sampled,
        scanned_bytes=scanned * scale,
        size=SIZES[position],
        daily_seconds=seconds,
        daily_credits=(seconds + FLOW_SECONDS + IDLE_SECONDS) * per_second,
        training_credits=(training_seconds + FLOW_SECONDS + IDLE_SECONDS) * per_second,
        calls=calls,
        api_dollars=30 * api,
        waiting_seconds=calls / GATEWAY_CALLS_A_SECOND,
        udf_credits=30 * scored / UDF_ROWS_A_CORE_SECOND / XSMALL_CORES / 3600,
        services=services(
            customers, measured.order_bytes * scale, measured.rows.get("raw_hubspot.email_events", 0) * scale, seconds
        ),
    )
