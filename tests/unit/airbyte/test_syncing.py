"""Syncs in a flow: side by side, on record however they end, and only then a failure."""

from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from prefect.blocks.system import Secret
from prefect.client.orchestration import get_client

from flows.adapters.airbyte.server import AirbyteServer
from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.server_api import RetryPolicy
from flows.errors import SettingsError
from flows.orchestration import flow
from flows.ports.syncs import SyncFailed
from flows.settings import AirbyteSettings, Settings
from flows.steps.sync import sync_connections
from flows.wiring import wire
from tests.stand_ins.airbyte_server import Fault, Time, airbyte_server

NOON = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)


@pytest.fixture
def there():
    with airbyte_server() as stand_in:
        yield stand_in


@pytest.fixture
def sync(there, tmp_path):
    """sync(wanted, **airbyte_settings): the flow, in a warehouse of its own."""

    @flow(name="syncs")
    def syncs(server, wanted, recorded_at, goes_on):
        warehouse = wire(Settings(data_dir=tmp_path)).warehouse
        return sync_connections(warehouse, server, wanted, lambda: recorded_at, goes_on)

    def run(wanted, recorded_at=NOON, time=None, goes_on=False, **settings):
        given = {"url": there.url, "client_id": there.client_id, "client_secret": there.client_secret}
        time = time or Time()
        server = AirbyteServer.read(AirbyteSettings(**given | settings), RetryPolicy(time.wait, time.clock))
        return syncs(server, wanted, recorded_at, goes_on)

    return run


@pytest.fixture
def recorded(tmp_path):
    """recorded(columns): what is in raw.sync_runs."""

    def rows(columns):
        return DuckDBWarehouse(tmp_path / "warehouse.duckdb", tmp_path / "tmp").read(
            f"select {columns} from raw.sync_runs order by connection"
        ).to_pylist()  # fmt: skip

    return rows


def artifacts():
    with get_client(sync_client=True) as client:
        return [artifact for artifact in client.read_artifacts() if artifact.key == "airbyte-syncs"]


def test_every_sync_is_on_record_with_what_it_brought(there, sync, recorded):
    shop, crm = there.add_connection("shop"), there.add_connection("crm", ("contacts", "deals"))
    runs = sync({"shop": ("order_lines",), crm: ("contacts", "deals")})
    assert [run.connection for run in runs] == ["shop", "crm"]
    assert len(there.started) == 2
    first, second = recorded("*")
    assert (first["connection_id"], second["connection_id"]) == (crm, shop)
    assert second == {
        "job_id": str(runs[0].job_id), "connection_id": shop, "connection": "shop", "status": "succeeded",
        "started_at": datetime(2026, 6, 30, 2, 0, 5), "duration_seconds": 125.0, "rows_synced": 120,  # noqa: DTZ001
        "bytes_synced": 1200, "was_attached": False, "recorded_at": NOON.replace(tzinfo=None),
    }  # fmt: skip


def test_the_artifact_shows_the_same_syncs(there, sync, prefect_api):
    there.add_connection("shop")
    before = len(artifacts())
    sync({"shop": ()})
    shown = artifacts()
    assert len(shown) == before + 1
    newest = max(shown, key=lambda artifact: artifact.created)
    assert '"connection": "shop"' in newest.data
    assert '"status": "succeeded"' in newest.data


def test_syncs_run_side_by_side(there, sync):
    for name in ("shop", "crm", "ads"):
        there.add_connection(name)
    together, time = Barrier(3, timeout=30), Time()
    time.meanwhile.extend([together.wait] * 3)  # nobody's first look comes before everybody's start
    assert len(sync({"shop": (), "crm": (), "ads": ()}, time=time)) == 3
    assert len(there.started) == 3


def test_what_failed_is_named_after_all_have_ended_and_are_on_record(there, sync, recorded):
    crm, shop = there.add_connection("crm"), there.add_connection("shop")
    ads = there.add_connection("ads", status="inactive")
    there.add_job(crm, "running", "failed")
    there.add_job(shop, "running", "running", "running", "running", "succeeded")
    with pytest.raises(SyncFailed) as failed:
        sync({"crm": (), "shop": (), "ads": (), "nowhere": ()})
    text = str(failed.value)
    assert text.startswith("3 of 4 connections were not synced:\n  crm: ")
    assert f"ads: The connection ads ({ads}) is inactive" in text
    assert "nowhere: Airbyte has no connection nowhere" in text
    assert "\n  shop: " not in text
    assert recorded("connection, status, was_attached") == [
        {"connection": "crm", "status": "failed", "was_attached": True},
        {"connection": "shop", "status": "succeeded", "was_attached": True},
    ]


def test_with_stale_data_allowed_a_failure_is_a_note_of_the_run_and_stays_on_record(there, sync, recorded, caplog):
    crm, _ = there.add_connection("crm"), there.add_connection("shop")
    there.add_job(crm, "running", "failed")
    shop, failed = sync({"crm": (), "shop": ()}, goes_on=True)
    assert (shop.connection, shop.status) == ("shop", "succeeded")
    assert (failed.connection, failed.status) == ("crm", "failed")
    (note,) = failed.notes
    assert note.startswith("crm was not synced, so its data is as old as before: The sync of crm")
    assert note in caplog.text
    assert [row["status"] for row in recorded("connection, status")] == ["failed", "succeeded"]


def test_a_sync_that_failed_may_pass_and_a_missing_connection_will_not(there, sync):
    crm = there.add_connection("crm")
    there.add_job(crm, "running", "failed")
    with pytest.raises(SyncFailed) as failed:
        sync({"crm": ()})
    assert failed.value.may_pass
    there.add_job(crm, "running", "failed")
    with pytest.raises(SyncFailed) as failed:
        sync({"crm": (), "nowhere": ()})
    assert not failed.value.may_pass


def test_a_sync_that_took_too_long_is_on_record_and_brought_up_to_date_by_the_next_run(there, sync, recorded):
    there.add_connection("shop")
    there.script = ("pending",) * 3 + ("running", "succeeded")
    with pytest.raises(SyncFailed, match="continues in Airbyte"):
        sync({"shop": ()}, sync_timeout_seconds=4)
    assert recorded("status, duration_seconds, rows_synced, was_attached") == [
        {"status": "pending", "duration_seconds": None, "rows_synced": None, "was_attached": False}
    ]
    later = NOON + timedelta(hours=1)
    sync({"shop": ()}, later)
    assert recorded("job_id, status, was_attached, recorded_at") == [
        {"job_id": "1", "status": "succeeded", "was_attached": True, "recorded_at": later.replace(tzinfo=None)}
    ]
    assert there.started == [1]


def test_a_connection_that_is_wanted_by_name_and_by_id_is_synced_and_recorded_once(there, sync, recorded):
    shop = there.add_connection("shop")
    there.add_job(shop, "running", "running", "running", "running", "succeeded")
    sync({"shop": (), shop: ()})
    assert recorded("job_id") == [{"job_id": "1"}]
    assert there.started == []


def test_a_run_that_started_nothing_records_nothing(there, sync, tmp_path):
    there.fail_next("POST /applications/token", *[Fault(401)] * 9)
    there.add_connection("shop")
    with pytest.raises(SyncFailed, match="AIRBYTE_CLIENT_SECRET"):
        sync({"shop": ()})
    assert not (tmp_path / "warehouse.duckdb").exists()
    assert sync({}) == []


def test_credentials_may_be_in_a_secret_block(there, sync, prefect_api):
    there.add_connection("shop")
    Secret(value={"client_id": there.client_id, "client_secret": there.client_secret}).save("airbyte", overwrite=True)
    assert len(sync({"shop": ()}, client_id=None, client_secret=None, block="airbyte")) == 1


@pytest.mark.parametrize(
    ("held", "message"), [(None, "AIRBYTE_BLOCK=airbyte-odd: "), ("hunter2", 'must hold {"client_id": …')]
)
def test_a_block_that_is_not_there_or_holds_something_else_is_named_but_not_what_it_holds(held, message, prefect_api):
    name = "airbyte-odd" if held is None else "airbyte-text"
    if held:
        Secret(value=held).save(name, overwrite=True)
    with pytest.raises(SettingsError, match=message) as refused:
        AirbyteServer.read(AirbyteSettings(url="https://api.airbyte.com/v1", block=name))
    assert "hunter2" not in str(refused.value)
