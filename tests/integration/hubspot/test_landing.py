"""HubSpot's contacts in the laptop's warehouse, whatever happens on the way: nothing is lost, nothing there twice."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from flows.adapters.airbyte.cdk.process import Source
from flows.adapters.airbyte.cdk.sync import sync
from flows.ports.syncs import SyncFailed
from flows.settings import CONNECTIONS, REPOSITORY
from flows.sources.connections import read_connections
from functions.clock import now
from tests.running.airbyte_source import needs_the_cdk
from tests.stand_ins.hubspot import TOKEN, HubSpot, too_many_requests
from tests.stand_ins.json_server import at, every

pytestmark = [needs_the_cdk, pytest.mark.whole_run]

CONTACTS = 50_000
ONE_DAY = datetime(2026, 3, 1, tzinfo=UTC)
# commits on the way, so that a kill finds some of it done
_SYNC_OF_A_PROCESS = """
import sys
from pathlib import Path
import duckdb
from tests.integration.hubspot.test_landing import sync_contacts
with duckdb.connect(sys.argv[1]) as con:
    sync_contacts(con, sys.argv[2], Path(sys.argv[3]), batch_records=5_000)
"""


def sync_contacts(con, url, scratch, **options):
    hubspot = read_connections(CONNECTIONS).connection("hubspot")
    contacts = hubspot.model_copy(update={"streams": {"contacts": hubspot.streams["contacts"]}})
    config = {"base_url": url, "start_date": "2025-01-01T00:00:00Z", "credentials": {"access_token": TOKEN}}
    needed = {"contacts": frozenset(contacts.streams["contacts"].needed)}
    manifest = CONNECTIONS.parent / "hubspot.yaml"
    return sync(con, Source("hubspot", contacts, config, manifest, scratch), needed, now(), **options)


def account(contacts):
    """Half of them changed a year before the others, which are another slice."""
    hubspot = HubSpot()
    for number in range(contacts):
        year_before = timedelta(days=365 * (number < contacts // 2))
        changed = ONE_DAY + timedelta(milliseconds=40 * number) - year_before
        hubspot.contacts.add({"email": f"c{number}@example.org"}, changed)
    return hubspot


def counted(con):
    return con.execute(
        "select count(*), count(distinct id), min(id::int), max(id::int) from raw_hubspot.contacts"
    ).fetchall()


@pytest.mark.release
def test_fifty_thousand_contacts_arrive_once_although_the_sync_is_killed_and_hubspot_is_slow(tmp_path):
    hubspot = account(CONTACTS)
    everything = [(CONTACTS, CONTACTS, 51, 50 + CONTACTS)]
    file = tmp_path / "warehouse.duckdb"
    with hubspot.serving() as url:
        command = [sys.executable, "-c", _SYNC_OF_A_PROCESS, str(file), url, str(tmp_path)]
        process = subprocess.Popen(command, cwd=REPOSITORY, start_new_session=True)
        hubspot.intervene = at(170, lambda: os.killpg(process.pid, signal.SIGKILL))
        assert process.wait() == -signal.SIGKILL
        with duckdb.connect(file) as con:
            ((there, ids, *_),) = counted(con)
            assert 0 < there == ids < CONTACTS

        hubspot.intervene = every(100, too_many_requests(retry_after=None))
        with duckdb.connect(file) as con:
            sync_contacts(con, url, tmp_path)
            assert counted(con) == everything


def test_a_state_that_was_lost_or_lies_in_the_future_costs_time_and_no_contact(tmp_path):
    hubspot = account(300)
    everything = [(300, 300, 51, 350)]
    with hubspot.serving() as url, duckdb.connect(tmp_path / "warehouse.duckdb") as con:
        sync_contacts(con, url, tmp_path)
        assert counted(con) == everything

        con.execute("delete from raw.sync_state")
        assert sync_contacts(con, url, tmp_path).rows == 300
        assert counted(con) == everything

        future = '{"properties_lastmodifieddate": "2999-01-01T00:00:00Z"}'
        con.execute("update raw.sync_state set state = ?", [future])
        hubspot.contacts.update(51, {"email": "new@example.org"}, ONE_DAY + timedelta(hours=1))
        synced = sync_contacts(con, url, tmp_path)
        assert any("later than tomorrow" in note for note in synced.notes)
        assert counted(con) == everything
        changed = "select id from raw_hubspot.contacts where properties_email = 'new@example.org'"
        assert con.execute(changed).fetchall() == [("51",)]


def test_a_property_that_hubspot_no_longer_has_stops_the_sync_with_its_name(tmp_path):
    hubspot = HubSpot()
    hubspot.contacts.add({"lifecyclestage": "customer"}, ONE_DAY)
    with (
        hubspot.serving() as url,
        duckdb.connect(tmp_path / "warehouse.duckdb") as con,
        pytest.raises(SyncFailed, match=r"contacts: none of 1 records has properties_email"),
    ):
        sync_contacts(con, url, tmp_path)
