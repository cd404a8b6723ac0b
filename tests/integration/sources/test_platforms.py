"""Exports of the platforms that airbyte/connections.yml knows: what a shop sold comes out of each as it is."""

from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import pytest

from flows.adapters.files.reading.landing import CsvLanding
from flows.flow.pipeline import read_history
from flows.settings import REPOSITORY, Settings
from flows.sources.connections import OrderLines, read_connections
from flows.sources.platforms import describe_platforms
from flows.steps.building import build
from flows.wiring import wire
from tests.examples.platform_exports import EXPORTS
from tests.running.dbt import dbt, dbt_environment
from tests.stand_ins.snowflake_server import snowflake_server
from tests.stand_ins.snowflake_sql import problems

KNOWN = read_connections(REPOSITORY / "airbyte" / "connections.yml")
MODELS = "stg_shop__customer_id_corrections stg_shop__order_lines_validated stg_shop__misdated stg_shop__order_lines"
NET = """
    select source_name, sum(case when is_return then -amount else amount end), count(distinct customer_id)
    from staging.stg_shop__sold_and_returned group by 1
"""


@pytest.fixture(scope="module")
def landings(tmp_path_factory):
    """Platform → what was found in its export; and a warehouse that holds the rows of all of them."""
    folder, found = tmp_path_factory.mktemp("exports"), {}
    warehouse = folder / "warehouse.duckdb"
    with duckdb.connect(warehouse) as con:
        for number, (platform, (text, _)) in enumerate(EXPORTS.items()):
            file = folder / f"export_{number}.csv"
            file.write_text(text)
            landing = CsvLanding(con, KNOWN, datetime(2026, 1, 1, tzinfo=UTC), folder)
            found[platform] = landing.order_lines(str(file), f"export_{number}", OrderLines())
        rows = " union all by name ".join(
            f"select * replace ('{number}-' || _airbyte_raw_id as _airbyte_raw_id) from raw_export_{number}.order_lines"
            for number in range(len(EXPORTS))
        )
        con.execute(f"create table raw_export_0.all_lines as {rows}")
        con.execute("drop view raw_export_0.order_lines")
        con.execute("alter table raw_export_0.all_lines rename to order_lines")
    return warehouse, found


@pytest.fixture(scope="module")
def nets(landings, tmp_path_factory):
    """Platform → net sales and customers, as staging has them of all exports at once."""
    warehouse, found = landings
    mappings = [
        replace(landing.mappings[0], connection=f"export_{number}", files=[landing.files[0].name]).as_dbt_variable()
        for number, landing in enumerate(found.values())
    ]
    ended = dbt(
        "run", "--quiet", "--select", *MODELS.split(), "stg_shop__sold_and_returned",
        state=tmp_path_factory.mktemp("dbt"),
        environment=dbt_environment(warehouse, run_date="2026-01-01", given_as_of="2025-01-01"),
        variables={"order_lines": mappings, "contacts": []},
    )  # fmt: skip
    assert ended.success, ended.lines
    with duckdb.connect(warehouse, read_only=True) as con:
        by_connection = {name: (net, customers) for name, net, customers in con.sql(NET).fetchall()}
    return {platform: by_connection[f"export_{number}"] for number, platform in enumerate(EXPORTS)}


@pytest.mark.parametrize("platform", EXPORTS)
def test_the_export_of_a_platform_is_recognised_and_adds_up(platform, landings, nets):
    assert f"recognised an export of {platform}" in landings[1][platform].notes
    net, customers = nets[platform]
    assert net == EXPORTS[platform][1]
    assert customers == 5


def test_every_platform_has_an_export_that_is_tried():
    assert {platform.name for platform in KNOWN.platforms if platform.order_lines} == EXPORTS.keys()


def test_the_documents_list_the_platforms_that_are_recognised():
    table = describe_platforms(KNOWN.platforms)
    assert table in (REPOSITORY / "docs" / "sources.md").read_text(), f"docs/sources.md is to have:\n\n{table}"


def test_what_the_connection_says_counts_before_the_platforms_entry(tmp_path):
    file = tmp_path / "orders.csv"
    file.write_text(EXPORTS["Shopify"][0])
    with duckdb.connect() as con:
        landing = CsvLanding(con, KNOWN, datetime(2026, 1, 1, tzinfo=UTC), tmp_path)
        lines = {"sold": ["paid"], "not_sold": ["voided", "refunded", "partially_refunded"]}
        stream = OrderLines.model_validate({"timezone": "America/New_York", "status": lines})
        mapping = landing.order_lines(str(file), "shop", stream).mappings[0]
    assert mapping.timezone == "America/New_York"
    assert mapping.orders.sold["status"] == ["paid"]


@pytest.mark.whole_run
def test_totals_statuses_and_refunds_of_orders_are_read_in_snowflakes_own_sql_too(tmp_path, monkeypatch):
    text, net = EXPORTS["Shopify"]
    (tmp_path / "orders.csv").write_text(text)
    with snowflake_server() as server:
        for name, value in server.flow_settings.items():
            monkeypatch.setenv(name, value)
        settings = Settings(data_dir=tmp_path, orders=str(tmp_path / "orders.csv"))
        wiring = wire(settings)
        history = read_history(wiring, settings, datetime(2026, 1, 1, tzinfo=UTC))
        purchases = ("+int_purchases,path:models/intermediate",)
        build(wiring.dbt, "purchases", purchases, history.mappings, history.run_values)
        [spent] = wiring.warehouse.row(
            "select sum(net_amount) from intermediate.int_purchases where known_until = '9999-12-31'"
        )
        statements = server.steer()["statements"]
    assert spent == net
    assert [problem for statement in statements for problem in problems(statement)] == []
