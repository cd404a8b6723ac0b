"""The packaged zips, run by Lambda's own runtime client."""

import gzip
import json
import shutil
import socket
import sys
import time
import zipfile

import boto3
import pytest

from flows.adapters.models.lambda_package import build_package
from flows.adapters.models.registry import ModelRegistry
from flows.settings import SHIPPED_MODELS
from functions.churn_api.external_function import BATCH_ID_HEADER
from functions.prediction_sink.message_reader import read_message
from tests.running.serving import EXAMPLE, ORDERS, customer, renamed_model
from tests.stand_ins.lambda_runtime import (
    ARCHITECTURE,
    Sandbox,
    http_api_event,
    install_runtime_client,
    lambda_python,
    rest_api_event,
    unpack,
)

pytestmark = [
    pytest.mark.whole_run,
    pytest.mark.skipif(sys.platform != "linux", reason="Lambda's runtime client installs on Linux only"),
]

KEY = "k" * 32
HANDLER = "functions.churn_api.lambda_handler.handler"


@pytest.fixture(scope="module")
def model():
    return ModelRegistry(str(SHIPPED_MODELS), SHIPPED_MODELS).champion()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """(python, its version, the runtime client's folder, a folder)."""
    folder = tmp_path_factory.mktemp("lambda")
    python, version = lambda_python()
    return python, version, install_runtime_client(folder / "runtime", version), folder


@pytest.fixture(scope="module")
def package(place, model):
    python, version, _, folder = place
    return build_package("churn_api", ARCHITECTURE, model, folder / "dist", python, version)


@pytest.fixture(scope="module")
def task(place, package):
    return unpack(package.file, place[3] / "task")


@pytest.fixture(scope="module")
def sink(place, model):
    python, version, _, folder = place
    return unpack(
        build_package("prediction_sink", ARCHITECTURE, model, folder / "dist", python, version).file, folder / "sink"
    )


@pytest.fixture
def queue_url(aws_server):
    return boto3.client("sqs", endpoint_url=aws_server).create_queue(QueueName="predictions")["QueueUrl"]


@pytest.fixture
def settings(queue_url):
    return {
        "QUEUE_URL": queue_url,
        "API_KEYS": json.dumps({"shop": KEY}),
        "TRUSTED_ROLE_ARNS": "arn:aws:iam::123456789012:role/snowflake",
        "SHOP_TIME_ZONE": "Europe/Paris",
    }


def sandbox(place, task, settings, handler=HANDLER):
    python, _, runtime, _ = place
    return Sandbox(python, runtime, task, handler, settings)


def messages(aws_server, queue_url):
    got = boto3.client("sqs", endpoint_url=aws_server).receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
    return [message["Body"] for message in got.get("Messages", [])]


def test_a_sandbox_answers_every_kind_of_event_and_stores_its_predictions(place, task, settings, aws_server, queue_url):
    key = {"x-api-key": KEY}
    with sandbox(place, task, settings) as function:

        def ask(event):
            response = function.invoke(event)
            assert response.kind == "response", response
            return response.answer["statusCode"], json.loads(response.answer["body"])

        status, (by_http_api,) = ask(http_api_event("POST", "/predict", customer("anna@example.com"), key))
        assert (status, by_http_api["stored"]) == (200, True)
        assert ask(rest_api_event("POST", "/predict", customer("anna@example.com"), key)) == (200, [by_http_api])
        assert ask(http_api_event("POST", "/predict", customer("anna@example.com"), key, encoded=True)) == (
            200,
            [by_http_api],
        )
        history = {"customer_id": "C1", "as_of": "2026-06-30", "orders": ORDERS}
        assert ask(http_api_event("POST", "/predict", history, key))[0] == 200

        batch = {"data": [[0, EXAMPLE | {"customer_id": "C7"}], [1, None]]}
        sent = {BATCH_ID_HEADER: "q-1", "Content-Encoding": "gzip"}
        compressed = gzip.compress(json.dumps(batch).encode())
        status, response = ask(rest_api_event("POST", "/snowflake", headers=sent, role="snowflake", encoded=compressed))
        assert status == 200
        (_, scored), (_, refused) = response["data"]
        assert scored["churn_probability"] == by_http_api["churn_probability"]
        assert "send an object" in refused["error"]

        assert ask(http_api_event("GET", "/health"))[1]["status"] == "ok"
        assert ask(http_api_event("POST", "/predict", customer()))[0] == 401
        assert ask(rest_api_event("POST", "/snowflake", batch, role="stranger"))[0] == 401
        status, response = ask(http_api_event("POST", "/predict", customer(recency_days=-1), key))
        assert (status, response["errors"][0]["pointer"]) == (422, "/features/recency_days")

        requests = [line for line in function.lines() if line["message"] == "request"]
        assert [line["cold_start"] for line in requests] == [True, *[False] * 8]
        assert [line["caller"] for line in requests[:5]] == ["shop"] * 4 + ["arn:aws:iam::123456789012:role/snowflake"]
        assert requests[0]["ChurnProbability"] == [by_http_api["churn_probability"]]
        assert (requests[4]["BatchSize"], requests[4]["refused_rows"]) == (1, 1)
        metrics = {metric["Name"] for metric in requests[0]["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
        assert metrics <= requests[0].keys()
        assert "anna" not in function.log()
        assert KEY not in function.log()

    stored = [record for message in messages(aws_server, queue_url) for record in read_message(message)[0]]
    assert {(record.customer_id, record.source) for record in stored} == {
        ("anna@example.com", "api"), ("C1", "api"), ("C7", "external_function"),
    }  # fmt: skip


def test_an_event_that_is_no_request_fails_and_the_next_one_is_answered(place, task, settings):
    with sandbox(place, task, settings) as function:
        assert function.invoke({"surprise": True}).kind == "error"
        assert function.invoke(http_api_event("GET", "/health")).answer["statusCode"] == 200


def test_a_queue_that_never_answers_costs_the_storing_not_the_answer(place, task, settings):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        settings["QUEUE_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}/123456789012/predictions"
        with sandbox(place, task, settings) as function:
            response = function.invoke(http_api_event("POST", "/predict", customer(), {"x-api-key": KEY})).answer
            assert response["statusCode"] == 200
            assert json.loads(response["body"])[0]["stored"] is False
            (line,) = [line for line in function.lines() if line["message"] == "predictions not stored"]
            assert "TimeoutError" in line["problem"]


def test_a_queue_that_is_down_is_a_503_if_so_set(place, task, settings):
    settings |= {"QUEUE_URL": "http://127.0.0.1:9/123456789012/predictions", "WHEN_NOT_STORED": "refuse"}
    with sandbox(place, task, settings) as function:
        response = function.invoke(http_api_event("POST", "/predict", customer(), {"x-api-key": KEY})).answer
        assert (response["statusCode"], "could not be stored" in response["body"]) == (503, True)


def test_keys_come_from_secrets_manager(place, task, settings, aws_server):
    boto3.client("secretsmanager", endpoint_url=aws_server).create_secret(
        Name="churn/api-keys", SecretString=json.dumps({"crm": KEY})
    )
    del settings["API_KEYS"]
    settings |= {"API_KEYS_SECRET": "churn/api-keys", "AWS_ENDPOINT_URL_SECRETS_MANAGER": aws_server}
    with sandbox(place, task, settings) as function:
        for key, status in ((KEY, 200), ("w" * 32, 401)):
            response = function.invoke(http_api_event("POST", "/predict", customer(), {"x-api-key": key}))
            assert response.answer["statusCode"] == status


def test_the_champion_of_the_bucket_is_served_and_followed(place, task, settings, aws_server, tmp_path):
    s3 = boto3.client("s3", endpoint_url=aws_server)
    s3.create_bucket(Bucket="shop-models", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    options = f"endpoint_override={aws_server.removeprefix('http://')}&scheme=http&region=eu-central-1"
    registry = ModelRegistry(f"s3://shop-models/models?{options}", tmp_path)
    for name in "AB":
        registry.save(renamed_model(name), {"model_version": name, "horizon_days": 90}, "")
    registry.promote("A")
    settings |= {"MODELS": "s3://shop-models/models", "AWS_ENDPOINT_URL_S3": aws_server}
    (task / "soon.py").write_text(SOON)

    def served(function):
        response = function.invoke(http_api_event("GET", "/health")).answer
        return json.loads(response["body"])["model_version"]

    with sandbox(place, task, settings, "soon.handler") as function:
        assert served(function) == "A"
        registry.promote("B")
        time.sleep(1.1)
        assert served(function) == "B"
        assert registry.roll_back() == "A"
        time.sleep(1.1)
        assert served(function) == "A"


# the handler, which reads the champion each second instead of each minute
SOON = """
from datetime import timedelta
from functions.churn_api import lambda_handler
lambda_handler.READ_CHAMPION_EVERY = timedelta(seconds=1)
handler = lambda_handler.handler
"""


def test_where_the_bucket_is_out_of_reach_the_model_of_the_package_is_served(place, task, settings, model):
    settings |= {"MODELS": "s3://shop-models/models", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}
    with sandbox(place, task, settings) as function:
        health = json.loads(function.invoke(http_api_event("GET", "/health")).answer["body"])
        assert (health["model_version"], health["champion"]) == (model.version, model.version)
        assert "models cannot be read" in function.log()


@pytest.mark.parametrize(
    ("removed", "why"), [("API_KEYS", "There are no API keys"), ("QUEUE_URL", "write the URL of the SQS queue")]
)
def test_a_function_without_its_settings_does_not_start_and_says_which(place, task, settings, removed, why):
    del settings[removed]
    with sandbox(place, task, settings) as function:
        assert why in function.start_that_fails()["errorMessage"]


def test_a_package_with_a_broken_model_does_not_start_and_says_why(place, task, settings, tmp_path, model):
    broken = tmp_path / "task"
    shutil.copytree(task, broken)
    file = broken / "model_artifacts" / model.version / "model.onnx"
    file.write_bytes(file.read_bytes()[:1000])
    with sandbox(place, broken, settings) as function:
        response = function.start_that_fails()["errorMessage"]
    assert f"{model.version}: what was given is not a churn model" in response


def test_the_same_package_has_the_same_bytes(place, package, model, tmp_path):
    python, version, _, _ = place
    again = build_package("churn_api", ARCHITECTURE, model, tmp_path, python, version)
    assert again.file.read_bytes() == package.file.read_bytes()


def test_a_package_holds_its_group_and_the_model_and_is_small(package, model):
    with zipfile.ZipFile(package.file) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    for foreign in ("flows", "prefect", "dbt", "sklearn", "boto3", "duckdb", "google", "snowflake"):
        assert foreign not in tops
    assert f"model_artifacts/{model.version}/model.onnx" in names
    assert not [name for name in names if name.startswith("functions/prediction_sink")]
    assert package.zipped_bytes < 35e6
    assert package.unpacked_bytes < 100e6


def test_the_packaged_sink_merges_what_the_packaged_api_has_stored(place, task, sink, settings, aws_server, queue_url):
    from tests.integration.api.test_prediction_sink import InSnowflake
    from tests.stand_ins.snowflake_server import key_pair, snowflake_server

    key = key_pair()[0]
    boto3.client("secretsmanager", endpoint_url=aws_server).create_secret(Name="key", SecretString=key)
    with sandbox(place, task, settings) as function:
        function.invoke(http_api_event("POST", "/predict", [customer("A"), customer("B")], {"x-api-key": KEY}))
    (body,) = messages(aws_server, queue_url)

    with snowflake_server() as snowflake:
        mart = InSnowflake(snowflake.settings, key)
        environment = snowflake.settings | {
            "SNOWFLAKE_PRIVATE_KEY_SECRET": "key",
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": aws_server,
        }
        with sandbox(place, sink, environment, "functions.prediction_sink.lambda_handler.handler") as function:
            event = {"Records": [{"messageId": "1", "body": body}, {"messageId": "2", "body": "poison"}]}
            for _ in range(2):
                response = function.invoke(event)
                assert response.answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}, function.log()
            assert key[50:90] not in function.log()
        assert [row[1] for row in mart.rows()] == ["A", "B"]


def test_a_sink_without_its_settings_does_not_start_and_names_them(place, sink):
    with sandbox(place, sink, {}, "functions.prediction_sink.lambda_handler.handler") as function:
        assert "SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER" in function.start_that_fails()["errorMessage"]
