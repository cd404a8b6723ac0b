"""No body makes more work than its size: counted in calls, not measured in seconds."""

import json
import sys
from datetime import UTC, date

import pytest

from functions.churn_api.bodies import MAX_PROBLEMS, Unfit, Unreadable, parse
from functions.churn_api.customers import Reading, read, read_columns
from functions.churn_api.external_function import MAX_ANSWER_BYTES, MAX_ROW_BYTES, MAX_ROWS, read_batch, write_batch
from functions.churn_api.fast_path import create_api
from functions.churn_api.predictions import predict
from functions.churn_api.predictor import MAX_ROWS_AT_ONCE
from tests.running.heavy_bodies import heavy_bodies, returns
from tests.running.serving import EXAMPLE, LocalClient, MemoryQueue, service

TODAY = date(2026, 7, 1)
READING = Reading(TODAY, 90, UTC)
HEAVY = heavy_bodies()


def calls(work):
    """(how many functions were called, what came of it)"""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        result = work()
    except (Unfit, Unreadable) as refused:
        result = refused
    finally:
        sys.setprofile(None)
    return count, result


def read_any(path, body):
    readers = {"/predict": read, "/predict/columns": read_columns}
    return readers[path](body, READING) if path in readers else read_batch(body, "", TODAY)


def test_what_is_too_much_is_refused_before_any_of_it_is_validated():
    for name in ("1,000 customers with 1,000 empty orders", "100,000 empty rows", "3,000,000 numbers for rows"):
        count, refused = calls(lambda name=name: read_any(*HEAVY[name]))
        assert isinstance(refused, Unfit), name
        assert refused.errors[0]["code"] == "too_long"
        assert count < 10_000, name


@pytest.mark.parametrize("name", HEAVY)
def test_no_body_makes_more_than_a_few_calls_for_each_of_its_lines(name):
    count, result = calls(lambda: read_any(*HEAVY[name]))
    assert count < 1_000_000
    if isinstance(result, Unfit):
        assert len(result.errors) <= MAX_PROBLEMS + 1


def test_twice_as_many_returns_are_twice_the_work():
    once, twice = (calls(lambda n=n: read(json.dumps(returns(n)).encode(), READING))[0] for n in (500, 1_000))
    assert twice < 2.5 * once


def test_reading_stops_at_the_hundredth_problem():
    few, many = (json.dumps([{"customer_id": "C1", "features": {}}] * n).encode() for n in (10, 1_000))
    (short, refused), (long, cut) = (calls(lambda body=body: read(body, READING)) for body in (few, many))
    assert len(refused.errors) == len(cut.errors) == MAX_PROBLEMS + 1
    assert long < short + 10_000  # the count of what each customer holds, and no more


@pytest.mark.parametrize("name", ["20 customers with 1,000 orders", "1,000 customers as features", "5,000 rows"])
def test_a_body_that_is_full_to_its_limits_is_answered(name):
    path, body = HEAVY[name]
    with LocalClient(create_api(service())) as client:
        answer = client.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    assert len(answer.content) < MAX_ANSWER_BYTES


def test_commas_in_texts_are_no_values():
    orders = [{"ordered_at": "2026-06-01", "amount": 5, "sku": 'tea, "green", ' * 10}] * 20
    body = json.dumps({"customer_id": "C1", "as_of": "2026-06-30", "orders": orders}).encode()
    assert body.count(b",") > 400
    assert parse(body, 100, "")["orders"] == orders
    with pytest.raises(Unfit, match="more than 60 values"):
        parse(body, 60, "")


def test_a_batch_whose_answer_would_be_too_large_is_refused():
    rows = [[n, EXAMPLE | {"customer_id": "é" * 200}] for n in range(MAX_ROWS)]
    with pytest.raises(Unfit, match="more than 6 MB"):
        read_batch(json.dumps({"data": rows}, ensure_ascii=False).encode(), "", TODAY)


def test_no_row_of_an_answer_is_larger_than_is_counted_for(shipped_model):
    far = {name: 36_525 if "days" in name else 1 for name in EXAMPLE}
    numbers = [EXAMPLE, far, EXAMPLE | {"monetary": 987_654_321_012.34, "spend_last_365_days": 987_654_321_012.34}]
    wrong = [{"\ud83d\ude00" * 300: 1, "x" * 300: 2, **EXAMPLE, "recency_days": "x"}]
    batch = read_batch(json.dumps({"data": list(enumerate([*numbers, *wrong, {}, 5]))}).encode(), "", TODAY)
    responses = predict(service().model.scorer, [batch.to_score])[0] if batch.to_score else []
    largest = max(
        len(json.dumps(row, ensure_ascii=False).encode()) for row in json.loads(write_batch(batch, responses))["data"]
    )
    assert largest < MAX_ROW_BYTES


def test_requests_that_arrive_together_are_scored_in_bounded_parts(shipped_model, monkeypatch):
    sizes = []

    def noted(scorer, requests):
        sizes.append(sum(map(len, requests)))
        return predict(scorer, requests)

    monkeypatch.setattr("functions.churn_api.predictor.predict", noted)
    queue = MemoryQueue()
    with LocalClient(create_api(service(queue))) as client:
        path, body = HEAVY["5,000 rows"]
        client.post(path, content=body, headers={"content-type": "application/json"})
    assert sizes == [MAX_ROWS_AT_ONCE] * 5
    assert len(queue.records) == 5_000
