"""`docs/snowflake-cost.md`: what a shop of so many customers costs, from sizes and work measured here.

`python -m tests.benchmarks snowflake_cost` measures, writes the page, and prints what it measured.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.churn.training_set import sample_below
from flows.settings import REPOSITORY, SHIPPED_MODELS
from flows.simulator.contacts import simulate_contacts
from flows.simulator.shop import ShopProfile, simulate
from flows.sources.connections import Connections, read_connections
from flows.sources.mappings import Landing, of_model
from flows.steps.building import FEATURES, SCORES, STAGING, TRAINING
from functions.churn_api.fast_path import create_api
from tests.benchmarks.cost_model import (
    KEPT_DAYS,
    MAILS_A_YEAR,
    MEASURED_CUSTOMERS,
    ROWS_A_CALL,
    TRAINING_CUSTOMERS,
    Measured,
)
from tests.benchmarks.cost_page import page
from tests.benchmarks.measured import Figure, run_python
from tests.running.dbt import dbt_command, dbt_environment
from tests.running.serving import EXAMPLE, LocalClient, service

PAGE = REPOSITORY / "docs" / "snowflake-cost.md"


def measure(folder: Path) -> Iterator[Figure]:
    measured = _measure(folder)
    PAGE.write_text(page(measured), encoding="utf-8")
    lines = measured.rows["raw_simulated_shop.order_lines_as_text"]
    yield Figure(
        f"cores × seconds of a daily build, {MEASURED_CUSTOMERS:,} customers and {lines:,} order lines",
        f"{measured.daily_core_seconds:.0f} s",
        f"with training snapshots {measured.daily_core_seconds + measured.training_core_seconds:.0f} s",
    )


def _measure(folder: Path) -> Measured:
    profile = ShopProfile(customers=MEASURED_CUSTOMERS, seed=1)
    orders, contacts, database = folder / "orders.csv", folder / "contacts.csv", folder / "warehouse.duckdb"
    shop = simulate(profile)
    with duckdb.connect() as con:
        for file, rows in ((orders, shop.order_lines), (contacts, simulate_contacts(shop))):
            con.register("rows_to_write", rows)
            con.execute("copy rows_to_write to $1 (format csv, header)", [str(file)])
    connections = read_connections(REPOSITORY / "airbyte" / "connections.yml")
    warehouse = DuckDBWarehouse(database, folder / "tmp")
    warehouse.claim_for_shop("simulated_shop")
    extracted_at = datetime.now(UTC)
    landings = [
        warehouse.land("order_lines", str(orders), "simulated_shop", connections, extracted_at),
        warehouse.land("contacts", str(contacts), "simulated_shop", connections, extracted_at),
        *_land_email_events(database, connections, profile.last_day),
    ]
    (model,) = SHIPPED_MODELS.glob("shipped-*")
    variables: dict[str, list[object]] = {"sources": ["simulated_shop", "hubspot"]}
    for landing in landings:
        variables[landing.kind] = [mapping.as_dbt_variable() for mapping in landing.mappings]
    environment = dbt_environment(
        database, as_of_date=str(profile.last_day), horizon_days=90, model_version=model.name, model_folder=str(model),
        run_date=str(profile.last_day), predictions_kept_days=KEPT_DAYS,
        training_sample_below=sample_below(TRAINING_CUSTOMERS, MEASURED_CUSTOMERS),
    )  # fmt: skip

    def dbt(*arguments: str) -> float:
        command = dbt_command(*arguments, variables=variables, state=folder)
        return run_python(*command, **environment).core_seconds

    dbt("parse", "--no-partial-parse")
    start = dbt("parse")  # what dbt takes for itself, when it has parsed before
    daily = dbt("build", "--exclude-resource-type", "unit_test", "--select", *STAGING, *FEATURES, *SCORES) - start
    nodes = len(json.loads((folder / "run_results.json").read_text())["results"])
    training = dbt("build", "--exclude-resource-type", "unit_test", "--select", *TRAINING) - start
    rows, sizes = _sizes(database, folder)
    request, response = _message_bytes()
    return Measured(rows, sizes, _parents(folder), daily, training, nodes, request, response, orders.stat().st_size)


def _land_email_events(database: Path, connections: Connections, last_day: date) -> list[Landing]:
    """A year of mails to each contact in HubSpot's shape: sent and delivered, a fourth opened, one in 33 clicked.

    HubSpot's other streams are there without rows: this shop's orders and contacts are files.
    """
    landed = "_airbyte_raw_id varchar, _airbyte_extracted_at timestamptz, id varchar, updatedat varchar"
    others = {
        "contacts": "properties_email varchar, properties_hs_additional_emails varchar, properties_customer_id varchar,"
        " properties_hs_email_optout varchar, properties_createdate varchar, properties_hs_merged_object_ids varchar",
        "deals": "associations varchar, properties_closedate varchar, properties_hs_is_closed_won varchar,"
        " properties_amount varchar, properties_order_id varchar, properties_deal_currency_code varchar",
        "line_items": "associations varchar, properties_amount varchar, properties_quantity varchar,"
        " properties_hs_sku varchar",
    }
    with duckdb.connect(database) as con:
        con.execute("create schema raw_hubspot")
        for stream, columns in others.items():
            con.execute(f"create table raw_hubspot.{stream} ({landed}, {columns})")
            con.execute(f"create table raw_hubspot.archived_{stream} ({landed}, archivedat varchar)")
        con.execute(f"""
            create table raw_hubspot.email_events as
            select
                uuid() as _airbyte_raw_id, now() as _airbyte_extracted_at, uuid() as id, epoch_ms(sent_at) as created,
                strftime(sent_at, '%Y-%m-%dT%H:%M:%S.000Z') as createdat, email as recipient, type,
                cast(null as varchar) as portalsubscriptionstatus
            from raw_simulated_shop.contacts
            cross join (
                select mail, timestamp '{last_day}' - mail * interval {365 // MAILS_A_YEAR} day as sent_at
                from range({MAILS_A_YEAR}) as mails(mail)
            )
            inner join (values ('SENT', 1.0), ('DELIVERED', 1.0), ('OPEN', 0.25), ('CLICK', 0.03)) as kinds(type, share)
                on hash(email, mail, type) % 100 < 100 * share
        """)
    meaning = connections.connection("hubspot").email_events
    assert meaning is not None
    return [of_model("email_events", "hubspot", meaning)]


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
