"""What those who run the API look at: metrics and readiness."""

import json
import shutil
from collections import namedtuple

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from flows.adapters.files import outbox as files
from flows.adapters.files.outbox import FileOutbox
from flows.adapters.prometheus import ApiMetrics
from functions.churn_api.access import Access, ApiKeys
from functions.churn_api.counts import PROBABILITIES, Histogram
from functions.churn_api.fast_path import create_api
from tests.running.serving import EXAMPLE, LocalClient, MemoryQueue, by_columns, customer, service

pytestmark = pytest.mark.usefixtures("shipped_model")


def samples(client):
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (s.name, *(s.labels[name] for name in sorted(s.labels))): s.value for family in families for s in family.samples
    }


def test_metrics_count_requests_predictions_and_what_was_not_stored():
    queue = MemoryQueue()
    api = service(queue)
    api.metrics = ApiMetrics(api.counts, lambda: "m-1", lambda: 3).as_text
    with LocalClient(create_api(api)) as client:
        predictions = client.post("/predict", json=[customer(f"C{n}", recency_days=n) for n in range(50)]).json()
        queue.down = True
        predictions += client.post("/v1/predict", json=[customer()]).json()
        predictions += client.post("/v1/predict/columns", json=by_columns([customer()])).json()
        client.post("/predict", json=customer(frequency=0))
        client.post("/snowflake", json={"data": [[0, EXAMPLE], [1, None]]})
        client.request("BREW", "/coffee")
        counted = samples(client)
    assert counted["churn_requests_total", "POST", "/predict", "200"] == 3
    assert counted["churn_requests_total", "POST", "/predict", "422"] == 1
    assert counted["churn_requests_total", "other", "other", "404"] == 1
    assert counted["churn_request_seconds_count", "/predict"] == 4
    assert counted["churn_probability_count",] == 53
    low = sum(p["churn_probability"] <= 0.5 for p in predictions)
    assert counted["churn_probability_bucket", "0.5"] in (low, low + 1)
    assert (counted["churn_not_stored_total",], counted["churn_refused_rows_total",]) == (2, 1)
    assert (counted["churn_outbox_files",], counted["churn_model_info", "m-1"]) == (3, 1)


def test_metrics_are_for_holders_of_a_key():
    api = service(access=Access(ApiKeys(lambda: json.dumps({"prometheus": "k" * 30}))))
    api.metrics = ApiMetrics(api.counts, str, int).as_text
    with LocalClient(create_api(api)) as client:
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"authorization": "Bearer " + "k" * 30}).status_code == 200


def test_where_there_are_no_metrics_the_path_is_unknown():
    with LocalClient(create_api(service())) as client:
        assert client.get("/metrics").status_code == 404


def test_many_values_are_counted_as_one_by_one():
    values = [*np.linspace(0, 1, 101).tolist(), 0.1, 1.0]
    together, one_by_one = Histogram(PROBABILITIES), Histogram(PROBABILITIES)
    together.add_all(values)
    for value in values:
        one_by_one.add(value)
    assert together.counts == one_by_one.counts
    assert together.total == pytest.approx(one_by_one.total)


def test_a_service_whose_keys_or_disk_fail_is_alive_but_not_ready():
    def unreachable():
        raise OSError("no route")

    api = service(access=Access(ApiKeys(unreachable)), checks={"disk": lambda: "it is full", "fine": lambda: None})
    with LocalClient(create_api(api)) as client:
        assert client.get("/health").status_code == 200
        answer = client.get("/ready")
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (503, "5", "not_ready")
    assert [error["code"] for error in answer.json()["errors"]] == ["keys", "disk"]
    assert "it is full" in answer.json()["detail"]


def test_a_service_that_can_answer_and_store_is_ready(tmp_path):
    with LocalClient(create_api(service(checks={"disk": FileOutbox(tmp_path / "outbox").problem}))) as client:
        assert client.get("/v1/ready").json() == {"status": "ready"}


def test_readiness_is_looked_at_once_a_second():
    looks = []
    api = service(checks={"disk": lambda: looks.append(1)})
    with LocalClient(create_api(api)) as client:
        for _ in range(20):
            client.get("/ready")
    assert len(looks) <= 2


def test_an_outbox_without_room_or_a_folder_says_so(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    assert "cannot be stored" in FileOutbox(tmp_path / "file" / "outbox").problem()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: namedtuple("usage", "free")(files.MIN_FREE_BYTES - 1))
    assert "of at least" in FileOutbox(tmp_path).problem()
