"""Airbyte's CDK itself, reading a shop over HTTP."""

import logging
from datetime import UTC, datetime

import duckdb
import pytest

from flows.adapters.airbyte.cdk.process import PROGRAM, Source
from flows.adapters.airbyte.cdk.sync import sync
from flows.ports.syncs import SyncFailed
from flows.sources.connections import Connection, Stream
from tests.examples.cdk_shop import answers, config, pages, row, write_manifest
from tests.running.http_server import answering

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is missing: make .venv/cdk/ready")

MERGED = Stream(sync_mode="incremental_deduped_history", primary_key=("id",), cursor="changed")
MONDAY, TUESDAY, WEDNESDAY = ("2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z", "2026-11-04T00:00:00Z")
STARTED_AT = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def con():
    with duckdb.connect() as con:
        yield con


@pytest.fixture
def read(con, tmp_path):
    def read(url, streams, **configured):
        connection = Connection(
            description="a shop", connector="declarative", manifest="shop.yaml", streams=streams,
            personal_records="stg_shop__records",
        )  # fmt: skip
        given = config(url, **configured)
        source = Source("shop", connection, given, write_manifest(tmp_path), tmp_path / "scratch")
        return sync(con, source, {}, STARTED_AT)

    return read


def test_the_second_sync_brings_what_changed_and_a_full_refresh_everything(con, read):
    rows = [row(i, MONDAY) for i in range(250)] + [row(250, TUESDAY)]
    streams = {"things": MERGED, "wholes": Stream()}
    with answering(answers(pages(rows))) as url:
        first = read(url, streams)
    rows[7] = row(7, WEDNESDAY, name="changed", colour="red")
    with answering(answers(pages(rows[:251]))) as url:
        second = read(url, streams)
    assert {name: stream.rows for name, stream in first.streams.items()} == {"things": 251, "wholes": 251}
    assert {name: stream.rows for name, stream in second.streams.items()} == {
        "things": 2,
        "wholes": 251,
    }  # of Tuesday on
    for table in ("things", "wholes"):
        assert con.sql(f"select count(*), count(distinct id) from raw_shop.{table}").fetchall() == [(251, 251)]
        assert con.sql(f"select name, colour, amount, properties ->> 'email' from raw_shop.{table} where id = '7'"
                       ).fetchall() == [("changed", "red", 1, "c7@example.com")]  # fmt: skip
    assert first.notes == ()
    assert len(second.notes) == 2
    assert con.sql("select stream, state from raw.sync_state order by all").fetchall() == [
        ("things", f'{{"changed": "{WEDNESDAY}"}}'), ("wholes", None),
    ]  # fmt: skip


def test_a_server_that_breaks_down_on_the_way_leaves_a_sync_that_the_next_one_makes_whole(con, read):
    all_pages = pages([row(i, MONDAY) for i in range(250)])
    streams = {"things": MERGED, "wholes": Stream()}
    with answering(answers(all_pages, broken_page=2)) as url, pytest.raises(SyncFailed) as failed:
        read(url, streams)
    assert "shop: the stream things could not be read: " in str(failed.value)
    assert "shop: the stream wholes could not be read: " in str(failed.value)
    assert "500" in str(failed.value)
    assert con.sql("select count(*) from raw_shop.things").fetchall() == [(200,)]
    with answering(answers(all_pages)) as url:
        read(url, streams)
    assert con.sql("select count(*), count(distinct id) from raw_shop.things").fetchall() == [(250, 250)]
    assert con.sql("select count(*), count(distinct id) from raw_shop.wholes").fetchall() == [(250, 250)]


def test_a_refused_token_is_reported_without_the_token(con, read, tmp_path, caplog):
    with (
        answering(answers([])) as url,
        caplog.at_level(logging.DEBUG),
        pytest.raises(SyncFailed, match=r"things could not be read: .*401.*Check the connection's `config`") as failed,
    ):
        read(url, {"things": MERGED}, token="mistyped-secret")
    assert "mistyped" not in str(failed.value) + caplog.text
    assert "no such token" in caplog.text
    assert not list((tmp_path / "scratch").iterdir())
    assert con.sql("select count(*) from raw_shop.things").fetchall() == [(0,)]
