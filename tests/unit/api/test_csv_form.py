"""Customers as CSV, in and out."""

import csv
import io
import json

import pytest

from functions.churn_api.customers import MAX_ORDERS_IN_ALL
from functions.churn_api.fast_path import create_api
from functions.churn_api.predictions import COLUMNS
from tests.running.serving import EXAMPLE, ORDERS, LocalClient, customer, service

CSV = {"content-type": "text/csv; charset=utf-8"}

pytestmark = pytest.mark.usefixtures("shipped_model")


@pytest.fixture(scope="module")
def client():
    with LocalClient(create_api(service())) as client:
        yield client


def table(rows, delimiter=",", **settings):
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, **settings)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def line(customer_id="C1", as_of="2026-06-30", **order):
    return {"customer_id": customer_id, "as_of": as_of} | {"ordered_at": "2026-06-01", "amount": "25.5"} | order


def ask(client, text, **headers):
    content = text if isinstance(text, bytes) else text.encode()
    return client.post("/predict", content=content, headers=CSV | headers)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_customers_by_features_are_answered_as_in_json(client, delimiter, mark):
    customers = [customer("0042", recency_days=3), customer('é; "x"', mean_gap_days=None)]
    rows = [{"customer_id": c["customer_id"], **c["features"]} for c in customers]
    answer = ask(client, mark + table(rows, delimiter) + delimiter * (len(rows[0]) - 1) + "\r\n")
    assert answer.json() == client.post("/predict", json=customers).json()


def test_a_row_of_the_mart_is_a_customer(client):
    row = {"CUSTOMER_ID": "C1", "AS_OF_DATE": "2026-06-30", **{name.upper(): value for name, value in EXAMPLE.items()}}
    assert ask(client, table([row])).json() == client.post(
        "/predict", json=customer() | {"as_of": "2026-06-30"}
    ).json()  # fmt: skip


def test_order_lines_are_gathered_by_customer_in_the_order_of_their_first_line(client):
    lines = [line("B", sku="T"), line("A", amount="1e3"[:1]), line("B", ordered_at="2026-05-01 10:00", sku="")]
    histories = [
        {"customer_id": "B", "as_of": "2026-06-30", "orders": [
            {"ordered_at": "2026-06-01", "amount": 25.5, "sku": "T"}, {"ordered_at": "2026-05-01 10:00", "amount": 25.5}
        ]},
        {"customer_id": "A", "as_of": "2026-06-30", "orders": [{"ordered_at": "2026-06-01", "amount": 1}]},
    ]  # fmt: skip
    for row in lines:
        row.setdefault("sku", "")
    assert ask(client, table(lines)).json() == client.post("/predict", json=histories).json()


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_decimals_may_have_a_comma_where_cells_are_not_separated_by_one(client, delimiter):
    with_comma, with_point = ([line(amount=amount), line(amount="3")] for amount in ("82,5", "82.5"))
    answers = [ask(client, table(rows, delimiter)) for rows in (with_comma, with_point)]
    assert answers[0].status_code == 200
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "names no column customer_id"),
        ("id;amount\n", "names no column customer_id"),
        (table([line(recency=3)]), "the column 'recency' is not known; is recency_days meant?"),
        (table([line(recency_days=3)]), "columns of orders and of features in one file"),
        ("customer_id,amount,amount\n1,2,3\n", "the column amount is there twice"),
        ("customer_id,ordered_at,amount\nA,2026-06-01\n", "line 2 has 2 cells, the header 3"),
        ("customer_id,ordered_at,amount\nA,2026-06-01,\"3\n", "is not CSV"),
        (table([line(amount="82,5"), line(amount="82.5")], ";"), "with a comma and with a point"),
        (table([line(amount="1.234")], ";"), "may be thousands"),
        (table([line(amount="1,234")]), "line 2, amount: "),
        (table([line(), line(amount="much")]), "line 3, amount: "),
        (table([line(customer_id="A"), line("B", ordered_at="2026-07-30")]), "line 3, ordered_at: 2026-07-30 is after"),
        (table([line(), line(as_of="2026-06-29")]), "line 3: as_of is another one"),
        (table([line(customer_id="")]), "line 2, customer_id: Field required"),
        (table([{"customer_id": "A", **EXAMPLE, "recency_days": "٣"}]), "line 2, recency_days: "),
        (table([{"customer_id": "A", **EXAMPLE, "frequency": "1.5"}]), "line 2, frequency: "),
        ("customer_id,ordered_at,amount\n", "at least 1 customer"),
        ("customer_id,ordered_at,amount\n" + "A,2026-06-01,1\n" * (MAX_ORDERS_IN_ALL + 1), "more than 20,000 rows"),
        ("customer_id,ordered_at,amount\n" + "\n" * 1_000_000, "more than 20,000 rows"),
        ("customer_id,amount\n" + "x" * 200_000 + ",1\n", "is not CSV: field larger"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_refused_with_line_and_column(client, text, why):
    answer = ask(client, text)
    assert answer.status_code == 422
    assert why in answer.json()["detail"]


def test_a_file_in_another_encoding_is_refused_with_what_to_do(client):
    answer = ask(client, table([line("Zoë")]).encode("latin-1"))
    assert (answer.status_code, "save it as CSV UTF-8" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize("accept", ["text/csv", "text/csv;q=0.9, application/json;q=0.1", "application/x, text/csv"])
def test_the_answer_is_csv_where_that_is_wanted(client, accept):
    customers = [customer("C1"), {"customer_id": "=cmd()", "as_of": "2026-06-30", "orders": ORDERS}]
    answer = client.post("/predict", json=customers, headers={"accept": accept})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    predicted = client.post("/predict", json=customers).json()
    assert list(rows[0]) == list(COLUMNS)
    assert [row["customer_id"] for row in rows] == ["C1", "'=cmd()"]  # a spreadsheet would run it
    for row, prediction in zip(rows, predicted, strict=True):
        assert float(row["churn_probability"]) == prediction["churn_probability"]
        assert row["reason_1"] == prediction["reasons"][0]["text"]
        assert json.loads(row["next_order_days_10"] or "null") == prediction["next_order_days"]["chance_10"]
        assert row["stored"] == "true"


@pytest.mark.parametrize("accept", ["", "*/*", "application/json, text/csv", "text/html"])
def test_the_answer_is_json_otherwise(client, accept):
    assert client.post("/predict", json=[customer()], headers={"accept": accept}).json()[0]["stored"]
