import subprocess
import sys

import numpy as np
import pytest
from fastapi.testclient import TestClient

from flows.adapters.model_registry import ModelRegistry
from flows.settings import REPOSITORY, SHIPPED_MODELS
from functions.churn_api.app import create_app
from functions.churn_api.contract import FEATURE_NAMES, RISK_BANDS, CustomerFeatures, risk_band
from functions.churn_api.scorer import ModelRefused, Scorer

EXAMPLE = {name: field.examples[0] for name, field in CustomerFeatures.model_fields.items()}


@pytest.fixture(scope="module")
def scorer():
    return Scorer.load(ModelRegistry(str(SHIPPED_MODELS), SHIPPED_MODELS).champion().content)


@pytest.fixture(scope="module")
def client(scorer):
    with TestClient(create_app(scorer)) as client:
        yield client


def customer(**changes):
    return {"customer_id": "C1", "features": EXAMPLE | changes}


def test_one_customer_gets_one_prediction(client, scorer):
    answer = client.post("/predict", json=customer())
    assert answer.status_code == 200
    (prediction,) = answer.json()
    scores = scorer.score(np.array([[EXAMPLE[name] for name in FEATURE_NAMES]], dtype=np.float64))
    assert prediction["churn_probability"] == scores.churn_probability[0]
    assert prediction["expected_spend"] == scores.expected_spend[0]
    assert [reason["text"] for reason in prediction["reasons"]] == scores.reasons[0].tolist()
    assert prediction["risk_band"] == risk_band(prediction["churn_probability"])
    assert prediction["model_version"] == scorer.model_version
    assert prediction["horizon_days"] == 90


def test_a_list_is_answered_in_its_order(client):
    customers = [{"customer_id": f"C{i}", "features": EXAMPLE | {"recency_days": i}} for i in range(50)]
    assert [p["customer_id"] for p in client.post("/predict", json=customers).json()] == [f"C{i}" for i in range(50)]


def test_what_a_one_time_buyer_cannot_have_may_be_left_out(client):
    features = {name: value for name, value in EXAMPLE.items() if CustomerFeatures.model_fields[name].is_required()}
    answer = client.post("/predict", json={"customer_id": "C1", "features": features | {"frequency": 1}})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (customer(recency_days=-1), "recency_days"),
        (customer(frequency=0), "frequency"),
        (customer(monetary="much"), "monetary"),
        (customer(shoe_size=43), "shoe_size"),
        ({"customer_id": "", "features": EXAMPLE}, "customer_id"),
        ({"features": EXAMPLE}, "customer_id"),
        ([], "at least 1"),
        ([customer()] * 1001, "at most 1000"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_with_the_field(client, body, names):
    answer = client.post("/predict", json=body)
    assert answer.status_code == 422
    assert names in answer.text


def test_not_a_number_is_refused(client):
    body = '{"customer_id": "C1", "features": {"monetary": NaN}}'
    answer = client.post("/predict", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422


def test_health_names_the_model(client, scorer):
    assert client.get("/health").json() == {"status": "ok", "model_version": scorer.model_version}


def test_the_api_documents_every_feature_with_its_unit(client):
    properties = client.get("/openapi.json").json()["components"]["schemas"]["CustomerFeatures"]["properties"]
    assert list(properties) == list(FEATURE_NAMES)
    for name, described in properties.items():
        assert described["description"], name
        assert described["unit"], name
        assert described["examples"], name


def test_risk_bands_cover_every_probability():
    assert [band for _, band in RISK_BANDS] == ["high", "medium", "low"]
    assert (risk_band(1.0), risk_band(0.7), risk_band(0.699), risk_band(0.4), risk_band(0.0)) == (
        "high", "high", "medium", "medium", "low",
    )  # fmt: skip


def test_a_file_that_is_no_model_is_refused_by_name(tmp_path):
    file = tmp_path / "model.onnx"
    file.write_bytes(b"not a model")
    with pytest.raises(ModelRefused, match=r"model\.onnx is not a churn model"):
        Scorer.load(file)
    with pytest.raises(ModelRefused, match="missing"):
        Scorer.load(tmp_path / "missing.onnx")


def test_a_model_for_other_features_is_refused_with_the_difference(monkeypatch):
    champion = ModelRegistry(str(SHIPPED_MODELS), SHIPPED_MODELS).champion()
    monkeypatch.setattr("functions.churn_api.scorer.FEATURE_NAMES", (*FEATURE_NAMES[1:], "shoe_size"))
    with pytest.raises(ModelRefused, match=r"only the model has: \['recency_days'\].*\['shoe_size'\]"):
        Scorer.load(champion.content)


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


def test_serving_needs_no_scikit_learn_and_no_shap():
    code = "import sys, functions.churn_api.app; sys.exit(any(m in sys.modules for m in ('sklearn', 'shap', 'scipy')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0
