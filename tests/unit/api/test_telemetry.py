import io
import json
import logging

import pytest

from functions.churn_api.fast_path import create_api
from functions.churn_api.telemetry import MAX_VALUES, METRICS, distribution
from functions.json_log import log_as_json
from tests.running.serving import ORDERS, LocalClient, MemoryQueue, customer, service

pytestmark = pytest.mark.usefixtures("shipped_model")


@pytest.fixture
def log():
    """What goes to the log, line by line."""
    stream = io.StringIO()
    logger = logging.getLogger("functions")
    before = (logger.handlers, logger.level, logger.propagate)
    log_as_json("INFO", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.handlers, logger.level, logger.propagate = before


@pytest.fixture
def client():
    with LocalClient(create_api(service()), raise_server_exceptions=False) as client:
        yield client


def test_a_request_leaves_one_line_with_every_metric(client, log):
    client.post("/predict", json=[customer("A"), customer("B")], headers={"x-request-id": "mine"})
    (line,) = log()
    figures = {name: line[name] for name in ("route", "method", "status", "request_id", "caller", "cold_start")}
    assert figures == {
        "route": "/predict", "method": "POST", "status": 200, "request_id": "mine", "caller": "loopback",
        "cold_start": True,
    }  # fmt: skip
    assert (line["BatchSize"], line["NotStored"], len(line["ChurnProbability"])) == (2, 0, 2)
    assert line["Latency"] > 0
    assert line["_aws"]["CloudWatchMetrics"][0]["Metrics"] == list(METRICS)
    assert all(metric["Name"] in line for metric in METRICS)


def test_only_the_first_request_is_a_cold_start(client, log):
    for _ in range(3):
        client.get("/health")
    assert [line["cold_start"] for line in log()] == [True, False, False]


def test_nothing_personal_is_logged_whatever_goes_wrong(log, monkeypatch):
    queue = MemoryQueue()
    with LocalClient(create_api(service(queue)), raise_server_exceptions=False) as client:
        client.post("/predict", json=customer("anna@example.com"))
        client.post("/predict", json=customer("anna@example.com", recency_days=-1))
        client.post("/anna@example.com", json={})
        client.post("/snowflake", json={"data": [[0, {"customer_id": "anna@example.com"}]]})
        queue.down = True
        client.post("/predict", json=customer("anna@example.com"))

        def broken(*_):
            raise RuntimeError("anna@example.com")

        monkeypatch.setattr("functions.churn_api.predictor.predict", broken)
        client.post("/predict", json=customer("anna@example.com"))
    lines = log()
    assert [line["status"] for line in lines if line["message"] == "request"] == [200, 422, 404, 200, 200, 500]
    assert "anna" not in json.dumps(lines)
    (failure,) = [line for line in lines if line["message"] == "a request failed"]
    assert failure["exception"] == "RuntimeError"
    assert any("broken" in place for place in failure["where"])


def test_what_is_refused_because_it_could_not_be_stored_is_counted(log):
    queue = MemoryQueue()
    queue.down = True
    with LocalClient(create_api(service(queue, refuse_unstored=True))) as client:
        client.post("/predict", json=[customer("A"), customer("B")])
        client.post("/predict", json={"customer_id": "C", "as_of": "2026-06-30", "orders": ORDERS})
    assert [(line["status"], line["NotStored"]) for line in log() if line["message"] == "request"] == [
        (503, 2),
        (503, 1),
    ]


@pytest.mark.parametrize("given", ["", "x" * 101, "a\nb", "é"])
def test_a_request_id_that_is_none_is_replaced(client, given):
    answer = client.get("/health", headers={"x-request-id": given.encode()})
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 16


def test_a_distribution_keeps_its_shape_within_what_a_metric_takes():
    assert distribution([0.5, 0.1]) == [0.5, 0.1]
    many = distribution([n / 1_000 for n in range(1_000)][::-1])
    assert len(many) == MAX_VALUES
    assert many == sorted(many)
    assert (many[0], many[-1]) == (0.005, 0.995)
