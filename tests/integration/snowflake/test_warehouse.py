"""Loading into and reading from Snowflake, and what happens when it refuses, breaks off or has changed meanwhile."""

import dataclasses
import threading
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from flows.adapters.dbt.descriptions import Descriptions
from flows.adapters.duckdb.sql import literal
from flows.adapters.privacy.erasure import all_names, erase_again, erase_noted, note
from flows.adapters.privacy.personal_export import parts_of_warehouse
from flows.adapters.snowflake import account as snowflake_account
from flows.adapters.snowflake import loading as snowflake_loading
from flows.adapters.snowflake.account import SnowflakeAccount
from flows.adapters.snowflake.warehouse import SnowflakeWarehouse
from flows.errors import BadInput, WarehouseRefused, WarehouseUnreachable
from flows.settings import SHIPPED_MODELS, Settings, SnowflakeSettings, read_settings
from flows.sources.connections import Connections
from flows.sources.mappings import TimestampFormat
from flows.wiring import wire
from functions.prediction_record import PredictionRecord
from tests.examples.written_values import written_moments, written_numbers
from tests.running.dbt import dbt
from tests.stand_ins.snowflake_server import snowflake_server
from tests.stand_ins.snowflake_sql import problems

NOW = datetime(2026, 7, 1, 5, tzinfo=UTC)
HEADER = "order_id,customer_id,ordered_at,amount\n"
ORDERS = HEADER + "1,A,2026-06-01,10\n2,B,2026-06-02,20\n"
MORE = ORDERS + "3,C,2026-06-03,30\n"
LINES = "raw_shop.order_lines"


@pytest.fixture(scope="module")
def server():
    with snowflake_server() as server:
        yield server


@pytest.fixture
def shop(server, tmp_path, monkeypatch):
    """A warehouse whose connection `shop` holds two order lines, in a database without a fault."""
    for name, value in server.flow_settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(snowflake_account, "NETWORK_TIMEOUT_SECONDS", 3)
    monkeypatch.setattr(snowflake_account, "LOGIN_TIMEOUT_SECONDS", 3)
    server.steer(faults=[], login_refusal=None)
    shop = Shop(tmp_path)
    shop.warehouse.claim_for_shop("shop")
    shop.land(ORDERS)
    server.steer(statements=[])
    return shop


class Shop:
    def __init__(self, folder):
        self.folder = folder
        self.warehouse = SnowflakeWarehouse(
            SnowflakeAccount.read(read_settings(SnowflakeSettings)), folder / "tmp", "external_function"
        )

    def land(self, orders, **stream):
        (self.folder / "orders.csv").write_text(orders)
        connections = connection(**stream)
        return self.warehouse.land("order_lines", str(self.folder / "orders.csv"), "shop", connections, NOW)

    def customers(self):
        return sorted(self.warehouse.read(f"select customer_id from {LINES}").column("customer_id").to_pylist())


def connection(**stream):
    shop = {"description": "-", "connector": "csv", "streams": {"order_lines": {}}, "order_lines": stream}
    order_lines = {name: [name] for name in ("order_id", "customer_id", "ordered_at", "amount", "channel")}
    headers = {"order_lines": order_lines, "contacts": {}, "products": {}, "traits": {}}
    known = {"recognised_headers": headers, "recognised_values": {"status": {}, "line_type": {}, "flag": {}}}
    return Connections.model_validate({"connections": {"shop": shop}, **known})


def sent(server, words):
    return [statement for statement in server.steer()["statements"] if words in statement]


def test_the_same_content_is_not_sent_again_and_what_changes_replaces_it(server, shop):
    shop.land(ORDERS)
    assert sent(server, "put 'file") == []
    shop.land(MORE)
    assert shop.customers() == ["A", "B", "C"]
    shop.land(ORDERS)
    assert shop.customers() == ["A", "B"]
    loads = shop.warehouse.read(f"select * from raw.load_manifest where relation = '{LINES}' order by loaded_at")
    assert loads.column("row_count").to_pylist()[-3:] == [2, 3, 2]
    assert all(size > 0 for size in loads.column("byte_count").to_pylist())


def test_a_large_load_goes_in_parts_of_bounded_size(server, shop, monkeypatch):
    monkeypatch.setattr(snowflake_loading.write_parts, "__defaults__", (1_000,))
    lines = "".join(f"{n},C{n},2026-06-01,{n}\n" for n in range(5_000))
    shop.land(HEADER + lines)
    assert len(sent(server, f"/{LINES}/")) >= 3  # parts, COPY and the removal
    assert len(shop.customers()) == 5_000


def test_types_survive_the_way_there_and_back(shop):
    rows = pa.table(
        {
            "key": ["a", "b"],
            "n": pa.array([1, None], pa.int64()),
            "x": pa.array([0.1, None]),
            "money": pa.array([None, 12], pa.decimal128(18, 2)),
            "yes": pa.array([True, None]),
            "day": pa.array([date(2026, 1, 2), None]),
            "at": pa.array([datetime(2026, 1, 2, 3, 4, 5, 678901), None], pa.timestamp("us")),  # noqa: DTZ001
        }
    )
    shop.warehouse.merge("marts.things", rows, ["key"])
    shop.warehouse.merge("marts.things", rows.slice(1), ["key"])
    assert shop.warehouse.read("select * from marts.things order by key").to_pylist() == rows.to_pylist()


def test_served_predictions_are_added_once(shop):
    record = PredictionRecord(
        prediction_id="p", customer_id="A", as_of_date=date(2026, 7, 1), horizon_days=90, clv_days=365,
        churn_probability=0.5, risk_band="medium", expected_spend=1.5, alive_probability=0.6, lifecycle="due", clv=3.0,
        clv_low=0.0, clv_high=9.0, expected_loss=1.0, win_back_value=2.0, next_order_earliest_on=None,
        next_order_on=None, next_order_latest_on=None, next_order_if_back_on=None, reason_1="a", reason_2="b",
        reason_3="c", model_version="m",
        source="api", scored_at=datetime(2026, 7, 1, 5),  # noqa: DTZ001
    )  # fmt: skip
    for _ in range(2):
        shop.warehouse.add_predictions([record, record])
    assert shop.warehouse.row("select count(*), min(risk_band) from marts.churn_predictions") == (1, "medium")


def test_another_shop_is_not_let_in(shop):
    with pytest.raises(BadInput, match=r"holds the shop shop.*SNOWFLAKE_DATABASE"):
        shop.warehouse.claim_for_shop("another")


REFUSALS = {
    "missing grant": ("003001", "42501", "Insufficient privileges to operate on table 'T1'", "'T1'.*grant"),
    "suspended warehouse": ("000606", "57P03", "No active warehouse selected in the current session.", "resume"),
    "quota": ("090073", "22000", "Warehouse 'T' cannot be resumed: its monitor exceeded its quota.", "raise its"),
    "timeout": ("000630", "57014", "Statement reached its statement or warehouse timeout of 1 s", "_TIMEOUT_"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSALS)
@pytest.mark.parametrize("step", ["copy into", f"insert into {LINES}", f"delete from {LINES}", "commit"])
def test_a_load_that_is_refused_changes_nothing_and_the_next_one_heals(server, shop, kind, step):
    code, sqlstate, message, prints = REFUSALS[kind]
    fault = {"matches": step, "does": "refuse", "code": code, "sqlstate": sqlstate, "message": message}
    server.steer(faults=[fault])
    with pytest.raises(WarehouseRefused, match=rf"(?s)loading {LINES}.*{prints}"):
        shop.land(MORE)
    assert shop.customers() == ["A", "B"]
    shop.land(MORE)
    assert shop.customers() == ["A", "B", "C"]


@pytest.mark.parametrize("does", ["drop_before", "drop"])
@pytest.mark.parametrize("step", ["put 'file", "copy into", f"insert into {LINES}"])
def test_a_connection_that_drops_changes_nothing_and_the_next_load_heals(server, shop, step, does):
    server.steer(faults=[{"matches": step, "does": does}])
    with pytest.raises(WarehouseUnreachable, match=f"broke off while loading {LINES}"):
        shop.land(MORE)
    assert shop.customers() == ["A", "B"]
    shop.land(MORE)
    assert shop.customers() == ["A", "B", "C"]


@pytest.mark.parametrize("step", ["copy into", f"insert into {LINES}", "commit"])
def test_a_statement_whose_response_is_lost_is_sent_again_and_loads_nothing_twice(server, shop, step):
    server.steer(faults=[{"matches": step, "does": "lose"}])
    with suppress(WarehouseUnreachable):
        shop.land(MORE)
    assert shop.customers() in (["A", "B"], ["A", "B", "C"])
    shop.land(MORE)
    assert shop.customers() == ["A", "B", "C"]


def test_a_wrong_key_and_an_expired_password_say_what_to_do(server, shop):
    other = dataclasses.replace(shop.warehouse.account, user="nobody")
    with pytest.raises(WarehouseRefused, match=r"(?s)connecting to fakesnow as nobody.*rsa_public_key"):
        SnowflakeWarehouse(other, shop.folder, "udf").read("select 1 as one")
    server.steer(login_refusal=["390106", "Specified password has expired. Password must be changed."])
    with pytest.raises(WarehouseRefused, match=r"(?s)has expired.*set a new one"):
        SnowflakeWarehouse(shop.warehouse.account, shop.folder, "udf").read("select 1 as one")


def test_a_new_column_is_added_and_one_that_goes_stays_as_null(shop):
    shop.land("order_id,customer_id,ordered_at,amount,channel\n1,A,2026-06-01,10,web\n")
    assert shop.warehouse.read(f"select channel from {LINES}").column("channel").to_pylist() == ["web"]
    shop.land(ORDERS)
    assert shop.warehouse.read(f"select channel from {LINES}").column("channel").to_pylist() == [None, None]


def test_every_way_to_write_a_moment_or_a_number_is_read_as_on_the_laptop(shop, tmp_path):
    parsed = [
        *(f"parse_timestamp({literal(text)!r}, {asdict(form)}, {zone!r})" for text, form, zone, _ in written_moments()),
        *(f"parse_number({literal(text)!r}, {asdict(form)})" for text, form, _ in written_numbers()),
    ]
    query = "select " + ", ".join(f"{{{{ {macro} }}}} as f{number}" for number, macro in enumerate(parsed))
    expected = (*(moment for *_, moment in written_moments()), *(number for *_, number in written_numbers()))
    for warehouse in ("duckdb", "snowflake"):
        wiring = wire(Settings(data_dir=tmp_path, warehouse=warehouse))
        given = {"environment": wiring.dbt.environment, "state": tmp_path / warehouse}
        compiled = dbt("compile", "--inline", query, "--target", warehouse, **given)
        assert compiled.success, compiled.output[-3000:]
        statement = compiled.result.results[0].node.compiled_code
        assert warehouse == "duckdb" or problems(statement) == []
        read = wiring.warehouse.row(statement)
        texts = [text for text, *_ in (*written_moments(), *written_numbers())]
        assert {text: value for text, value, right in zip(texts, read, expected, strict=True) if value != right} == {}


def test_what_airbyte_has_brought_is_understood_whatever_types_it_gave_and_columns_it_added(shop):
    make = shop.warehouse._execute
    make("-", "create or replace table raw_shop.order_lines (_airbyte_raw_id varchar, _airbyte_extracted_at"
              " timestamp_tz, order_id number(38, 0), customer_id varchar, ordered_at timestamp_ntz, amount double,"
              " surprise variant)")  # fmt: skip
    make("-", "insert into raw_shop.order_lines select 'u1', '2026-07-01'::timestamp_tz, 1, 'A',"
              " '2026-06-01 10:00:00'::timestamp_ntz, 1.5, parse_json('{}')")  # fmt: skip
    landing = shop.warehouse.synced("order_lines", "shop", connection(), NOW)
    assert landing.rows == 1
    assert landing.mappings[0].columns == {
        "order_id": "ORDER_ID", "customer_id": "CUSTOMER_ID", "ordered_at": "ORDERED_AT", "amount": "AMOUNT"
    }  # fmt: skip
    assert landing.mappings[0].timestamp_formats == {"ordered_at": TimestampFormat()}
    with pytest.raises(BadInput, match="holds 1 rows that are not from a file"):
        shop.land(MORE)
    columns = {"customer_id": "customer_id", "ordered_at": "ordered_at", "amount": "amount", "quantity": "Qty"}
    with pytest.raises(BadInput, match=r"(?s)raw_shop.order_lines lacks columns .*quantity: QTY"):
        shop.warehouse.synced("order_lines", "shop", connection(columns=columns), NOW)
    make("-", "drop table raw_shop.order_lines")
    with pytest.raises(BadInput, match=r"no raw_shop.order_lines in shop.*has Airbyte synced.*role transformer"):
        shop.warehouse.synced("order_lines", "shop", connection(), NOW)


def test_an_erasure_leaves_no_row_and_a_hash_that_undoes_a_load_which_brings_the_customer_back(server, shop):
    orders = ORDERS.replace(",A,", ",forget,")
    shop.land(orders)
    judged = pa.table(
        {
            "source_name": ["shop", "shop"], "order_line_key": ["000000000000", "000000000001"],
            "customer_id": ["forget", "B"], "email": ["a'@x.de", None], "extracted_at": [NOW, NOW],
        }
    )  # fmt: skip
    shop.warehouse.merge("staging.stg_shop__order_lines_validated", judged, ["order_line_key"])
    targets = pa.table({"customer_id": ["forget", "B"], "spend": [1, 2]})
    shop.warehouse.merge("marts.campaign_targets", targets, ["customer_id"])
    server.steer(statements=[])

    names = all_names(shop.warehouse, connection(), [" a'@X.de "])
    exported = list(parts_of_warehouse(shop.warehouse, connection(), names, Descriptions({})))
    assert {(part.place, len(part.rows)) for part in exported} == {
        (f"{relation} in {shop.warehouse.place}", 1)
        for relation in (
            "raw_shop.order_lines", "staging.stg_shop__order_lines_validated", "marts.campaign_targets",
        )
    }  # fmt: skip
    assert [row["customer_id"] for part in exported for row in part.rows] == ["forget"] * 3
    note(shop.warehouse, names)
    erased = erase_noted(shop.warehouse, connection(), NOW)

    assert {(entry.relation, entry.rows) for entry in erased} == {
        ("raw_shop.order_lines", 1), ("staging.stg_shop__order_lines_validated", 1), ("marts.campaign_targets", 1),
    }  # fmt: skip
    assert shop.customers() == ["(erased)", "B"]
    assert shop.warehouse.read(
        "select amount from raw_shop.order_lines where customer_id = '(erased)'"
    ).to_pylist() == [{"amount": "(erased)"}]
    assert shop.warehouse.read("select customer_id from marts.campaign_targets").to_pylist() == [{"customer_id": "B"}]
    assert not shop.warehouse.exists("raw.erasing")
    assert shop.warehouse.row("select count(*) from raw.erasures") == (2,)
    assert [problem for statement in server.steer()["statements"] for problem in problems(statement)] == []
    assert "Time Travel" in shop.warehouse.purge_deleted()

    shop.land(orders + "3,C,2026-06-03,30\n")
    shop.warehouse.merge("staging.stg_shop__order_lines_validated", judged, ["order_line_key"])
    assert erase_again(shop.warehouse, connection(), NOW)
    assert shop.customers() == ["(erased)", "B", "C"]
    assert erase_again(shop.warehouse, connection(), NOW) == []


def test_an_external_function_that_is_missing_or_answers_with_an_error_is_named(server, shop):
    server.steer(api=None)
    with pytest.raises(WarehouseRefused, match=r"(?s)Unknown function.*terraform apply.*marts.predict_churn"):
        shop.warehouse.scores_with("m-1")


def test_a_model_is_put_where_the_function_inside_snowflake_finds_it(server, shop):
    warehouse = SnowflakeWarehouse(shop.warehouse.account, shop.folder, "udf")
    (folder,) = SHIPPED_MODELS.glob("shipped-*")
    assert warehouse.scores_with(folder.name) == folder.name
    assert warehouse.prepare_scoring(folder.name, folder) == {}
    put = sent(server, f"@marts.models/{folder.name} auto_compress=false")
    assert any("model.onnx" in statement for statement in put)
    assert any("functions.zip" in statement for statement in put)
    (made,) = sent(server, "create or replace function marts.predict_churn_udf(recency_days double")
    assert f"'@marts.models/{folder.name}/model.onnx'" in made
    pinned = "('numpy==2.2.5', 'onnxruntime==1.20.1', 'pandas==2.2.3')"
    assert f"packages = {pinned}" in made


def test_where_the_api_serves_another_model_the_function_inside_snowflake_scores(shop, monkeypatch):
    monkeypatch.setattr(SnowflakeWarehouse, "scores_with", lambda *_: "another")
    warehouse = SnowflakeWarehouse(shop.warehouse.account, shop.folder, "external_function")
    (folder,) = SHIPPED_MODELS.glob("shipped-*")
    assert warehouse.prepare_scoring(folder.name, folder) == {"scoring": "udf"}
    monkeypatch.setattr(SnowflakeWarehouse, "scores_with", lambda _, chosen: chosen)
    assert warehouse.prepare_scoring(folder.name, folder) == {}


def test_readers_see_the_old_rows_until_a_load_is_whole(server, shop):
    server.steer(faults=[{"matches": "^commit", "does": "hang"}])

    load = threading.Thread(target=shop.land, args=[MORE], daemon=True)
    load.start()
    server.wait_for_hanging()
    assert Shop(shop.folder).customers() == ["A", "B"]
    server.steer(faults=[])
    load.join()  # the connector's own timer would outlive the server
    assert Shop(shop.folder).customers() == ["A", "B", "C"]
