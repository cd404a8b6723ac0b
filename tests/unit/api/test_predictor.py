"""How requests share runs of the model, and what is stored of them."""

import asyncio
import json
from datetime import date

import msgspec
import pytest

from functions.churn_api.fast_reading import read_fast
from functions.churn_api.predictions import as_json, joined, predict
from functions.churn_api.predictor import MAX_ROWS_AT_ONCE, Predictor
from functions.churn_api.sqs_queue import SqsQueue
from functions.prediction_messages import MESSAGE_BYTES, messages
from functions.prediction_sink.message_reader import read_message
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


@pytest.mark.parametrize("together", [1, 2, 3, 7, 8])
def test_an_answer_is_one_list_however_few_are_encoded_together(scorer, together):
    (responses,) = predict(scorer, [request(*(f"C{number}" for number in range(7)))])
    assert joined(as_json(responses, together)) == msgspec.json.encode(responses)


@pytest.mark.parametrize("name", ["C{}", "é{}", "{} " + "\U0001f600" * 190])
def test_messages_carry_every_prediction_whatever_its_id_and_are_short_and_plain_enough_for_a_queue(scorer, name):
    ids = [name.format(number) for number in range(3 * SqsQueue.together)]
    (responses,) = predict(scorer, [request(*ids)])
    sent = list(messages("api", NOW, as_json(responses, SqsQueue.together)))
    assert all(message.isascii() and len(message) < MESSAGE_BYTES + 100 for message in sent)
    assert [record.customer_id for message in sent for record in read_message(message)[0]] == ids
