"""What waits in the queue, merged at once by a call of the clock."""

from types import SimpleNamespace

import pytest

from functions.prediction_sink import gather as module
from functions.prediction_sink import sink
from functions.prediction_sink.gather import gather

URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/predictions"


class Queue:
    """SQS, as far as it hands out up to ten messages and forgets those that are deleted."""

    def __init__(self, bodies):
        self.waiting = [(f"m{place}", body) for place, body in enumerate(bodies)]
        self.in_work, self.received = {}, 0

    def call(self, action, **arguments):
        assert arguments["QueueUrl"] == URL
        return getattr(self, action)(**arguments)

    def ReceiveMessage(self, MaxNumberOfMessages, **_):
        assert MaxNumberOfMessages <= 10
        handed, self.waiting = self.waiting[:MaxNumberOfMessages], self.waiting[MaxNumberOfMessages:]
        self.in_work |= {f"r-{name}": name for name, _ in handed}
        self.received += len(handed)
        return (
            {"Messages": [{"MessageId": n, "ReceiptHandle": f"r-{n}", "Body": b} for n, b in handed]} if handed else {}
        )

    def DeleteMessageBatch(self, Entries, **_):
        assert len(Entries) <= 10
        for entry in Entries:
            del self.in_work[entry["ReceiptHandle"]]
        return {}


@pytest.fixture(autouse=True)
def _read(monkeypatch):
    """A message is the id of its one prediction, or `bad`."""
    read = lambda body: ([], ["no"]) if body == "bad" else ([SimpleNamespace(prediction_id=body)], [])  # noqa: E731
    monkeypatch.setattr(sink, "read_message", read)


def bodies(count):
    return [f"p{place}" for place in range(count)]


def test_all_that_waits_is_merged_and_deleted(monkeypatch):
    monkeypatch.setattr(module, "MESSAGES_A_MERGE", 20)
    queue, merged = Queue(bodies(45)), []
    assert gather(queue, URL, merged.append, lambda: 600) == 45
    assert [len(batch) for batch in merged] == [20, 20, 5]
    assert not queue.in_work


def test_a_message_that_does_not_fit_stays_and_the_others_are_merged():
    queue, merged = Queue([*bodies(2), "bad"]), []
    assert gather(queue, URL, merged.append, lambda: 600) == 2
    assert list(queue.in_work.values()) == ["m2"]


def test_where_the_warehouse_is_away_no_more_is_received_so_that_nothing_becomes_a_dead_letter_by_being_tried(
    monkeypatch,
):
    monkeypatch.setattr(module, "MESSAGES_A_MERGE", 10)

    def away(_):
        raise OSError("suspended by its quota")

    queue = Queue(bodies(35))
    assert gather(queue, URL, away, lambda: 600) == 0
    assert queue.received == 10


def test_no_merge_begins_without_the_time_for_it():
    queue = Queue(bodies(3))
    assert gather(queue, URL, pytest.fail, lambda: 30) == 0
    assert queue.received == 0
