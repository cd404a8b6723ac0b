"""`next_products` of an answer: where a history names products, and nowhere else."""

from datetime import date
from pathlib import Path

import pytest

from flows.baskets.methods import DEFAULT, Shop
from flows.baskets.next_products import Catalogue
from flows.baskets.served_model import no_model, served_model
from functions.churn_api import next_products
from functions.churn_api.champion import ModelFolder
from functions.churn_api.documents import Prediction
from functions.churn_api.fast_path import create_api
from functions.churn_api.next_products import ServedProducts, Shelf
from tests.running.serving import LocalClient, MemoryQueue, customer, service
from tests.unit.baskets.shops import TODAY as AS_OF
from tests.unit.baskets.shops import purchases, shop_of_habits

pytestmark = pytest.mark.usefixtures("shipped_model")

LINES = [
    {"ordered_at": "2026-05-01", "amount": 40, "sku": "p01"},
    {"ordered_at": "2026-06-01", "amount": 40, "sku": "p01"},
    {"ordered_at": "2026-06-01", "amount": 25.5, "sku": "p02"},
]
HISTORY = {"customer_id": "C1", "as_of": "2026-06-30", "orders": LINES}


@pytest.fixture(scope="module")
def content():
    return served_model(Shop.at(purchases(shop_of_habits()), AS_OF, 90), DEFAULT, Catalogue({"p01": "Green tea"}))


@pytest.fixture
def place(tmp_path, content):
    (tmp_path / next_products.FILE).write_bytes(content)
    return ModelFolder(str(tmp_path))


@pytest.fixture
def queue():
    return MemoryQueue()


@pytest.fixture
def client(place, queue):
    standing = service(queue)
    standing.live.places = [place, *standing.live.places]
    with LocalClient(create_api(standing)) as client:
        yield client


def test_a_history_with_products_says_what_to_show_next_and_is_as_documented(client):
    (answer,) = client.post("/predict", json=HISTORY).json()
    shown = answer["next_products"]
    assert shown["products"][0] == {"sku": "p01", "name": "Green tea", "because": "own_habit"}
    assert len({one["sku"] for one in shown["products"]}) == 5
    assert (shown["method"], shown["known_until"]) == (DEFAULT.name, "2025-06-30")
    assert Prediction.model_validate(answer).model_dump(mode="json", exclude_unset=True) == answer


def test_a_request_without_products_is_answered_as_before_and_loads_nothing(client, monkeypatch):
    monkeypatch.setattr(ServedProducts, "add", lambda *_: pytest.fail("products were looked for"))
    bare = [{name: value for name, value in line.items() if name != "sku"} for line in LINES]
    answers = client.post("/predict", json=[customer("C2"), HISTORY | {"orders": bare}]).json()
    assert all("next_products" not in answer for answer in answers)


def test_only_those_whose_lines_name_products_get_some_and_the_rest_of_the_answer_is_the_same(client):
    bare = [{name: value for name, value in line.items() if name != "sku"} for line in LINES]
    answers = client.post("/predict", json=[HISTORY | {"customer_id": "C0", "orders": bare}, HISTORY]).json()
    assert ["next_products" in answer for answer in answers] == [False, True]
    assert [answer["customer_id"] for answer in answers] == ["C0", "C1"]


def test_what_is_stored_has_no_products(client, queue):
    client.post("/predict", json=HISTORY)
    assert [row.customer_id for row in queue.records] == ["C1"]
    assert not any(b"next_products" in message for message in queue.messages)


def test_what_was_sent_back_in_whole_is_no_habit(client):
    back = [*LINES, {"ordered_at": "2026-06-10", "amount": -80, "sku": "p01"}]
    (answer,) = client.post("/predict", json=HISTORY | {"orders": back}).json()
    habits = [one["sku"] for one in answer["next_products"]["products"] if one["because"] == "own_habit"]
    assert habits == ["p02"]


@pytest.mark.parametrize("broken", [b"{", b'{"skus": []}', b"", None])
def test_where_the_model_of_products_is_missing_or_broken_the_prediction_is_given_without(client, place, broken):
    target = Path(place.location) / next_products.FILE
    target.unlink() if broken is None else target.write_bytes(broken)
    answer = client.post("/predict", json=HISTORY)
    assert answer.status_code == 200
    assert "next_products" not in answer.json()[0]


def test_the_model_of_a_later_run_is_served_after_a_minute(place):
    at = [0.0]
    products = ServedProducts([place], monotonic=lambda: at[0])
    first = products.shelf()
    assert isinstance(first, Shelf)
    (Path(place.location) / next_products.FILE).write_bytes(no_model(date(2025, 7, 1)))
    at[0] = 59
    assert products.shelf() is first
    at[0] = 60
    assert products.shelf() is None
