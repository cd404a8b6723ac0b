"""Snowflake's format, as Snowflake sends it."""

import gzip
import json
import random

import pytest

from functions.churn_api.documents import ExternalResponse
from functions.churn_api.fast_path import create_api
from tests.running.serving import EXAMPLE, LocalClient, MemoryQueue, customer, service

QUERY = {"sf-external-function-query-batch-id": "01a2-0", "sf-external-function-format": "json"}

pytestmark = pytest.mark.usefixtures("shipped_model")


@pytest.fixture
def queue():
    return MemoryQueue()


@pytest.fixture
def client(queue):
    with LocalClient(create_api(service(queue))) as client:
        yield client


def ask(client, rows, headers=QUERY):
    answer = client.post("/snowflake", json={"data": rows}, headers=headers)
    assert answer.status_code == 200, answer.text
    ExternalResponse.model_validate(answer.json())
    return answer.json()["data"]


def test_row_numbers_come_back_with_their_values_in_any_order(client):
    rows = [[number, customer(recency_days=number)["features"]] for number in range(200)]
    random.Random(1).shuffle(rows)
    answer = dict(ask(client, rows))
    assert list(answer) == [number for number, _ in rows]
    for number in (0, 77, 199):
        (expected,) = client.post("/predict", json=customer(recency_days=number)).json()
        assert answer[number]["churn_probability"] == expected["churn_probability"]
        assert answer[number]["next_order_days_50"] == expected["next_order_days"]["chance_50"]
        assert answer[number]["reason_1"] == expected["reasons"][0]["text"]


@pytest.mark.parametrize(
    ("argument", "why"),
    [
        (None, "argument: send an object of features"),
        ("text", "argument: send an object of features"),
        (EXAMPLE | {"recency_days": -1}, "recency_days: Input should be greater than or equal to 0"),
        (EXAMPLE | {"shoe_size": 1}, "shoe_size: Extra inputs are not permitted"),
        (EXAMPLE | {"tenure_days": 94}, "recency_days: it is larger than tenure_days"),
        (EXAMPLE | {"as_of_date": "1949-01-01"}, "a year from 1950"),
        (EXAMPLE | {"as_of_date": "2026-07-02"}, "as_of_date: 2026-07-02 is in the future"),
        ({}, "recency_days: Field required"),
    ],
)
def test_a_bad_row_gets_a_reason_and_the_others_their_values(client, argument, why):
    answer = dict(ask(client, [[0, EXAMPLE], [1, argument], [2, EXAMPLE]]))
    assert why in answer[1]["error"]
    assert answer[0]["churn_probability"] == answer[2]["churn_probability"] is not None
    assert answer[0]["error"] is None


def test_a_batch_of_bad_rows_only_is_answered_too(client):
    assert [value["error"] is not None for _, value in ask(client, [[0, None], [1, {}]])] == [True, True]


def test_names_in_capitals_and_nulls_are_understood(client):
    shouted = {name.upper(): value for name, value in EXAMPLE.items()} | {"MEAN_GAP_DAYS": None}
    (number, value), = ask(client, [[5, shouted]])  # fmt: skip
    assert (number, value["error"]) == (5, None)


def test_a_batch_that_is_sent_again_is_answered_and_stored_the_same(client, queue):
    rows = [[n, EXAMPLE | {"customer_id": f"C{n}", "as_of_date": "2026-06-30"}] for n in range(5)]
    first, again = ask(client, rows), ask(client, rows[::-1])
    assert sorted(first) == sorted(again)
    assert len(queue.records) == 10
    assert len({record.prediction_id for record in queue.records}) == 5
    assert {record.source for record in queue.records} == {"external_function"}


def test_the_same_customer_twice_in_a_batch_is_two_predictions(client):
    (_, one), (_, two) = ask(client, [[0, EXAMPLE | {"customer_id": "C"}], [1, EXAMPLE | {"customer_id": "C"}]])
    assert one["prediction_id"] != two["prediction_id"]


def test_a_row_without_a_customer_is_answered_and_not_stored(client, queue):
    ((_, value),) = ask(client, [[0, EXAMPLE]])
    assert (value["stored"], value["error"], queue.records) == (False, None, [])


def test_a_compressed_batch_of_several_megabytes_is_answered(client):
    rows = [[n, EXAMPLE | {"customer_id": f"C{n}"}] for n in range(5_000)]
    body = json.dumps({"data": rows}).encode()
    assert 4_000_000 < len(body) < 6_000_000
    answer = client.post(
        "/snowflake",
        content=gzip.compress(body),
        headers=QUERY | {"content-type": "application/json", "content-encoding": "gzip"},
    )
    assert len(answer.json()["data"]) == 5_000
    assert len(answer.content) < 6_000_000  # what Lambda may answer


def test_a_batch_of_nothing_but_bad_rows_is_answered_within_what_lambda_may_answer(client):
    body = {"data": [[n, {}] for n in range(5_000)]}
    answer = client.post("/snowflake", json=body, headers=QUERY)
    assert len(answer.json()["data"]) == 5_000
    assert len(answer.content) < 6_000_000
    assert answer.json()["data"][0][1]["error"].endswith("and 20 more")


@pytest.mark.parametrize("body", [{}, {"data": 1}, {"data": [[1]]}, {"data": [[None, EXAMPLE]]}, []])
def test_what_is_no_batch_is_refused(client, body):
    assert client.post("/snowflake", json=body).status_code == 422


def test_a_refusal_names_the_place_in_the_batch(client):
    answer = client.post("/snowflake", json={"data": [[0, EXAMPLE], [-1, EXAMPLE]]})
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/data/1/0"]
