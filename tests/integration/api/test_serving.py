"""`make serve` as a user starts and kills it, and what becomes of its answers."""

import http.client
import json
import os
import shutil
import signal
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager

import duckdb
import pytest

from flows.adapters.files import run_lock
from flows.adapters.files.outbox import FileOutbox
from flows.adapters.models.registry import ModelRegistry
from flows.errors import WarehouseBusy
from flows.settings import SHIPPED_MODELS, Settings
from functions.prediction_record import COLUMNS
from tests.running.processes import flows, free_port, post, read_until
from tests.running.serving import customer, renamed_model

KEY = "k" * 32


@contextmanager
def serving(data_dir, **environment):
    """(process, URL, what it printed at its start)."""
    port = free_port()
    with flows("serve", data_dir, PORT=str(port), **environment) as process:
        yield process, f"http://127.0.0.1:{port}", read_until(process, "serving")


def test_serve_answers_with_the_shipped_champion_where_nothing_was_trained(tmp_path):
    with serving(tmp_path) as (process, url, output):
        assert "serving shipped-" in output
        (answer,) = json.loads(post(f"{url}/predict", customer(), process))
    assert 0 <= answer["churn_probability"] <= 1
    assert answer["stored"] is True


def test_a_broken_champion_is_reported_and_the_shipped_one_is_served(tmp_path):
    version = json.loads((SHIPPED_MODELS / "champion.json").read_text())["model_version"]
    shutil.copytree(SHIPPED_MODELS / version, tmp_path / "models" / "mine")
    (tmp_path / "models" / "mine" / "model.onnx").write_bytes(b"half")
    (tmp_path / "models" / "champion.json").write_text('{"model_version": "mine"}')
    with serving(tmp_path) as (process, url, output):
        assert "mine" in output
        assert "model refused" in output
        assert f"serving {version}" in output
        post(f"{url}/predict", customer(), process)
        assert health(url)["refused_models"] == ["mine"]
        assert health(url)["champion"] == "mine"


def test_a_server_that_is_open_to_others_wants_keys(tmp_path):
    with flows("serve", tmp_path, HOST="0.0.0.0") as process:
        output, _ = process.communicate()
    assert process.returncode == 1
    assert "There are no API keys" in output
    assert "Traceback" not in output
    keys = {"API_KEYS": json.dumps({"shop": KEY})}
    refused = pytest.raises(urllib.error.HTTPError, match="401")
    with serving(tmp_path, HOST="0.0.0.0", **keys) as (process, url, _), refused as error:
        post(f"{url}/predict", customer(), process)
    error.value.close()


def test_a_promoted_and_a_rolled_back_model_are_served_by_a_server_that_runs(tmp_path):
    registry = ModelRegistry(str(tmp_path / "models"), tmp_path)
    first, second = (
        registry.save(renamed_model(name), {"model_version": name, "horizon_days": 90}, "").version for name in "AB"
    )
    registry.promote(first)
    with serving(tmp_path) as (process, url, output):
        assert f"serving {first}" in output
        predicted = [json.loads(post(f"{url}/predict", customer(), process))[0]["model_version"]]
        for change in (lambda: registry.promote(second), registry.roll_back):
            change()
            while health(url)["model_version"] == predicted[-1]:
                assert process.poll() is None
            predicted.append(json.loads(post(f"{url}/predict", customer(), process))[0]["model_version"])
            assert health(url)["champion"] == predicted[-1]
    assert predicted == [first, second, first]


def health(url):
    with urllib.request.urlopen(f"{url}/health") as response:
        return json.load(response)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_what_was_served_is_in_the_warehouse_when_a_stopped_server_has_ended(tmp_path, stop, read):
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as con:
        con.execute(f"create schema marts; create table marts.churn_predictions ({columns})")
    with serving(tmp_path) as (process, url, _):
        post(f"{url}/predict", customer("late"), process)
        process.send_signal(stop)  # less than a second later, so before the next merge
        assert process.wait() == 0
    assert read(tmp_path, "select customer_id from marts.churn_predictions").to_pylist() == [{"customer_id": "late"}]


def ask_until_it_ends(url, process, name, predicted):
    """Notes every answer that came."""
    number = 0
    while process.poll() is None:
        try:
            (answer,) = json.loads(post(f"{url}/predict", customer(f"{name}{number}"), process))
        except (OSError, AssertionError, http.client.HTTPException):
            return
        predicted.append(answer["prediction_id"])
        number += 1


@pytest.mark.release
@pytest.mark.whole_run
def test_no_prediction_of_a_killed_server_is_lost_and_the_next_run_merges_them(tmp_path, run_pipeline, read):
    predicted = []
    for _ in range(2):
        with serving(tmp_path) as (process, url, _):
            callers = [
                threading.Thread(target=ask_until_it_ends, args=(url, process, name, predicted))
                for name in ("A", "B", "C")
            ]
            for caller in callers:
                caller.start()
            before = len(predicted)
            while len(predicted) < before + 200:
                pass
            os.kill(process.pid, signal.SIGKILL)
            for caller in callers:
                caller.join()
    run_pipeline(tmp_path, customers=200, seed=3)
    stored = read(tmp_path, "select prediction_id, source from marts.churn_predictions").to_pylist()
    by_api = {row["prediction_id"] for row in stored if row["source"] == "api"}
    assert set(predicted) <= by_api
    assert len([row for row in stored if row["source"] == "batch"]) > 100
    before_the_first_run = FileOutbox(Settings(data_dir=tmp_path).outbox(None))
    assert not before_the_first_run.waits()

    # and now that there is a warehouse, which is free, they are merged at once
    with serving(tmp_path) as (process, url, _):
        (answer,) = json.loads(post(f"{url}/predict", customer("at once"), process))
        while any((tmp_path / "outbox").glob("*/*.jsonl")):
            assert process.poll() is None
    (row,) = read(tmp_path, "from marts.churn_predictions where customer_id = 'at once'").to_pylist()
    assert (row["prediction_id"], row["source"]) == (answer["prediction_id"], "api")
    assert row["churn_probability"] == answer["churn_probability"]
    # another shop takes the warehouse: what is served meanwhile waits for its own
    with serving(tmp_path) as (process, url, _):
        run_pipeline(tmp_path, customers=60, seed=4)
        post(f"{url}/predict", customer("of the first shop"), process)
    assert read(tmp_path, "from marts.churn_predictions where source = 'api'").num_rows == 0
    run_pipeline(tmp_path, customers=200, seed=3)
    assert read(tmp_path, "from marts.churn_predictions where customer_id = 'of the first shop'").num_rows == 1

    # what was served is no batch: the list and the monitoring do not count it
    assert read(tmp_path, "from marts.marketing_customers where customer_id = 'at once'").num_rows == 0


def test_two_runs_do_not_work_on_one_warehouse_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(run_lock, "PATIENCE_SECONDS", 0)
    with run_lock.lock(tmp_path), pytest.raises(WarehouseBusy, match="Another run is at work"), run_lock.lock(tmp_path):
        pass
    with run_lock.lock(tmp_path):
        pass


def test_a_server_leaves_the_warehouse_to_a_run_and_a_run_waits_for_a_servers_merge(tmp_path):
    with run_lock.lock(tmp_path), run_lock.try_lock(tmp_path) as locked:
        assert not locked
    entered = threading.Event()

    def run():
        with run_lock.lock(tmp_path):
            entered.set()

    thread = threading.Thread(target=run)
    with run_lock.try_lock(tmp_path) as locked:
        assert locked
        thread.start()
        assert not entered.is_set()
    thread.join()
    assert entered.is_set()
