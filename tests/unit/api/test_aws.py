"""Calls of AWS as botocore signs them, and as moto's server answers them."""

import socket
from contextlib import closing
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from functions import aws
from functions.aws import AwsRefused, AwsService, Credentials, find_credentials, secret_text, signature
from functions.clock import now
from tests.running.http_server import answering

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
    return closing(AwsService("sqs", "AmazonSQS", "1.0", "eu-central-1", url, now, **settings))


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.mark.parametrize(
    "first", [None, (500, b"oops"), (503, b"{}"), (400, b'{"__type": "com.amazonaws.sqs#RequestThrottled"}')]
)
def test_what_may_pass_is_tried_again(first):
    with Server(first, (200, b'{"MessageId": "1"}')) as server, service(server.url) as sqs:
        assert sqs.call("SendMessage") == {"MessageId": "1"}


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


def test_without_credentials_it_says_what_to_set():
    with pytest.raises(AwsRefused, match="set AWS_ACCESS_KEY_ID"):
        find_credentials({})
