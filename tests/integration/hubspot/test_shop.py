"""A shop whose orders and contacts are in HubSpot: whole runs on what the real CDK brings from a stand-in for it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.snowflake.loading import quoted
from flows.console.run_summary import as_markdown
from flows.settings import CONNECTIONS, Settings
from flows.sources.connections import read_connections
from flows.wiring import wire
from tests.running.airbyte_source import needs_the_cdk
from tests.stand_ins.hubspot import TOKEN, shop
from tests.stand_ins.snowflake_server import snowflake_server
from tests.stand_ins.snowflake_sql import problems

pytestmark = [needs_the_cdk, pytest.mark.whole_run]

CUSTOMERS = 150
BOUGHT_ON = datetime(2025, 11, 10, 10, tzinfo=UTC)  # later than whatever else the account knows
LATER = BOUGHT_ON + timedelta(days=3)
SPECIAL = ("stays", "says-no", "cancels", "is-archived", "loses")


@pytest.fixture(scope="module")
def hubspot():
    account = shop(CUSTOMERS)
    account.special = {name: _buyer(account, name) for name in SPECIAL}
    contact, _ = account.special["says-no"]
    account.contacts.update(contact, {"hs_email_optout": "true"}, BOUGHT_ON)
    account.email_events.add(
        "STATUSCHANGE", "says-no@example.org", BOUGHT_ON - timedelta(days=40), portalSubscriptionStatus="UNSUBSCRIBED"
    )
    with account.serving() as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUBSPOT_ACCESS_TOKEN", TOKEN)
        patch.setenv("HUBSPOT_BASE_URL", url)
        patch.setenv("HUBSPOT_START_DATE", "2025-01-01T00:00:00Z")
        yield account


def _buyer(account, name):
    """A contact with a won deal larger than anybody else's, without line items; their ids."""
    email = f"{name}@example.org"
    contact = account.contacts.add({"email": email, "customer_id": name}, BOUGHT_ON)
    deal = {"amount": "9000.00", "dealname": name, "dealstage": "closedwon", "hs_is_closed_won": "true",
            "closedate": BOUGHT_ON.isoformat(), "deal_currency_code": "EUR", "order_id": f"order-{name}"}  # fmt: skip
    account.email_events.add("OPEN", email, BOUGHT_ON - timedelta(days=2))
    account.email_events.add("CLICK", email, BOUGHT_ON - timedelta(days=2))
    return contact, account.deals.add(deal, BOUGHT_ON, associations={"contacts": [contact]})


@pytest.fixture(scope="module")
def run(hubspot, tmp_path_factory, run_pipeline):
    data_dir = tmp_path_factory.mktemp("hubspot")
    return data_dir, run_pipeline(data_dir, source="hubspot", horizon_days=90)


def customers(read, data_dir):
    return {row["customer_id"]: row for row in read(data_dir, "from marts.marketing_customers").to_pylist()}


def test_won_deals_are_orders_and_their_line_items_lines(run, hubspot, read):
    data_dir, report = run
    found = customers(read, data_dir)
    with_deals = {deal.associations["contacts"][0] for deal in hubspot.deals._records.values()}
    assert len(found) == len(with_deals)
    spent = read(data_dir, "select sum(monetary) as total from marts.customer_features").column("total")[0].as_py()
    assert spent == sum(float(deal.properties["amount"]) for deal in hubspot.deals._records.values())
    assert found["stays"]["email"] == "stays@example.org"
    assert report.as_of.currency == "EUR"
    assert not report.receipt.rejections


def test_old_orders_are_reported_though_the_sync_is_new_and_every_table_fresh(run):
    _, report = run
    assert [warning.partition(", ")[0] for warning in report.age.warnings] == ["the newest order is of 2025-11-10"]
    assert [note.split(" at ")[0] for note in report.age.notes][1:] == ["hubspot last brought data"]
    assert report.age.why_nothing_is_sent.startswith("the newest order is of 2025-11-10")
    assert report.age.warnings[0] in as_markdown(report)


def test_opens_clicks_and_consent_become_features(run, read):
    data_dir, _ = run
    columns = "emails_opened_last_90_days, emails_clicked_last_90_days, days_since_last_email_open, has_opted_out"
    found = read(data_dir, f"select customer_id, {columns} from marts.customer_features").to_pylist()
    by_customer = {row.pop("customer_id"): row for row in found}
    stays = {"emails_opened_last_90_days": 1, "emails_clicked_last_90_days": 1, "days_since_last_email_open": 2}
    assert by_customer["stays"] == {**stays, "has_opted_out": 0}
    assert by_customer["says-no"] == {**stays, "has_opted_out": 1}
    assert None not in {row["emails_opened_last_90_days"] for row in by_customer.values()}


def test_who_opted_out_in_hubspot_is_on_no_list_and_the_day_is_that_of_the_event(run, read):
    data_dir, report = run
    found = customers(read, data_dir)
    assert (found["stays"]["may_be_contacted"], found["says-no"]["may_be_contacted"]) == (True, False)
    listed = {row["customer_id"] for row in report.most_at_stake.to_pylist()}
    assert listed
    assert "says-no" not in listed
    since = read(data_dir, "select opted_out_on from staging.stg_shop__contacts where customer_id = 'says-no'")
    assert since.column("opted_out_on").to_pylist() == [(BOUGHT_ON - timedelta(days=40)).date()]


def test_the_sync_is_on_record_and_in_the_summary(run, read):
    data_dir, report = run
    (sync,) = read(data_dir, "from raw.sync_runs").to_pylist()
    assert (sync["connection"], sync["status"], sync["was_attached"]) == ("hubspot", "succeeded", False)
    assert sync["rows_synced"] > 4 * CUSTOMERS
    assert sync["bytes_synced"] > 100 * sync["rows_synced"]
    assert f"{CUSTOMERS + len(SPECIAL):,} contacts" in report.syncs[0].notes[0]


def test_staging_cannot_tell_what_the_cdk_brought_from_what_airbyte_brings_to_snowflake(run, monkeypatch, tmp_path):
    """The same records under the names and types of Airbyte's destination, read by the same models."""
    data_dir, _ = run
    laptop = DuckDBWarehouse(data_dir / "warehouse.duckdb", data_dir / "tmp")
    last_build = json.loads((data_dir / ".dbt" / "last_build.json").read_text())
    models = ["stg_shop__order_lines_validated", "stg_shop__contacts_validated", "stg_shop__email_events"]
    with snowflake_server() as server:
        for name, value in server.flow_settings.items():
            monkeypatch.setenv(name, value)
        wiring = wire(Settings(data_dir=tmp_path, warehouse="snowflake"))
        for table in read_connections(CONNECTIONS).connection("hubspot").streams:
            _bring(laptop, wiring.warehouse, table)
        server.steer(statements=[])
        wiring.dbt.build(["path:seeds", "path:models/staging"], *last_build.values())
        sent = server.steer()["statements"]
        for model in models:
            query = f"select * from staging.{model}"
            assert _comparable(wiring.warehouse.read(query)) == _comparable(laptop.read(query)), model
        wiring.warehouse._close()
    assert [problem for statement in sent for problem in problems(statement)] == []


def _bring(laptop, cloud, table):
    found = laptop.read(
        f"select column_name, data_type from information_schema.columns where table_name = '{table}'"
        " and table_schema = 'raw_hubspot' order by ordinal_position"
    )
    columns = dict(zip(found["column_name"].to_pylist(), found["data_type"].to_pylist(), strict=True))
    as_text = ", ".join(f'cast("{name}" as varchar) as "{name}"' for name in columns)
    rows = laptop.read(f"select {as_text} from raw_hubspot.{table}")
    cloud.merge(f"raw_hubspot.{table}_text", rows, ["_airbyte_raw_id"])
    types = {
        "TIMESTAMP WITH TIME ZONE": "cast({} as timestamp_tz)", "JSON": "parse_json({})",
        "BOOLEAN": "cast({} as boolean)", "BIGINT": "cast({} as number(38, 0))",
    }  # fmt: skip
    typed = ", ".join(
        f"{types.get(kind, '{}').format(quoted(name))} as {quoted(name)}" for name, kind in columns.items()
    )
    cloud.change("-", [f"create table raw_hubspot.{table} as select {typed} from raw_hubspot.{table}_text"])


def _comparable(table):
    names = [name for name in table.column_names if name != "extracted_at"]
    return sorted([tuple(str(row[name]) for name in names) for row in table.to_pylist()])


def test_what_was_archived_lost_or_opted_out_since_is_gone_at_the_next_run_and_stays_gone(
    run, hubspot, read, run_pipeline
):
    data_dir, _ = run
    before = customers(read, data_dir)
    (_, cancelled), (archived, of_archived), (_, lost) = (
        hubspot.special[name] for name in ("cancels", "is-archived", "loses")
    )
    hubspot.deals.archive([cancelled, of_archived], LATER)
    hubspot.contacts.archive([archived], LATER)
    hubspot.deals.update(lost, {"dealstage": "closedlost", "hs_is_closed_won": "false"}, LATER)
    hubspot.contacts.update(hubspot.special["stays"][0], {"hs_email_optout": "true"}, LATER)

    report = run_pipeline(data_dir, source="hubspot", horizon_days=90)

    after = customers(read, data_dir)
    assert set(before) - set(after) == {"cancels", "is-archived", "loses"}
    assert not after["stays"]["may_be_contacted"]
    assert report.syncs[0].rows < 2 * CUSTOMERS  # what changed, and what a boundary or a look back repeats
    rows = read(data_dir, "select count(*) as n, count(distinct id) as ids from raw_hubspot.contacts").to_pylist()
    assert rows == [{"n": CUSTOMERS + len(SPECIAL), "ids": CUSTOMERS + len(SPECIAL)}]

    # HubSpot deletes archived records after 90 days
    for kind in (hubspot.contacts, hubspot.deals):
        kind._ids[True].clear()
    run_pipeline(data_dir, source="hubspot", horizon_days=90)
    assert set(customers(read, data_dir)) == set(after)


def test_orders_of_a_file_are_joined_with_hubspots_contacts_by_id_and_by_address(hubspot, tmp_path, run_pipeline, read):
    orders = tmp_path / "orders.csv"
    orders.write_text(
        "order_id,customer_id,email,ordered_at,amount\n"
        "1,says-no,,2025-08-01,50\n"  # by the shop's id
        "2,other-id,Stays@example.org,2025-08-02,60\n"  # by the address
        "3,customer7@example.org,,2025-08-03,70\n"  # whose id is the address
        "4,unknown,unknown@example.org,2025-08-04,80\n"  # a word for nobody: known by the address
    )
    data_dir = tmp_path / "data"
    report = run_pipeline(data_dir, orders=str(orders), contacts="hubspot", horizon_days=90)
    found = customers(read, data_dir)
    assert set(found) == {"says-no", "other-id", "customer7@example.org", "unknown@example.org"}
    assert [name for name, row in found.items() if row["opted_out"] is None] == ["unknown@example.org"]
    assert not found["says-no"]["may_be_contacted"]
    assert found["customer7@example.org"]["opted_out"] is False
    assert report.order_lines == 4


def test_orders_of_a_file_and_of_hubspot_are_one_shops(hubspot, tmp_path, run_pipeline, read, run):
    orders = tmp_path / "orders.csv"
    orders.write_text(
        "order_id,customer_id,email,ordered_at,amount\n1,web-1,says-no@example.org,2025-01-05,50\n"
        "2,web-2,nobody@example.net,2025-08-02,60\n"
    )
    data_dir = tmp_path / "data"
    run_pipeline(data_dir, orders=str(orders), source="orders_csv,hubspot", horizon_days=90)
    found = customers(read, data_dir)
    # one person by the address: the id of the first order stays
    assert "says-no" not in found
    assert found["web-1"]["monetary"] == 9_050
    assert "web-2" in found
    assert len(found) > CUSTOMERS / 2
