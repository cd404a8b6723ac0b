"""Customers by columns: what a list of the same customers is answered, and refusals that name columns."""

import pytest

from functions.churn_api.contract import FEATURES
from functions.churn_api.fast_path import create_api
from tests.running.serving import EXAMPLE, LocalClient, by_columns, customer, service

OPTIONAL = [name for name, feature in FEATURES.items() if not feature.is_required]


@pytest.fixture(scope="module")
def client(shipped_model):
    with LocalClient(create_api(service())) as made:
        yield made


def three(**columns):
    """Three customers by columns, of which some columns are others; None: left out."""
    made = by_columns([customer(f"C{n}", recency_days=n) for n in range(3)]) | columns
    return {name: column for name, column in made.items() if column is not None}


def refusal(client, body):
    """By pointer: what is refused."""
    answer = client.post("/v1/predict/columns", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return {error["pointer"]: error["detail"] for error in answer.json()["errors"]}


def test_a_thousand_customers_get_what_a_list_of_them_gets(client):
    customers = [customer(f"C{n}", recency_days=n % 400, monetary=0.97 * (n + 1)) for n in range(1_000)]
    answers = [client.post("/predict", json=customers), client.post("/predict/columns", json=by_columns(customers))]
    assert answers[0].status_code == 200
    assert answers[0].content == answers[1].content


def test_what_may_be_missing_may_be_null_or_have_no_column(client):
    without = three(as_of=None, **dict.fromkeys(OPTIONAL))
    null = three(as_of=[None] * 3, **dict.fromkeys(OPTIONAL, [None] * 3))
    customers = [{"customer_id": f"C{n}", "features": {}} for n in range(3)]
    for n, one in enumerate(customers):
        one["features"] = {name: without[name][n] for name in EXAMPLE if name in without}
    answers = [client.post("/v1/predict/columns", json=body) for body in (without, null)]
    answers.append(client.post("/v1/predict", json=customers))
    assert [answer.status_code for answer in answers] == [200] * 3
    assert answers[0].content == answers[1].content == answers[2].content


def test_columns_that_are_missing_not_known_or_no_lists_are_named(client):
    body = three(monetary=None, as_of_date=["2026-06-30"] * 3, frequency=5, orders=[[]] * 3)
    assert refusal(client, body) == {
        "/frequency": "send a list with a value for each customer",
        "/as_of_date": "the column 'as_of_date' is not known; is as_of meant?",
        "/orders": "the column 'orders' is not known",
        "/monetary": "Field required",
    }


def test_columns_of_another_length_are_named_with_both_lengths(client):
    assert refusal(client, three(recency_days=[1, 2], as_of=[None] * 4)) == {
        "/recency_days": "2 values, but customer_id has 3",
        "/as_of": "4 values, but customer_id has 3",
    }


@pytest.mark.parametrize(
    ("columns", "place", "why"),
    [
        ({"recency_days": [0, -1, 2]}, "/recency_days/1", "greater than or equal to 0"),
        ({"recency_days": [0, 1, None]}, "/recency_days/2", "valid"),
        ({"frequency": [12, 1.5, 12]}, "/frequency/1", "integer"),
        ({"customer_id": ["C0", "", "C2"]}, "/customer_id/1", "at least 1 character"),
        ({"customer_id": ["C0", "C1", "C\0"]}, "/customer_id/2", "NUL"),
        ({"as_of": ["2026-07-02", None, None]}, "/as_of/0", "in the future"),
        ({"as_of": [None, "1949-12-31", None]}, "/as_of/1", "1950"),
        ({"monetary": [412.5, 500, 412.5]}, "/monetary/1", "not frequency × average_order_value"),
    ],
)
def test_a_value_that_does_not_fit_is_named_by_its_column_and_position(client, columns, place, why):
    found = refusal(client, three(**columns))
    assert why in found[place]


@pytest.mark.parametrize(
    ("body", "place", "why"),
    [
        ([customer()], "", "send an object of columns"),
        (by_columns([customer()] * 1_001), "/customer_id", "1,001 customers in one request; send at most 1,000"),
        ({name: [] for name in by_columns([customer()])}, "", "at least 1 customer"),
    ],
)
def test_too_many_none_or_a_list_of_customers_are_refused(client, body, place, why):
    assert why in refusal(client, body)[place]


def test_the_answer_is_csv_where_that_is_wanted(client):
    answer = client.post("/predict/columns", json=three(), headers={"accept": "text/csv"})
    assert [line.split(",")[0] for line in answer.text.splitlines()] == ["customer_id", "C0", "C1", "C2"]


def test_columns_are_json(client):
    answer = client.post("/predict/columns", content=b"a,b", headers={"content-type": "text/csv"})
    assert (answer.status_code, answer.headers["accept"]) == (415, "application/json")
