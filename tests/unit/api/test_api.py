import gzip
import json
import logging
import re
import subprocess
import sys
from datetime import date

import numpy as np
import pytest

from flows.settings import REPOSITORY
from functions.churn_api.contract import FEATURE_NAMES, FEATURES, RISK_BANDS, risk_bands
from functions.churn_api.customers import MAX_ORDERS_IN_ALL
from functions.churn_api.documents import Prediction, Problem
from functions.churn_api.external_function import MAX_ANSWER_BYTES, MAX_ROWS
from functions.churn_api.fast_path import create_api
from functions.churn_api.fast_reading import MAX_CUSTOMERS
from functions.churn_api.order_history import MAX_ORDERS, Order, features_from_orders
from functions.churn_api.request_body import MAX_BODY_BYTES
from functions.churn_api.scorer import day_of_year
from tests.running.serving import EXAMPLE, NOW, ORDERS, TODAY, LocalClient, MemoryQueue, customer, service

JSON = {"content-type": "application/json"}

pytestmark = pytest.mark.usefixtures("shipped_model")


@pytest.fixture
def queue():
    return MemoryQueue()


@pytest.fixture(scope="module")
def standing():
    return service()


@pytest.fixture(scope="module")
def scorer(standing):
    return standing.model.scorer


@pytest.fixture(scope="module")
def client(standing):
    with LocalClient(create_api(standing)) as client:
        yield client


def test_one_customer_gets_one_prediction(client, scorer):
    answer = client.post("/predict", json=customer())
    assert answer.status_code == 200
    (prediction,) = answer.json()
    day = np.array([day_of_year(date.fromisoformat(TODAY))])
    scores = scorer.score(np.array([[EXAMPLE[name] for name in FEATURE_NAMES]], dtype=np.float64), day)
    assert prediction["churn_probability"] == scores.churn_probability[0]
    assert prediction["expected_spend"] == scores.expected_spend[0]
    assert [reason["text"] for reason in prediction["reasons"]] == [phrases[0] for phrases in scores.reasons]
    assert prediction["risk_band"] == risk_bands(np.array([prediction["churn_probability"]]))[0]
    assert prediction["model_version"] == scorer.model_version
    assert (prediction["horizon_days"], prediction["as_of"], prediction["stored"]) == (90, TODAY, True)


def test_a_list_is_answered_in_its_order(client):
    customers = [customer(f"C{i}", recency_days=i) for i in range(50)]
    assert [p["customer_id"] for p in client.post("/predict", json=customers).json()] == [f"C{i}" for i in range(50)]


def test_a_thousand_customers_are_answered_at_once(client):
    answer = client.post("/predict", json=[customer(f"C{i}", recency_days=i) for i in range(1000)])
    assert len({prediction["prediction_id"] for prediction in answer.json()}) == 1000


def test_every_response_is_as_documented(client):
    answer = client.post("/predict", json=[customer(), customer(recency_days=900, tenure_days=1200)]).json()
    for prediction in answer:
        documented = Prediction.model_validate(prediction, strict=False)
        assert documented.model_dump(mode="json", exclude_unset=True) == prediction


def test_what_a_one_time_buyer_cannot_have_may_be_left_out(client):
    features = {name: value for name, value in EXAMPLE.items() if FEATURES[name].is_required}
    once = customer(frequency=1)["features"]
    answer = client.post("/predict", json={"customer_id": "C1", "features": {name: once[name] for name in features}})
    assert answer.status_code == 200


def test_an_order_history_is_scored_by_the_features_that_follow_from_it(client, scorer):
    history = {"customer_id": "C1", "as_of": "2026-06-30", "orders": ORDERS}
    (by_orders,) = client.post("/predict", json=history).json()
    orders = [Order.model_validate(order) for order in ORDERS]
    computed = features_from_orders(orders, NOW.date().replace(month=6, day=30), scorer.horizon_days)
    features = {n: None if v != v else v for n, v in zip(FEATURE_NAMES, computed, strict=True)}
    (by_features,) = client.post(
        "/predict", json={"customer_id": "C1", "as_of": "2026-06-30", "features": features}
    ).json()
    assert by_orders == by_features


def test_features_and_histories_may_be_in_one_list(client):
    both = [customer("A"), {"customer_id": "B", "as_of": "2026-06-30", "orders": ORDERS}]
    assert [p["customer_id"] for p in client.post("/predict", json=both).json()] == ["A", "B"]


def history(**changes):
    return {"customer_id": "C1", "as_of": "2026-06-30", "orders": ORDERS} | changes


@pytest.mark.parametrize(
    ("body", "where", "why"),
    [
        (customer(recency_days=-1), "/features/recency_days", "greater than or equal to 0"),
        (customer(frequency=0), "/features/frequency", "greater than or equal to 1"),
        (customer(frequency=1.5), "/features/frequency", "valid integer"),
        (customer(monetary="much"), "/features/monetary", "valid number"),
        (customer(monetary=1e300), "/features/monetary", "less than or equal"),
        (customer(shoe_size=43), "/features/shoe_size", "not permitted"),
        (customer() | {"shoe_size": 43}, "/shoe_size", "not permitted"),
        (customer() | {"as_of": "2026-07-02"}, "/as_of", "2026-07-02 is in the future; today is 2026-07-01"),
        (customer(""), "/customer_id", "at least 1 character"),
        (customer("x" * 201), "/customer_id", "at most 200 characters"),
        (customer("\ud800"), "/customer_id", "unicode"),
        ({"features": EXAMPLE}, "/customer_id", "required"),
        ({"customer_id": "C1"}, "/features", "required"),
        ([customer(), customer(recency_days=-1)], "/1/features/recency_days", "greater than"),
        ([customer(), customer() | {"as_of": "2027-01-01"}], "/1/as_of", "in the future"),
        (customer(tenure_days=94), "/features/recency_days", "larger than tenure_days"),
        (customer(purchases_last_60_days=3), "/features/purchases_last_60_days", "larger than purchases_l"),
        (customer(purchases_last_365_days=6), "/features/purchases_last_365_days", "larger than frequency"),
        (customer(spend_last_365_days=413), "/features/spend_last_365_days", "larger than monetary"),
        (customer(purchases_last_90_days=1), "/features/purchases_last_90_days", "by recency_days, is before its days"),
        (customer(purchases_last_180_days=0), "/features/purchases_last_180_days", "by recency_days, is in its days"),
        (customer(spend_last_90_days=10), "/features/spend_last_90_days", "by recency_days, is before its days"),
        (customer(days_since_2nd_last_purchase=94), "/features/recency_days", "larger than days_since_2nd_last"),
        (customer(max_gap_days=401), "/features/max_gap_days", "larger than tenure_days"),
        (customer(max_gap_days=70), "/features/mean_gap_days", "larger than max_gap_days"),
        (customer(decayed_purchases_15_days=0.5), "/features/decayed_purchases_15_days", "larger than decayed_purch"),
        (customer(average_order_value=90), "/features/monetary", "not frequency × average_order_value"),
        ([customer(), customer(tenure_days=94)], "/1/features/recency_days", "larger than tenure_days"),
        (customer("a\x00b"), "/customer_id", "NUL"),
        (customer(True), "/customer_id", "valid string"),
        (customer(4.5), "/customer_id", "valid string"),
        (customer() | {"as_of": "1949-12-31"}, "/as_of", "a year from 1950"),
        (history(orders=[{"ordered_at": "2026-06-01", "amount": 5, "sku": "\x00"}]),
         "/orders/0/sku", "NUL"),
        ([], "", "at least 1"),
        ([customer()] * 1001, "", "at most 1000"),
        (7, "", "dictionary"),
        (None, "", ""),
        (history(orders=[]), "/orders", "at least 1"),
        (history(orders=[{"amount": 5}]), "/orders/0/ordered_at", "required"),
        (history(orders=[{"ordered_at": "soon", "amount": 5}]), "/orders/0/ordered_at", "write it as"),
        (history(orders=[{"ordered_at": 1782864000, "amount": 5}]), "/orders/0/ordered_at", "as text"),
        (customer(recency_days="95"), "/features/recency_days", "valid integer"),
        (customer(recency_days=True), "/features/recency_days", "valid integer"),
        (customer(max_gap_days="95"), "/features/max_gap_days", "valid integer"),
        (history(orders=[{"ordered_at": "0001-01-01T00:00:00+14:00", "amount": 5}]),
         "/orders/0/ordered_at", "a year from 1950"),
        (history(orders=[{"ordered_at": "2026-06-01", "amount": 1e200}]), "/orders/0/amount", "less than"),
        (history(orders=[{"ordered_at": "2026-07-01", "amount": 5}]),
         "/orders/0/ordered_at", "2026-07-01 is after the as-of date"),
        (history(orders=[{"ordered_at": "2026-06-01", "amount": -5}]), "/orders", "no purchase is left"),
        (history(as_of="2026-07-02"), "/as_of", "in the future"),
        (history(features=EXAMPLE), "/features", "not permitted"),
        ([history(orders=ORDERS * 500)] * 21, "", "21,000 orders in one request; send at most 20,000"),
        (history(orders=ORDERS * 501), "/orders", "at most 1000"),
    ],
)  # fmt: skip
def test_a_body_that_does_not_fit_is_refused_with_the_field_and_the_reason(client, body, where, why):
    answer = client.post("/predict", content=json.dumps(body), headers=JSON)
    assert answer.status_code == 422
    problems = {problem["pointer"]: problem["detail"] for problem in answer.json()["errors"]}
    assert where in problems, problems
    assert why in problems[where]


def test_null_beside_the_other_kind_is_left_out(client):
    for one in (customer(), history()):
        both = {"features": None, "orders": None} | one
        assert client.post("/predict", json=both).json() == client.post("/predict", json=one).json()


@pytest.mark.parametrize("amount", ["82.5", "-3", "0"])
def test_an_amount_may_be_text_in_plain_digits(client, amount):
    orders = [*ORDERS, {"ordered_at": "2026-06-02", "amount": amount}]
    assert client.post("/predict", json=history(orders=orders)).status_code == 200


@pytest.mark.parametrize("amount", ["1e3", "1_000", " 5", "+5", "٣", ".5", "5.", "NaN", ""])
def test_an_amount_as_other_text_is_refused(client, amount):
    answer = client.post("/predict", json=history(orders=[{"ordered_at": "2026-06-02", "amount": amount}]))
    assert (answer.status_code, "plain digits" in answer.text) == (422, True)


@pytest.mark.parametrize("path", ["/health", "/model", "/openapi.json", "/docs"])
def test_head_is_answered_where_get_is(client, path):
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


def test_the_versioned_path_is_the_same_and_takes_a_list_alone(client):
    assert client.get("/v1/health").json() == client.get("/health").json()
    for one in (customer(), history()):
        (alone,) = client.post("/predict", json=one).json()
        assert client.post("/v1/predict", json=[one]).json() == [alone]
        answer = client.post("/v1/predict", json=one)
        assert (answer.status_code, "without a list" in answer.json()["detail"]) == (422, True)


def test_a_server_is_reached_under_its_base_path_and_without_it():
    with LocalClient(create_api(service(base_path="/churn"))) as client:
        answers = [client.get(f"{path}/health").json()["status"] for path in ("", "/churn", "/v1", "/churn/v1")]
        assert answers == ["ok"] * 4
        assert client.get("/churning/health").status_code == 404
        assert client.get("/churn/openapi.json").json()["servers"] == [{"url": "/churn/v1"}]


def test_the_page_of_the_documentation_loads_nothing_from_elsewhere(client):
    pytest.importorskip("fastapi_offline", reason="the environment is older than the lock")
    page = client.get("/docs").text
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page)
    for path in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert client.get(f"/{path}").status_code == 200, path
    assert "url: 'openapi.json'" in page


def test_a_request_has_one_host(client):
    answer = client.get("/health", headers=[("host", "127.0.0.1"), ("host", "localhost")])
    assert (answer.status_code, "Host" in answer.text) == (400, True)


def test_several_members_of_gzip_are_one_body(client):
    text = json.dumps(customer()).encode()
    body = gzip.compress(text[:50]) + gzip.compress(text[50:])
    answer = client.post("/predict", content=body, headers=JSON | {"content-encoding": "gzip"})
    assert answer.status_code == 200


def test_the_examples_of_the_document_are_answered(client):
    paths = client.get("/openapi.json").json()["paths"]
    for path in ("/predict", "/predict/columns", "/snowflake"):
        for example in paths[path]["post"]["requestBody"]["content"]["application/json"]["examples"].values():
            assert client.post(path, json=example["value"]).status_code == 200


def test_the_document_has_nothing_that_generated_clients_stumble_over(client):
    document = client.get("/openapi.json").json()
    assert re.fullmatch(r"\d+\.\d+\.\d+", document["info"]["version"])
    schemas = document["components"]["schemas"]
    assert {schema["title"] for schema in schemas.values()} == set(schemas)
    assert '"anyOf"' not in json.dumps(document)
    assert schemas["Order"]["properties"]["amount"]["format"] == "double"
    assert "format" not in schemas["Order"]["properties"]["ordered_at"]


def test_a_whole_number_is_an_id_too(client):
    assert client.post("/predict", json=customer(42)).json() == client.post("/predict", json=customer("42")).json()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_what_is_no_number_is_refused(client, number):
    body = json.dumps(customer()).replace('"monetary": 412.5', f'"monetary": {number}')
    answer = client.post("/predict", content=body, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/features/monetary"


def test_a_refusal_does_not_send_back_what_was_sent(client):
    answer = client.post("/predict", json={"customer_id": "anna@example.com", "features": {"monetary": "secret"}})
    assert "anna" not in answer.text
    assert "secret" not in answer.text


def test_a_flood_of_problems_is_cut_short(client):
    answer = client.post("/predict", json=[{"customer_id": "C1", "features": {}}] * 1000)
    assert len(answer.json()["errors"]) == 101
    assert "the first 100 problems" in answer.json()["errors"][-1]["detail"]


@pytest.mark.parametrize(
    ("content", "headers", "status", "why"),
    [
        (b"{", JSON, 422, "JSON decode error at character 1"),
        (b"{}", JSON | {"content-length": "9" * 5_000}, 422, "body"),
        (b"\xff", JSON, 400, "parsing the body"),
        (b'{"customer_id":' + b"[" * 100_000, JSON, 400, "parsing the body"),
        (b"{}", {}, 415, "missing; send application/json"),
        (b"a=1", {"content-type": "application/x-www-form-urlencoded"}, 415, "x-www-form-urlencoded; send"),
        (b"{}", JSON | {"content-encoding": "br"}, 415, "content-encoding is br"),
        (b"{}", JSON | {"content-encoding": "gzip"}, 400, "gzip"),
        (gzip.compress(b"{}" * 99, mtime=0)[:-9], JSON | {"content-encoding": "gzip"}, 400, "ends before"),
        (b" " * 10_000_000, JSON, 413, "larger than 6,291,456 bytes"),
        (gzip.compress(b" " * 10_000_000, mtime=0), JSON | {"content-encoding": "gzip"}, 413, "larger than"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_words(client, content, headers, status, why):
    for path in ("/predict", "/predict/columns", "/snowflake"):
        answer = client.post(path, content=content, headers=headers)
        assert (answer.status_code, why in answer.text) == (status, True), answer.text


def test_a_body_of_unsaid_length_is_cut_off_at_the_limit(client):
    sent = []

    def endless():
        while len(sent) * 1_000_000 < 3 * MAX_BODY_BYTES:
            sent.append(1)
            yield b" " * 1_000_000

    assert client.post("/predict", content=endless(), headers=JSON).status_code == 413


def test_a_compressed_body_is_understood(client):
    body = gzip.compress(json.dumps(customer()).encode())
    answer = client.post("/predict", content=body, headers=JSON | {"content-encoding": "gzip"})
    assert answer.json() == client.post("/predict", json=customer()).json()


def test_an_unknown_path_and_a_wrong_method_are_refused_with_what_to_send(client):
    answer = client.get("/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    answer = client.get("/predict")
    assert (answer.status_code, answer.json()["detail"], answer.headers["allow"]) == (405, "Send POST.", "POST")


@pytest.mark.parametrize(
    ("method", "path", "content", "headers", "code"),
    [
        ("GET", "/nothing", b"", {}, "not_found"),
        ("GET", "/predict", b"", {}, "method_not_allowed"),
        ("POST", "/predict", b"{}", JSON, "body_invalid"),
        ("POST", "/predict", b"\xff", JSON, "request_unreadable"),
        ("POST", "/predict", b"{}", {}, "media_type_unsupported"),
        ("POST", "/predict", b" " * 10_000_000, JSON, "body_too_large"),
        ("POST", "/predict", b"{}", JSON | {"host": "evil.example"}, "host_not_local"),
    ],
)
def test_every_refusal_is_a_problem_with_a_stable_code(client, method, path, content, headers, code):
    answer = client.request(method, path, content=content, headers=headers)
    problem = Problem.model_validate(answer.json())
    assert (answer.headers["content-type"], problem.code) == ("application/problem+json", code)
    assert (problem.type, problem.status) == (f"urn:churn-api:problem:{code}", answer.status_code)
    assert problem.detail.endswith(".") != bool(problem.errors)
    assert ("errors" in answer.json()) == (code == "body_invalid")


def test_a_field_of_any_name_is_refused_with_a_pointer_to_it(client):
    answer = client.post("/predict", content=json.dumps(customer() | {"a/b~é": 1}), headers=JSON)
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/a~1b~0é"]


def test_health_names_the_model(client, scorer):
    assert client.get("/health").json() == {
        "status": "ok",
        "model_version": scorer.model_version,
        "champion": scorer.model_version,
        "refused_models": [],
    }


def test_the_model_card_is_given(client, standing):
    assert client.get("/model").json() == dict(standing.model.card)


def test_the_api_documents_its_limits(client):
    document = client.get("/openapi.json").json()
    said = {path: of["post"]["description"] for path, of in document["paths"].items() if "post" in of}
    words = {path: " ".join(description.split()) for path, description in said.items()}
    assert f"{MAX_BODY_BYTES / 2**20:.0f} MB" in document["info"]["description"]
    for path in ("/predict", "/predict/columns"):
        assert f"{MAX_CUSTOMERS:,} customers" in words[path]
    for limit in (f"{MAX_ORDERS:,} order lines", f"{MAX_ORDERS_IN_ALL:,} in all"):
        assert limit in words["/predict"]
    for limit in (f"{MAX_ROWS:,} rows", f"{MAX_ANSWER_BYTES / 1_000_000:.0f} MB"):
        assert limit in words["/snowflake"]


def test_the_api_documents_every_feature_with_its_unit_and_range(client):
    properties = client.get("/openapi.json").json()["components"]["schemas"]["CustomerFeatures"]["properties"]
    assert list(properties) == list(FEATURE_NAMES)
    for name, described in properties.items():
        ranged = described.get("anyOf", [described])[0]
        assert described["description"], name
        assert described["x-unit"], name
        assert described["examples"], name
        assert {"minimum", "maximum"} <= ranged.keys(), name


def test_risk_bands_cover_every_probability():
    assert [band for _, band in RISK_BANDS] == ["high", "medium", "low"]
    assert risk_bands(np.array([1.0, 0.7, 0.699, 0.4, 0.0])) == ["high", "high", "medium", "medium", "low"]


def test_a_prediction_says_why_and_what_each_reason_does(client):
    (lapsed,) = client.post("/predict", json=customer(recency_days=300, tenure_days=700, frequency=8)).json()
    strongest = lapsed["reasons"][0]
    assert strongest["cause"] == "recency"
    assert strongest["text"] == "higher risk: last order 300 days ago; usually every 60 days"
    assert 0 < strongest["effect"] <= lapsed["churn_probability"]
    assert len(lapsed["reasons"]) == 3


def test_a_next_order_that_is_not_in_sight_is_null(client):
    (gone,) = client.post("/predict", json=customer(recency_days=900, tenure_days=1200, frequency=8)).json()
    assert gone["next_order_days"]["chance_50"] is None
    (here,) = client.post("/predict", json=customer(recency_days=2, tenure_days=300, frequency=40)).json()
    days = list(here["next_order_days"].values())
    assert days[0] < days[1] < 60


def test_the_same_question_gets_the_same_id_and_another_one_another(client):
    def responses_to(**changes):
        (prediction,) = client.post("/predict", json=customer() | changes).json()
        return prediction["prediction_id"]

    assert responses_to() == responses_to() == responses_to(as_of=TODAY)
    assert (
        len(
            {
                responses_to(),
                responses_to(customer_id="C2"),
                responses_to(as_of="2026-06-30"),
                responses_to(features=customer(monetary=1)["features"]),
            }
        )
        == 4
    )


def test_every_response_is_on_the_queue_before_the_caller_has_it(queue):
    with LocalClient(create_api(service(queue))) as client:
        answers = client.post("/predict", json=[customer("A"), customer("B", recency_days=1)]).json()
    records = {record.customer_id: record for record in queue.records}
    for answer in answers:
        record = records[answer["customer_id"]]
        assert (record.prediction_id, record.churn_probability) == (
            answer["prediction_id"],
            answer["churn_probability"],
        )
        assert [record.reason_1, record.reason_2, record.reason_3] == [reason["text"] for reason in answer["reasons"]]
        assert (record.source, record.scored_at, str(record.as_of_date)) == ("api", NOW.replace(tzinfo=None), TODAY)


def test_a_response_that_could_not_be_stored_is_given_and_says_so(queue, caplog):
    queue.down = True
    with LocalClient(create_api(service(queue))) as client, caplog.at_level(logging.ERROR):
        answers = client.post("/predict", json=[customer("A"), customer("B")]).json()
    assert [answer["stored"] for answer in answers] == [False, False]
    assert "predictions not stored" in caplog.messages


def test_a_response_that_could_not_be_stored_is_refused_if_so_set(queue):
    queue.down = True
    with LocalClient(create_api(service(queue, refuse_unstored=True))) as client:
        for body in (customer(), {"customer_id": "C1", "as_of": "2026-06-30", "orders": ORDERS}):
            answer = client.post("/predict", json=body)
            assert (answer.status_code, "could not be stored" in answer.text) == (503, True)


def test_what_goes_wrong_on_our_side_is_reported_without_its_details(monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("anna@example.com")

    monkeypatch.setattr("functions.churn_api.predictor.predict", broken)
    with LocalClient(create_api(service()), raise_server_exceptions=False) as client:
        for body in (customer(), {"customer_id": "C1", "as_of": "2026-06-30", "orders": ORDERS}):
            answer = client.post("/predict", json=body, headers={"x-request-id": "req-7"})
            assert (answer.status_code, answer.headers["x-request-id"]) == (500, "req-7")
            assert "req-7" in answer.json()["detail"]
            assert "anna" not in answer.text


def test_the_plain_way_to_a_response_loads_nothing_heavy():
    heavy = ("sklearn", "shap", "scipy", "boto3", "botocore", "snowflake.connector", "fastapi", "starlette", "pydantic")
    handler = (REPOSITORY / "functions" / "churn_api" / "lambda_handler.py").read_text()
    imported = ", ".join(re.findall(r"^from (\S+) import", handler, re.MULTILINE))
    code = f"import sys, {imported}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True, capture_output=True, text=True)
    assert {*loaded.stdout.split()}.isdisjoint(heavy)
