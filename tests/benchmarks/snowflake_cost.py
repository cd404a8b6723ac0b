"""`docs/snowflake-cost.md`: what Snowflake costs for a shop of so many customers, from sizes and work measured here.

`python -m tests.benchmarks snowflake_cost` measures, writes the page, and prints what it measured.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.settings import REPOSITORY, SHIPPED_MODELS
from flows.simulator.shop import ShopProfile, simulate
from flows.sources.connections import read_connections
from flows.steps.building import FEATURES, SCORES, STAGING, TRAINING
from functions.churn_api.fast_path import create_api
from tests.benchmarks.measured import Figure, run_python
from tests.running.dbt import dbt_command, dbt_environment
from tests.running.serving import EXAMPLE, LocalClient, service

PAGE = REPOSITORY / "docs" / "snowflake-cost.md"
MEASURED_CUSTOMERS = 100_000
SHOPS = (100_000, 1_000_000, 10_000_000, 100_000_000)

# Assumptions: list prices in USD, AWS US East, 2026; ask your own contract.
CREDIT = 3.00  # Enterprise edition, on demand
STORAGE_TB_MONTH = 23.00
LAMBDA_GB_SECOND, LAMBDA_GB, LAMBDA_MILLION_CALLS = 0.0000166667, 1.77, 0.20  # 1.77 GB is one core
GATEWAY_MILLION_CALLS = 3.50
XSMALL_CORES = 8  # of about the speed of this machine's; Snowflake does not publish it
SIZES = ("XS", "S", "M", "L", "XL", "2XL", "3XL", "4XL")  # each twice the one before, in cores and in credits
MAX_SECONDS = 1_800  # the smallest warehouse that is done in that time is taken
IDLE_SECONDS = 60  # AUTO_SUSPEND
NODE_SECONDS = 3.0  # of each of dbt's nodes, whatever it does: compiling, comments, grants; four run at a time
FLOW_SECONDS = 120  # what the flow does between its statements, in gaps that are too short for the warehouse to sleep
ROWS_A_CALL = 500  # Snowflake decides; a few hundred is usual
API_ROWS_A_CORE_SECOND = 74_000  # `make bench`: 1,000 customers a request
UDF_ROWS_A_CORE_SECOND = 130_000  # `make bench`: scoring in the warehouse, trees
KEPT_DAYS = 365  # of predictions


@dataclass(frozen=True)
class Measured:
    """Of a shop of `MEASURED_CUSTOMERS`: rows and bytes of parquet by relation, what reads what, and the work."""

    rows: dict[str, int]
    bytes: dict[str, int]
    parents: dict[str, list[str]]
    daily_core_seconds: float
    training_core_seconds: float
    daily_nodes: int
    request_bytes: float
    response_bytes: float


def measure(folder: Path) -> Iterator[Figure]:
    measured = _measure(folder)
    PAGE.write_text(_page(measured), encoding="utf-8")
    lines = measured.rows["raw_simulated_shop.order_lines_as_text"]
    yield Figure(
        f"cores × seconds of a daily build, {MEASURED_CUSTOMERS:,} customers and {lines:,} order lines",
        f"{measured.daily_core_seconds:.0f} s",
        f"with training snapshots {measured.daily_core_seconds + measured.training_core_seconds:.0f} s",
    )


def _measure(folder: Path) -> Measured:
    profile = ShopProfile(customers=MEASURED_CUSTOMERS, seed=1)
    orders, database = folder / "orders.csv", folder / "warehouse.duckdb"
    with duckdb.connect() as con:
        con.register("lines", simulate(profile).order_lines)
        con.execute("copy lines to $1 (format csv, header)", [str(orders)])
    connections = read_connections(REPOSITORY / "airbyte" / "connections.yml")
    warehouse = DuckDBWarehouse(database, folder / "tmp")
    warehouse.claim_for_shop("simulated_shop")
    landing = warehouse.land_order_lines(str(orders), "simulated_shop", connections, datetime.now(UTC))
    (model,) = SHIPPED_MODELS.glob("shipped-*")
    variables = {"order_lines": [mapping.as_dbt_variable() for mapping in landing.mappings]}
    environment = dbt_environment(
        database, as_of_date=str(profile.last_day), horizon_days=90, model_version=model.name, model_folder=str(model),
        run_date=str(profile.last_day),
    )  # fmt: skip

    def dbt(*arguments: str) -> float:
        command = dbt_command(*arguments, variables=variables, state=folder)
        return run_python(*command, **environment).core_seconds

    start = dbt("parse", "--no-partial-parse")
    daily = dbt("build", "--exclude-resource-type", "unit_test", "--select", *STAGING, *FEATURES, *SCORES) - start
    nodes = len(json.loads((folder / "run_results.json").read_text())["results"])
    training = dbt("build", "--exclude-resource-type", "unit_test", "--select", *TRAINING) - start
    rows, sizes = _sizes(database, folder)
    request, response = _message_bytes()
    return Measured(rows, sizes, _parents(folder), daily, training, nodes, request, response)


def _sizes(database: Path, folder: Path) -> tuple[dict[str, int], dict[str, int]]:
    rows, sizes = {}, {}
    with duckdb.connect(database) as con:
        tables = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where not internal"
        ).fetchall()
        for (relation,) in tables:
            file = folder / "table.parquet"
            con.execute(f"copy {relation} to '{file}' (format parquet, compression zstd)")
            rows[relation] = con.execute(f"select count(*) from {relation}").fetchall()[0][0]
            sizes[relation] = file.stat().st_size
    return rows, sizes


def _parents(folder: Path) -> dict[str, list[str]]:
    """What each model reads: schema.name of the tables, views followed to what they read."""
    manifest = json.loads((folder / "manifest.json").read_text())
    nodes = manifest["nodes"] | manifest["sources"]

    def tables(unique_id: str) -> list[str]:
        node = nodes[unique_id]
        if node.get("config", {}).get("materialized") == "view":
            return [table for parent in node["depends_on"]["nodes"] for table in tables(parent)]
        name = f"{node['schema']}.{node['name']}"
        return ["raw_simulated_shop.order_lines_as_text" if name == "raw_simulated_shop.order_lines" else name]

    return {
        f"{node['schema']}.{node['name']}": [t for parent in node["depends_on"]["nodes"] for t in tables(parent)]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["materialized"] != "view"
    }


def _message_bytes() -> tuple[float, float]:
    """Bytes a row of an external function's request and answer."""
    body = json.dumps({"data": [[number, EXAMPLE] for number in range(ROWS_A_CALL)]}).encode()
    answer = LocalClient(create_api(service())).post(
        "/snowflake", content=body, headers={"content-type": "application/json"}
    )
    answer.raise_for_status()
    return len(body) / ROWS_A_CALL, len(answer.content) / ROWS_A_CALL


@dataclass(frozen=True)
class Bill:
    """A month of a shop, with a daily run and a weekly training, in the smallest warehouse that is fast enough."""

    customers: int
    stored_bytes: float
    scanned_bytes: float
    size: str
    daily_seconds: float
    daily_credits: float
    training_credits: float
    calls: float
    api_dollars: float
    udf_credits: float

    @property
    def credits(self) -> float:
        return 30 * self.daily_credits + 4.3 * self.training_credits

    @property
    def dollars(self) -> float:
        return self.credits * CREDIT + self.stored_bytes / 1e12 * STORAGE_TB_MONTH


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
    others = sum(size for name, size in measured.bytes.items() if name != "marts.churn_predictions") * scale
    calls = customers / ROWS_A_CALL
    api = (
        customers / API_ROWS_A_CORE_SECOND * LAMBDA_GB * LAMBDA_GB_SECOND
        + calls / 1e6 * (LAMBDA_MILLION_CALLS + GATEWAY_MILLION_CALLS)
    )  # fmt: skip
    return Bill(
        customers=customers,
        stored_bytes=predictions + others,
        scanned_bytes=scanned * scale,
        size=SIZES[position],
        daily_seconds=seconds,
        daily_credits=(seconds + FLOW_SECONDS + IDLE_SECONDS) * per_second,
        training_credits=(training_seconds + FLOW_SECONDS + IDLE_SECONDS) * per_second,
        calls=calls,
        api_dollars=30 * api,
        udf_credits=30 * customers / UDF_ROWS_A_CORE_SECOND / XSMALL_CORES / 3600,
    )


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} PB"


def _page(measured: Measured) -> str:
    bills = [bill(measured, customers) for customers in SHOPS]
    each = {name: measured.bytes[name] / MEASURED_CUSTOMERS for name in sorted(measured.bytes)}
    largest = sorted(each, key=lambda name: each[name], reverse=True)[:8]

    def row(title: str, *values: str) -> str:
        return f"| {title} | {' | '.join(values)} |"

    table = [
        row("", *(f"{b.customers:,} customers" for b in bills)),
        "|---|" + "---:|" * len(bills),
        row("stored, with a year of daily predictions", *(_size(b.stored_bytes) for b in bills)),
        row("read by a daily run", *(_size(b.scanned_bytes) for b in bills)),
        row("virtual warehouse", *(b.size for b in bills)),
        row("… seconds a day", *(f"{b.daily_seconds:,.0f}" for b in bills)),
        row("… credits a day", *(f"{b.daily_credits:.3g}" for b in bills)),
        row("… credits of a weekly training's snapshots", *(f"{b.training_credits:.3g}" for b in bills)),
        row("**credits a month**", *(f"**{b.credits:,.3g}**" for b in bills)),
        row("**USD a month**, storage included", *(f"**{b.dollars:,.0f}**" for b in bills)),
        row("scoring by the API: calls a day", *(f"{b.calls:,.0f}" for b in bills)),
        row("… sent and received a day",
            *(_size(b.customers * (measured.request_bytes + measured.response_bytes)) for b in bills)),
        row("… USD a month: Lambda and API Gateway", *(f"{b.api_dollars:,.2f}" for b in bills)),
        row("scoring inside Snowflake instead: credits a month", *(f"{b.udf_credits:.3g}" for b in bills)),
    ]  # fmt: skip
    sizes = [f"| `{name}` | {measured.rows[name] / MEASURED_CUSTOMERS:.2f} | {each[name]:,.0f} |" for name in largest]
    return _TEXT.format(
        table="\n".join(table),
        sizes="\n".join(sizes),
        customers=f"{MEASURED_CUSTOMERS:,}",
        daily=f"{measured.daily_core_seconds:.0f}",
        training=f"{measured.training_core_seconds:.0f}",
        nodes=measured.daily_nodes,
        request=f"{measured.request_bytes:,.0f}",
        response=f"{measured.response_bytes:,.0f}",
        credit=f"{CREDIT:.2f}",
        storage=f"{STORAGE_TB_MONTH:.0f}",
        cores=XSMALL_CORES,
        longest=MAX_SECONDS // 60,
        idle=IDLE_SECONDS,
        flow=FLOW_SECONDS,
        rows_a_call=ROWS_A_CALL,
        api_rows=f"{API_ROWS_A_CORE_SECOND:,}",
        udf_rows=f"{UDF_ROWS_A_CORE_SECOND:,}",
        node=NODE_SECONDS,
    )


_TEXT = """# What Snowflake costs

Written by `python -m tests.benchmarks snowflake_cost`, which measures rows, bytes and work on a simulated
shop and multiplies. It is a model, not a bill: nothing here has run on Snowflake. Change the assumptions at
the top of `tests/benchmarks/snowflake_cost.py` and run it again.

{table}

## Measured

On a simulated shop of {customers} customers, by DuckDB on this project's own models:

| table | rows a customer | bytes a customer (parquet, zstd) |
|---|---:|---:|
{sizes}

- a daily build (order lines, segments, features, scores, marts and their tests: {nodes} nodes): {daily} cores
  × seconds;
- training snapshots, built only when a model is trained: {training} cores × seconds more;
- an external function's row: {request} bytes out, {response} bytes back.

## Assumed

- {credit} USD a credit, {storage} USD a TB and month; Lambda with one core, REST API Gateway, all in one
  region and at list price, without transfer fees.
- An XS has {cores} cores of this machine's speed, and twice the warehouse is twice as fast; the smallest one
  is taken that is done within {longest} minutes. Each of dbt's nodes costs {node} s of its own;
  four run at a time.
- During a run the warehouse waits {flow} s for what the flow does between its statements, and {idle} s more until it
  suspends itself. It does nothing else. Automatic clustering is left out: days arrive in order.
- Snowflake's files are as large as parquet's; every run reads every column of its inputs, which overestimates
  it.
- Snowflake sends {rows_a_call} rows a call; a core of the API answers {api_rows} rows a second, and a core
  scores {udf_rows} inside the warehouse, both by `make bench`. The time that the warehouse waits for the API is
  left out.

## What keeps it low

- **A daily run trains nothing.** The snapshots of past dates, the largest tables of all, are built
  weekly.
- **Segments, features and scores are computed once a day, in one pass over purchases**, not over order lines.
- **Staging is rebuilt each time**: late orders, returns and deleted rows are then right without a rule for
  each. Beyond ten million customers that is most of the bill; an incremental staging by Airbyte's generation
  would be the next step.
- **`marts.churn_predictions` is the only table that grows.** It is clustered by the as-of date, and the merge
  filters by that date, so a run reads one day of it; it alone is not transient.
- **Rows arrive as parquet by COPY**, and content that is already loaded is not loaded again
  (`raw.load_manifest`).
- **One small warehouse** that suspends after a minute, a resource monitor, time limits on statements, a query
  tag on every session: the cost per session is in `snowflake.account_usage.query_history`.
- **From ten million customers on, let Snowflake score by itself** (`SNOWFLAKE_SCORING=udf`): the API's calls
  cost little, but the warehouse waits for them. Also train on a sample: the flow keeps the snapshots in
  memory.
"""
