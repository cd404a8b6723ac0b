"""How requests share runs of the model, and what is stored of them."""

import asyncio
import json
from datetime import date

import msgspec
import pytest

from functions.churn_api.fast_reading import read_fast
from functions.churn_api.predictions import TOGETHER, as_json, as_list, predict
from functions.churn_api.predictor import MAX_ROWS_AT_ONCE, Predictor
from functions.prediction_messages import MESSAGE_BYTES, messages, read_message
from tests.running.serving import NOW, MemoryQueue, customer, service

TODAY = date(2026, 7, 1)


def request(*ids):
    return read_fast(json.dumps([customer(i) for i in ids]).encode(), TODAY)


@pytest.fixture(scope="module")
def scorer(shipped_model):
    return service().model.scorer


def test_a_large_batch_is_answered_before_the_next_one_is_scored(scorer):
    happened = []

    class Queue(MemoryQueue):
        def put(self, *of):
            happened.append("stored")
            super().put(*of)

    async def answered(predictor, ids):
        await predictor.predict(request(*ids))
        happened.append("answered")

    async def both():
        predictor = Predictor(scorer, Queue(), lambda: NOW)
        ids = [f"C{number}" for number in range(MAX_ROWS_AT_ONCE)]
        await asyncio.gather(answered(predictor, ids), answered(predictor, ids))

    asyncio.run(both())
    assert happened == ["stored", "answered"] * 2


@pytest.mark.parametrize("customers", [1, 2, TOGETHER, 3 * TOGETHER + 1])
def test_predictions_that_are_encoded_together_are_those_that_are_encoded_alone(scorer, customers):
    (responses,) = predict(scorer, [request(*(f"C{number}" for number in range(customers)))])
    assert as_list(as_json(responses)) == msgspec.json.encode(responses)


@pytest.mark.parametrize("name", ["C{}", "é{}", "{} " + "\U0001f600" * 190])
def test_messages_carry_every_prediction_whatever_its_id_and_are_short_and_plain_enough_for_a_queue(scorer, name):
    ids = [name.format(number) for number in range(3 * TOGETHER)]
    (responses,) = predict(scorer, [request(*ids)])
    sent = list(messages("api", NOW, as_json(responses)))
    assert all(message.isascii() and len(message) < MESSAGE_BYTES + 100 for message in sent)
    assert [record.customer_id for message in sent for record in read_message(message)[0]] == ids
