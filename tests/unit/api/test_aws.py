"""Calls of AWS as botocore signs them, and as moto's server answers them."""

import socket
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import boto3
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from functions import aws
from functions.aws import AwsEndpoint, AwsService, secret_text
from functions.aws_signing import AwsRefused, Credentials, find_credentials, signature
from functions.churn_api.model_bucket import model_bucket
from functions.churn_api.predictor import NotStored
from functions.churn_api.sqs_queue import SqsQueue
from functions.clock import now
from tests.running.http_server import answering

EMPTY = sha256(b"").hexdigest()
texts = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


@given(key=texts, secret=texts, token=st.none() | texts, body=st.binary(max_size=200), target=texts)
def test_a_request_is_signed_as_botocore_signs_it(key, secret, token, body, target):
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "host": "sqs.eu-central-1.amazonaws.com",
        "x-amz-target": target,
    }
    request = AWSRequest("POST", "https://sqs.eu-central-1.amazonaws.com/", data=body, headers=dict(headers))
    SigV4Auth(BotoCredentials(key, secret, token), "sqs", "eu-central-1").add_auth(request)
    at = datetime.strptime(request.context["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ours = signature(headers, body, "sqs", "eu-central-1", Credentials(key, secret, token), at)
    assert ours["authorization"] == request.headers["Authorization"]


@pytest.fixture
def queue_url(aws_server):
    sqs = boto3.client("sqs", endpoint_url=aws_server)
    return sqs.create_queue(QueueName="predictions")["QueueUrl"]


def test_a_message_goes_to_a_queue_and_comes_back(aws_server, queue_url):
    with closing(aws.sqs(queue_url, "eu-central-1", now)) as sqs:
        sqs.call("SendMessage", QueueUrl=queue_url, MessageBody="héllo")
        (message,) = sqs.call("ReceiveMessage", QueueUrl=queue_url)["Messages"]
        assert message["Body"] == "héllo"
        assert sqs.call("DeleteMessage", QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"]) == {}


def test_a_secret_is_read_by_its_name(aws_server, monkeypatch):
    boto3.client("secretsmanager", endpoint_url=aws_server).create_secret(Name="keys", SecretString="open")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", aws_server)
    assert secret_text("keys", "eu-central-1", now) == "open"
    with pytest.raises(AwsRefused, match=r"GetSecretValue of secretsmanager .*ResourceNotFoundException"):
        secret_text("nothing", "eu-central-1", now)


def test_an_error_names_the_action_and_the_response_but_not_what_was_sent(aws_server, queue_url):
    with closing(aws.sqs(queue_url, "eu-central-1", now)) as sqs, pytest.raises(AwsRefused) as refused:
        sqs.call("SendMessage", QueueUrl=f"{queue_url}-not", MessageBody="anna@x")
    assert "SendMessage of sqs" in str(refused.value)
    assert "QueueDoesNotExist" in str(refused.value)
    assert "anna" not in str(refused.value)
    assert "testing" not in str(refused.value)  # the secret key of the tests


GOOD = (200, b'{"MessageId": "1"}')


class Server:
    """Answers with what is in `script`, one entry a request: a status and a body, or None to hang up."""

    def __init__(self, *script):
        self.script, self.calls = list(script), 0

    def __enter__(self):
        self.running = answering(self._next)
        self.url = self.running.__enter__()
        return self

    def __exit__(self, *problem):
        self.running.__exit__(*problem)

    def _next(self, *_):
        self.calls += 1
        return self.script.pop(0)


def service(url, **settings):
    settings = {"sleep": lambda _: None} | settings
    return closing(AwsService(AwsEndpoint("sqs", "eu-central-1", url, now, **settings), "AmazonSQS", "1.0"))


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.mark.parametrize(
    "first",
    [
        None, (500, b"oops"), (503, b"{}"), (503, b"<Error><Code>SlowDown</Code></Error>"), (429, b""), (429, b"[]"),
        (400, b'{"__type": "com.amazonaws.sqs#RequestThrottled"}'), (403, b'{"__type": "ExpiredTokenException"}'),
    ],
)  # fmt: skip
def test_what_may_pass_is_tried_again_after_a_pause(first):
    pauses = []
    with Server(first, first, GOOD) as server, service(server.url, sleep=pauses.append) as sqs:
        assert sqs.call("SendMessage") == {"MessageId": "1"}
    assert pauses == [0.1, 0.4]


def test_a_connection_that_was_closed_while_idle_is_no_try():
    with Server(GOOD, None, (503, b""), (503, b""), GOOD) as server, service(server.url) as sqs:
        sqs.call("SendMessage")
        assert sqs.call("SendMessage") == {"MessageId": "1"}
        assert server.calls == 5


def test_what_never_passes_is_given_up_after_three_tries():
    with Server(*[(503, b"busy")] * 3) as server, service(server.url) as sqs:
        with pytest.raises(AwsRefused, match="503 busy"):
            sqs.call("SendMessage")
        assert server.calls == 3


@pytest.mark.parametrize("body", [b"<html>sign in</html>", b"[]", b"7", b'{"MessageId"', b"{}", b"", b"\xff"])
def test_a_response_that_confirms_nothing_stores_nothing(body):
    """Such as that of a proxy in between."""
    with (
        Server((200, body)) as server,
        service(server.url) as sqs,
        pytest.raises(NotStored, match=r"SendMessage.* 200"),
    ):
        SqsQueue(sqs, f"{server.url}/1/predictions").put("api", now(), [b"[{}]"])


def test_an_error_in_xml_is_told_without_the_id_of_the_key_in_it():
    error = b"<Error><Code>InvalidAccessKeyId</Code><Message>no</Message><AWSAccessKeyId>AKIA1</AWSAccessKeyId></Error>"
    refused = pytest.raises(AwsRefused, match=r"failed: 403 InvalidAccessKeyId no$")
    with Server((403, error)) as server, service(server.url) as sqs, refused:
        sqs.call("SendMessage")


def test_what_would_fail_again_is_not_tried_again():
    with Server((403, b'{"__type": "AccessDenied", "message": "no"}')) as server, service(server.url) as sqs:
        with pytest.raises(AwsRefused, match="403 AccessDenied no"):
            sqs.call("SendMessage")
        assert server.calls == 1


def test_a_service_that_never_answers_is_given_up():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with service(url, timeout_seconds=0.05) as sqs, pytest.raises(AwsRefused, match="TimeoutError"):
            sqs.call("SendMessage")


def test_a_service_that_is_not_there_is_named():
    refused = pytest.raises(AwsRefused, match=r"sqs at http://127\.0\.0\.1:9 failed: ConnectionRefusedError")
    with service("http://127.0.0.1:9") as sqs, refused:
        sqs.call("SendMessage")


def test_credentials_of_a_container_are_asked_for_and_kept_until_they_expire(monkeypatch):
    given_out = []

    def give_out(headers, _):
        given_out.append(headers["authorization"])
        until = (now() + timedelta(hours=1)).isoformat()
        return 200, f'{{"AccessKeyId":"a","SecretAccessKey":"b","Token":"c","Expiration":"{until}"}}'.encode()

    with answering(give_out) as url:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/v1")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "token")
        with Server((200, b"{}"), (200, b"{}")) as server, service(server.url) as sqs:
            sqs.call("SendMessage")
            sqs.call("SendMessage")
        assert given_out == ["token"]


@pytest.fixture
def in_a_container(monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/v1")


def given_out(seconds):
    until = (now() + timedelta(seconds=seconds)).isoformat()
    return 200, f'{{"AccessKeyId":"a","SecretAccessKey":"b","Token":"c","Expiration":"{until}"}}'.encode()


@pytest.mark.usefixtures("in_a_container")
def test_credentials_that_nobody_gives_out_are_a_refusal():
    with Server() as server, service(server.url) as sqs, pytest.raises(AwsRefused, match=r"credentials at .* refused"):
        sqs.call("SendMessage")


@pytest.mark.usefixtures("in_a_container")
@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>"), (200, b"[]"), (200, b"{}"), (200, b"null"), (500, b"secret"), None,
        (200, b'{"Expiration": "soon"}'),
        (200, b'{"AccessKeyId":"a","SecretAccessKey":"b","Expiration":"2026-01-01T00:00:00"}'),
    ],
)  # fmt: skip
def test_garbled_credentials_are_asked_for_again_and_then_a_refusal_that_quotes_none(monkeypatch, answer):
    with Server(answer, answer, answer) as source, Server() as server, service(server.url) as sqs:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{source.url}/v1")
        with pytest.raises(AwsRefused, match=r"credentials at \S+ cannot be read") as refused:
            sqs.call("SendMessage")
        assert source.calls == 3
    assert "secret" not in str(refused.value)


@pytest.mark.usefixtures("in_a_container")
def test_credentials_that_cannot_be_renewed_are_used_until_they_expire(monkeypatch):
    with Server(given_out(60), None) as source, Server(GOOD, GOOD) as server, service(server.url) as sqs:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{source.url}/v1")
        sqs.call("SendMessage")
        sqs.call("SendMessage")
        assert source.calls == 2


@pytest.mark.usefixtures("in_a_container")
def test_expired_credentials_are_asked_for_again(monkeypatch):
    expired = (400, b'{"__type": "com.amazon.coral.service#ExpiredTokenException"}')
    with (
        Server(given_out(3600), given_out(3600)) as source,
        Server(expired, GOOD) as server,
        service(server.url) as sqs,
    ):
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{source.url}/v1")
        assert sqs.call("SendMessage") == {"MessageId": "1"}
        assert source.calls == 2


def test_a_token_in_a_file_is_shown_for_credentials(tmp_path):
    shown = []
    (tmp_path / "token").write_text("from a file\n")

    def give(headers, _):
        shown.append(headers["authorization"])
        return given_out(3600)

    with answering(give) as url:
        find_credentials(
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/v1?of=pod",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
            }
        )
    assert shown == ["from a file"]


def test_a_secret_without_a_text_is_refused(monkeypatch):
    with Server((200, b'{"SecretBinary": "AA=="}')) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", server.url)
        with pytest.raises(AwsRefused, match="without a text"):
            secret_text("keys", "eu-central-1", now)


@given(key=texts, secret=texts, token=st.none() | texts, name=st.text("aZ09-_.~/ +é", min_size=1, max_size=20))
def test_reading_a_file_is_signed_as_botocore_signs_it(key, secret, token, name):
    from urllib.parse import quote

    path, sent = quote(f"/models/{name}"), {"host": "b.s3.eu-central-1.amazonaws.com", "x-amz-content-sha256": EMPTY}
    request = AWSRequest("GET", f"https://b.s3.eu-central-1.amazonaws.com{path}", headers=dict(sent))
    S3SigV4Auth(BotoCredentials(key, secret, token), "s3", "eu-central-1").add_auth(request)
    at = datetime.strptime(request.context["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    credentials = Credentials(key, secret, token)
    sent["x-amz-content-sha256"] = request.headers["X-Amz-Content-SHA256"]
    ours = signature(sent, b"", "s3", "eu-central-1", credentials, at, "GET", path)
    assert ours["authorization"] == request.headers["Authorization"]


def test_a_model_store_is_read_from_its_bucket(aws_server):
    s3 = boto3.client("s3", endpoint_url=aws_server)
    s3.create_bucket(Bucket="shop-models", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="shop-models", Key="models/champion.json", Body=b"{}")
    bucket = model_bucket("s3://shop-models/models/", "eu-central-1", aws_server, now)
    assert bucket.read("champion.json") == b"{}"
    with pytest.raises(FileNotFoundError, match="404 NoSuchKey"):
        bucket.read("m-1/model.onnx")
    with pytest.raises(ConnectionError, match=r"GetObject champion\.json of s3 at http://127\.0\.0\.1:9"):
        model_bucket("s3://shop-models/models", "eu-central-1", "http://127.0.0.1:9", now).read("champion.json")


def test_without_credentials_it_says_what_to_set():
    with pytest.raises(AwsRefused, match="set AWS_ACCESS_KEY_ID"):
        find_credentials({})
