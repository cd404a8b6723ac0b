"""A source's records, landed: merged, replaced, typed; failures, drift and kills leave nothing lost or twice."""

import json
import logging
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from flows.adapters.airbyte.cdk import sync_state
from flows.adapters.airbyte.cdk.columns import declared_columns
from flows.adapters.airbyte.cdk.landing import Batches, StreamLanding
from flows.adapters.airbyte.cdk.process import source_process
from flows.adapters.airbyte.cdk.sync_state import SyncState, create_table, lies_ahead
from flows.ports.syncs import SyncFailed
from tests.running.processes import process_group, read_until
from tests.stand_ins.fake_source import (
    DECLARED,
    MERGED,
    STARTED_AT,
    WHOLE,
    FakeSource,
    complete,
    failure,
    logged,
    record,
    state,
)  # fmt: skip

MONDAY, TUESDAY, WEDNESDAY = ("2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z", "2026-11-04T00:00:00Z")


@pytest.fixture
def con():
    with duckdb.connect() as con:
        yield con


@pytest.fixture
def source(tmp_path):
    return FakeSource(tmp_path)


def things(con, columns="id, amount"):
    return con.sql(f"select {columns} from raw_shop.things order by id").fetchall()


def saved_state(con, stream="things"):
    states = con.execute("select state from raw.sync_state where stream = ?", [stream]).fetchall()
    return json.loads(states[0][0]) if states and states[0][0] else None


def logged_at(caplog, level):
    """Ours only: a Prefect that an earlier test has started may have a word in between."""
    return [r.getMessage() for r in caplog.records if r.name.startswith("flows.") and r.levelno >= level]


# what lands


def test_columns_have_the_types_of_the_schema_and_those_that_airbyte_adds(con, source):
    source.declares(
        {
            "id": {"type": ["null", "string"]},
            "changed": {"type": "string", "format": "date-time"},
            "born": {"type": ["null", "string"], "format": "date"},
            "good": {"type": "boolean"},
            "count": {"type": "integer"},
            "price": {"type": ["number", "null"]},
            "either": {"type": ["number", "integer"]},
            "properties": {"type": "object"},
            "tags": {"type": ["null", "array"]},
            "what": {"type": ["string", "object"]},
            "any/th~i\"n'g": {},
        }
    )
    row = {
        "id": "1", "changed": "2026-11-02T10:00:00+02:00", "born": "2000-02-29", "good": True, "count": 3,
        "price": 1.5, "either": 2, "properties": {"a": "ü"}, "tags": [1], "what": "x", "any/th~i\"n'g": None,
    }  # fmt: skip
    source.prints(record(**row), complete())
    synced = source.sync(con)
    types = {name: kind for name, kind, *_ in con.sql("describe raw_shop.things").fetchall()}
    assert list(types.values()) == [
        "VARCHAR", "TIMESTAMP WITH TIME ZONE", "DATE", "BOOLEAN", "BIGINT", "DOUBLE", "DOUBLE", "JSON", "JSON", "JSON",
        "JSON", "VARCHAR", "TIMESTAMP WITH TIME ZONE", "JSON", "BIGINT",
    ]  # fmt: skip
    assert list(types)[:11] == list(row)
    assert list(types)[11:] == [
        "_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_meta", "_airbyte_generation_id",
    ]  # fmt: skip
    (landed,) = con.sql(
        """select changed = timestamptz '2026-11-02 08:00:00+00', born, good, count, price, properties, tags, what,
            "any/th~i""n'g", len(_airbyte_raw_id), epoch_ms(_airbyte_extracted_at), _airbyte_meta
        from raw_shop.things"""
    ).fetchall()
    assert landed[0]
    assert landed[1].isoformat() == "2000-02-29"
    assert landed[2:] == (
        True, 3, 1.5, '{"a":"ü"}', "[1]", '"x"', None, 36, 1_795_615_754_383,
        f'{{"sync_id":{int(STARTED_AT.timestamp() * 1000)},"changes":[]}}',
    )  # fmt: skip
    assert (synced.rows, synced.notes) == (1, ())
    assert synced.bytes == len(record(**row).encode()) + 1
    assert synced.started_at == STARTED_AT


def test_a_time_without_an_offset_is_utc_and_the_callers_own_zone_stays(con, source):
    con.execute("set TimeZone = 'Europe/Berlin'")
    source.prints(record(id="1", changed="2026-11-02T00:00:00"), complete())
    source.sync(con)
    assert things(con, "epoch(changed) = epoch(timestamptz '2026-11-02 00:00:00+00')") == [(True,)]
    assert con.sql("select current_setting('TimeZone')").fetchall() == [("Europe/Berlin",)]


def test_a_value_that_does_not_fit_is_null_and_reported_in_the_row_and_in_the_notes(con, source):
    source.prints(
        record(id="1", changed=MONDAY, amount="a lot"),
        record(id="2", changed=MONDAY, amount=1.5),
        record(id="3", changed=MONDAY, amount="7"),
        record(id="4", changed=MONDAY, amount=10**30),
        record(id="5", changed=MONDAY, amount=None),
        record(id=6, changed=MONDAY, amount=9_007_199_254_740_993),
        complete(),
    )
    notes = source.sync(con).notes
    assert things(con) == [("1", None), ("2", None), ("3", 7), ("4", None), ("5", None), ("6", 9_007_199_254_740_993)]
    changes = [json.loads(meta)["changes"] for (meta,) in things(con, "_airbyte_meta")]
    nulled = [{"field": "amount", "change": "NULLED", "reason": "DESTINATION_SERIALIZATION_ERROR"}]
    assert changes == [nulled, nulled, [], nulled, [], []]
    assert len(notes) == 1
    assert "shop.things: 3 values of amount are no bigint and landed as NULL" in notes[0]


def test_a_full_refresh_replaces_the_table_and_counts_generations(con, source):
    source.prints(record(id="1", amount=1), record(id="2", amount=1), state("a full refresh's own word"), complete())
    source.sync(con, {"things": WHOLE})
    source.prints(record(id="2", amount=2), complete())
    source.sync(con, {"things": WHOLE})
    assert things(con, "id, amount, _airbyte_generation_id") == [("2", 2, 2)]
    assert source.state_given() == {}
    source.prints(complete())
    source.sync(con, {"things": WHOLE})
    assert things(con) == []


@pytest.mark.parametrize("ending", [["!exit 1"], [failure("no more")], []])
def test_a_full_refresh_that_breaks_off_leaves_the_old_table(con, source, ending):
    source.prints(record(id="1", amount=1), complete())
    source.sync(con, {"things": WHOLE})
    source.prints(record(id="2", amount=2), record(id="3", amount=2), *ending)
    with pytest.raises(SyncFailed, match=r"things|exit status 1"):
        source.sync(con, {"things": WHOLE}, batch_records=1)
    assert things(con) == [("1", 1)]


def test_streams_do_not_mix_and_one_that_completed_is_kept_when_another_breaks_off(con, source):
    source.declares(whole=DECLARED, broken=DECLARED)
    source.prints(
        record("whole", id="1"), record("things", id="1", changed=MONDAY), complete("whole"),
        record("broken", id="1"), failure("gone", "broken"),
    )  # fmt: skip
    with pytest.raises(SyncFailed, match=r"the stream broken could not be read: gone"):
        source.sync(con, {"things": MERGED, "whole": WHOLE, "broken": WHOLE})
    tables = con.sql("select table_name from information_schema.tables where table_schema = 'raw_shop' order by all")
    assert tables.fetchall() == [("things",), ("whole",)]


# merging

# few keys, cursors and amounts, so that they meet
_Records = st.lists(st.tuples(st.integers(0, 2), st.sampled_from([None, 1, 2, 3]), st.integers(0, 9)), max_size=6)


def _model(records):
    """The newest of each key: by cursor, where none is the oldest, then by when it came."""
    kept = {}
    for key, cursor, amount in records:
        if key not in kept or (cursor or 0) >= (kept[key][0] or 0):
            kept[key] = (cursor, amount)
    return sorted((str(key), amount) for key, (_, amount) in kept.items())


# failing examples are small already: without shrinking, a failure is reported in seconds
@settings(deadline=None, max_examples=30, phases=[Phase.explicit, Phase.generate])
@given(first=_Records, second=_Records, batch=st.integers(1, 4))
def test_any_splitting_into_batches_and_syncs_leaves_the_newest_record_of_each_key(first, second, batch):
    columns = declared_columns("things", {"properties": DECLARED})
    with duckdb.connect() as con:
        create_table(con)
        for part in (first, second):
            landing = StreamLanding(
                con, "things", MERGED, columns, frozenset(), SyncState({"changed": MONDAY}, 0),
                Batches("shop", 1, STARTED_AT, batch),
            )  # fmt: skip
            for key, cursor, amount in part:
                changed = cursor and f"2026-11-0{cursor}T00:00:00Z"
                landing.add(record(id=str(key), changed=changed, amount=amount).encode())
            landing.stage()
            landing.commit()
        assert things(con) == _model(first + second)


def test_a_record_without_its_primary_key_is_refused(con, source):
    source.prints(record(id="1", changed=MONDAY), record(id=None, changed=MONDAY), complete())
    with pytest.raises(SyncFailed, match=r"shop\.things: 1 records have no .*id.*primary_key.*connections\.yml"):
        source.sync(con)


# where the next sync goes on


def test_the_next_sync_goes_on_from_the_last_state(con, source):
    source.prints(record(id="1", changed=MONDAY, amount=1), state(MONDAY), state(TUESDAY), complete())
    source.sync(con)
    assert source.state_given() == {}
    source.prints(record(id="1", changed=WEDNESDAY, amount=2), state(WEDNESDAY), complete())
    source.sync(con)
    assert source.state_given() == {"things": {"changed": TUESDAY}}
    assert things(con) == [("1", 2)]
    assert saved_state(con) == {"changed": WEDNESDAY}


def test_a_lost_state_means_a_full_read_that_doubles_nothing(con, source):
    source.prints(record(id="1", changed=MONDAY), record(id="2", changed=MONDAY), state(MONDAY), complete())
    source.sync(con)
    con.execute("drop table raw.sync_state")
    source.sync(con)
    assert source.state_given() == {}
    assert things(con, "id") == [("1",), ("2",)]


def test_a_lost_table_means_a_full_read(con, source):
    source.prints(record(id="1", changed=MONDAY), state(MONDAY), complete())
    source.sync(con)
    con.execute("drop table raw_shop.things")
    assert "its table is gone" in source.sync(con).notes[0]
    assert source.state_given() == {}


def test_a_state_of_the_future_is_dropped_so_that_nothing_is_skipped_until_then(con, source):
    source.prints(record(id="1", changed="2099-01-01T00:00:00Z"), state("2099-01-01T00:00:00Z"), complete())
    source.sync(con)
    source.prints(record(id="2", changed=MONDAY), state("2099-01-01T00:00:00Z"), complete())
    assert "later than tomorrow" in source.sync(con).notes[0]
    assert source.state_given() == {}
    assert things(con, "id") == [("1",), ("2",)]


@pytest.mark.parametrize(
    ("state", "ahead"),
    [
        ({"changed": "2026-11-26T11:00:00Z"}, False),
        ({"changed": "2026-11-26T13:00:00Z"}, True),
        ({"changed": "2026-11-27"}, True),
        ({"changed": STARTED_AT.timestamp() + 90_000}, False),  # no whole number: no cursor of the CDK
        ({"changed": str(int((STARTED_AT + timedelta(days=2)).timestamp()))}, True),
        ({"changed": int((STARTED_AT + timedelta(days=2)).timestamp() * 1000)}, True),
        ({"changed": int(STARTED_AT.timestamp() * 1000)}, False),
        ({"changed": "an opaque word"}, False),
        ({"state": {"changed": MONDAY}, "states": [{"partition": {"id": 99_999_999_999}, "cursor": {}}]}, False),
        ({"state_type": "date-range", "slices": [{"start": MONDAY, "end": "2099-01-01T00:00:00.000Z"}]}, True),
    ],
)
def test_a_state_lies_ahead_when_any_of_its_moments_is_later_than_a_day_from_now(state, ahead):
    assert lies_ahead(state, "changed", STARTED_AT) is ahead


@pytest.mark.parametrize("how", [MERGED, WHOLE])
def test_records_and_state_are_committed_together_or_not_at_all(con, source, monkeypatch, how):
    source.prints(record(id="1", changed=MONDAY, amount=1), state(MONDAY), complete())
    source.sync(con, {"things": how})
    source.prints(record(id="1", changed=TUESDAY, amount=2), state(TUESDAY), complete())

    def disk_is_full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(sync_state, "save", disk_is_full)
    with pytest.raises(OSError, match="no space left"):
        source.sync(con, {"things": how})
    assert things(con) == [("1", 1)]
    assert saved_state(con) == (None if how is WHOLE else {"changed": MONDAY})


def test_what_came_before_a_failure_stays_with_its_state(con, source):
    source.prints(record(id="1", changed=MONDAY), state(MONDAY), record(id="2", changed=TUESDAY), failure("gone"))
    with pytest.raises(SyncFailed):
        source.sync(con)
    assert things(con, "id") == [("1",), ("2",)]
    assert saved_state(con) == {"changed": MONDAY}


_SYNC = """
import duckdb, logging, sys
from pathlib import Path
from tests.stand_ins.fake_source import FakeSource
logging.basicConfig(level=logging.INFO, stream=sys.stdout)
source = FakeSource.__new__(FakeSource)
source.__dict__.update(folder=Path(sys.argv[1]), program=Path(sys.argv[1]) / "source",
    manifest=Path(sys.argv[1]) / "shop.yaml")
with duckdb.connect(sys.argv[2]) as con:
    source.sync(con, batch_records=int(sys.argv[3]))
"""


@pytest.mark.processes
@pytest.mark.parametrize(
    ("batch", "after", "goes_on_from", "kept"),
    [
        (1, 1, None, ["1"]),
        (1, 4, MONDAY, ["1", "2", "3"]),
        (2, 5, MONDAY, ["1", "2"]),  # Tuesday's state has come, the last of its records is still in memory
        (9, 7, None, None),
    ],
)
def test_a_sync_that_is_killed_loses_nothing_and_doubles_nothing(source, tmp_path, batch, after, goes_on_from, kept):
    output = [
        record(id="1", changed=MONDAY), state(MONDAY), record(id="2", changed=TUESDAY), record(id="3", changed=TUESDAY),
        state(TUESDAY), record(id="2", changed=WEDNESDAY, amount=2), state(WEDNESDAY), complete(),
    ]  # fmt: skip
    source.prints(*output[:after], logged("WARN", "paused"), "!wait", *output[after:])
    warehouse = tmp_path / "warehouse.duckdb"
    command = [sys.executable, "-c", _SYNC, str(tmp_path), str(warehouse), str(batch)]
    with process_group(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        read_until(process, "paused")  # all that came before is dealt with, and the source waits
        process.send_signal(signal.SIGKILL)
    os.kill(source.seen()["pid"], signal.SIGKILL)  # the source waits for a pipe that is never written to
    with duckdb.connect(warehouse) as con:
        saved = saved_state(con)
        assert saved == (goes_on_from and {"changed": goes_on_from})
        assert kept is None or things(con, "id") == [(key,) for key in kept]
        rest = [line for line in output if '"RECORD"' not in line or not saved or _changed(line) >= saved["changed"]]
        source.prints(*rest)
        source.sync(con)
        assert source.state_given() == ({"things": saved} if saved else {})
        assert things(con) == [("1", None), ("2", 2), ("3", None)]
    assert not list((tmp_path / "scratch").iterdir())


def _changed(line):
    return json.loads(line)["record"]["data"]["changed"]


# drift


def test_a_new_column_passes_and_is_reported(con, source):
    source.prints(record(id="1", changed=MONDAY), complete())
    source.sync(con)
    source.declares({**DECLARED, "colour": {"type": "string"}})
    source.prints(record(id="2", changed=MONDAY, colour="red"), complete())
    assert source.sync(con).notes == ("shop.things: there is a new column colour (varchar)",)
    assert things(con, "id, colour") == [("1", None), ("2", "red")]


@pytest.mark.parametrize("how", [MERGED, WHOLE])
def test_a_field_that_only_the_records_have_lands_as_text_and_is_reported_once(con, source, how):
    source.prints(record(id="1", changed=MONDAY), record(id="2", changed=MONDAY, size=4, Id="?"), complete())
    notes = source.sync(con, {"things": how}, batch_records=1).notes
    assert "a field size that the manifest's schema does not declare" in "".join(notes)
    assert "the field Id was left out" in "".join(notes)
    assert things(con, "id, size") == [("1", None), ("2", "4")]
    assert "size" not in "".join(source.sync(con, {"things": how}).notes)


def test_a_column_that_changed_its_type_is_converted_and_reported_and_no_row_is_lost(con, source):
    kinds = {"a": {"type": "string"}, "b": {"type": "object"}, "c": {"type": "integer"}, "d": {"type": "string"}}
    source.declares({**DECLARED, **kinds})
    source.prints(
        record(id="1", changed=MONDAY, a="1", b="x", c=3, d="{"), record(id="2", changed=MONDAY, a="many"), complete()
    )
    source.sync(con)
    kinds = {"a": {"type": "integer"}, "b": {"type": "string"}, "c": {"type": "string"}, "d": {"type": "object"}}
    source.declares({**DECLARED, **kinds})
    source.prints(record(id="3", changed=MONDAY, a=3, b="y", c="z", d={}), complete())
    notes = " ".join(source.sync(con).notes)
    assert things(con, "id, a, b, c, d") == [
        ("1", 1, "x", "3", '"{"'),
        ("2", None, None, None, None),
        ("3", 3, "y", "z", "{}"),
    ]
    assert "the column a was varchar and is bigint now" in notes
    assert "1 older values of a are no bigint and became NULL" in notes
    assert notes.count("older values") == 1


def test_a_needed_column_that_the_schema_lacks_fails_before_anything_is_read(con, source):
    source.prints(record(id="1", changed=MONDAY), complete())
    with pytest.raises(
        SyncFailed, match=r"shop\.things: the schema in .*shop\.yaml does not declare email, which is needed"
    ):
        source.sync(con, required={"things": {"id", "email"}})
    assert not (source.folder / "read.seen").exists()


@pytest.mark.parametrize("how", [MERGED, WHOLE])
def test_a_needed_column_that_no_record_has_fails_before_anything_is_kept(con, source, how):
    source.prints(*(record(id=str(i), changed=MONDAY) for i in range(5)), state(MONDAY), complete())
    with pytest.raises(
        SyncFailed, match=r"shop\.things: none of 5 records has amount, which is needed.*connections\.yml"
    ):
        source.sync(con, {"things": how}, required={"things": {"amount"}}, batch_records=2)
    assert con.sql("from information_schema.tables where table_schema = 'raw_shop'").fetchall() == []
    assert saved_state(con) is None


def test_a_needed_column_that_a_late_record_has_is_enough_and_so_is_a_stream_without_records(con, source):
    lines = [record(id=str(i), changed=MONDAY) for i in range(5)]
    source.prints(*lines, record(id="5", changed=MONDAY, amount=None), state(MONDAY), complete())
    source.sync(con, required={"things": {"amount"}}, batch_records=2)
    assert len(things(con)) == 6
    source.prints(record(id="6", changed=TUESDAY), complete())  # of a part, nothing can be concluded
    source.sync(con, required={"things": {"amount"}})
    con.execute("drop schema raw_shop cascade; drop table raw.sync_state")
    source.prints(complete())
    source.sync(con, required={"things": {"amount"}})
    assert things(con) == []


def test_a_stream_that_the_source_does_not_have_is_named(con, source):
    with pytest.raises(SyncFailed, match=r"shop: the source has no stream deals, .* has things"):
        source.sync(con, {"things": MERGED, "deals": MERGED})


# the process


def test_a_failure_is_reported_in_the_sources_words_with_what_is_on_stderr(con, source, caplog):
    source.prints(
        logged("WARN", "slow\nbelow"), logged("INFO", "x"), "no JSON", "!stderr a last word", failure("bad token")
    )
    with caplog.at_level(logging.INFO), pytest.raises(SyncFailed) as failed:
        source.sync(con)
    output = str(failed.value)
    assert output.startswith("shop: the stream things could not be read: bad token Check the connection's `config`")
    assert output.endswith("Its last lines:\n  a last word")
    assert logged_at(caplog, logging.WARNING) == ["shop: slow", "shop: no JSON"]


@pytest.mark.parametrize("command", ["discover", "read"])
def test_an_exit_status_is_a_failure_even_without_a_reason(con, source, command):
    source.prints(complete())
    (source.folder / f"{command}.jsonl").write_text("!stderr Segmentation fault\n!exit 3\n")
    with pytest.raises(SyncFailed, match=r"(?s)ended with exit status 3 and gave no reason.*Segmentation fault"):
        source.sync(con)


def test_a_secret_is_in_a_private_file_for_a_while_and_nowhere_else(con, source, caplog):
    source.prints(logged("ERROR", "sent Bearer hush-hush"), "!stderr hush-hush", failure("hush-hush is no token"))
    config = {"base_url": "http://127.0.0.1:1", "credentials": {"access_token": "hush-hush"}}
    with caplog.at_level(logging.DEBUG), pytest.raises(SyncFailed, match=r"\*\*\* is no token") as failed:
        source.sync(con, config=config)
    for command in ("discover", "read"):
        seen = source.seen(command)
        assert json.loads(seen["files"]["--config"][0]) == config
        assert seen["files"]["--config"][1] == "0o600"
        assert "hush" not in " ".join(seen["argv"])
    assert "hush" not in str(failed.value) + caplog.text
    assert not list((source.folder / "scratch").iterdir())


def test_the_source_is_gone_with_its_files_when_nobody_reads_on(source):
    source.prints(record(id="1"), "!wait")
    scratch = source.folder / "scratch"
    with source_process(source.source(config={"token": "x"}), "read") as running:
        next(running.messages())
        assert list(scratch.iterdir())
    with pytest.raises(ProcessLookupError):
        os.kill(running.process.pid, 0)
    assert not list((source.folder / "scratch").iterdir())


def test_a_missing_program_and_a_missing_manifest_are_named_with_what_to_do(con, source):
    source.manifest.unlink()
    with pytest.raises(SyncFailed, match=r"shop\.yaml is missing"):
        source.sync(con)
    source.program.unlink()
    with pytest.raises(SyncFailed, match=r"make \.venv/cdk/ready"):
        source.sync(con)


def test_the_log_says_how_far_a_stream_is(con, source, caplog):
    source.prints(*(record(id=str(i), changed=MONDAY) for i in range(5)), complete())
    with caplog.at_level(logging.INFO):
        source.sync(con, batch_records=2)
    assert logged_at(caplog, logging.INFO) == ["shop.things: 2 records so far", "shop.things: 4 records so far"]


def test_what_is_written_into_a_state_is_when_the_sync_began(con, source):
    source.prints(record(id="1", changed=MONDAY), complete())
    source.sync(con, started_at=datetime(2026, 1, 2, tzinfo=UTC))
    assert con.sql("select saved_at = timestamptz '2026-01-02 00:00:00+00' from raw.sync_state").fetchall() == [(True,)]
