"""Calls of AWS's services over the standard library.

No SDK is used, because importing one takes longer than the rest of a cold start.
"""

import http.client
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from functions.aws_signing import AwsRefused, Credentials, find_credentials, signature

PAUSES_SECONDS = (0.1, 0.4)  # before the second try and the third
NO_TRY_AFTER_SECONDS = 3.0
BUSY = ("Throttl", "TooManyRequests", "SlowDown", "RequestLimitExceeded", "LimitExceededException")
EXPIRED = ("ExpiredToken", "RequestExpired")


class AwsNotFound(AwsRefused):
    """What was asked for is not there."""


@dataclass
class AwsEndpoint:
    """A service's endpoint, over a connection that stays open. Not to be shared between threads."""

    service: str
    region: str
    endpoint: str
    clock: Callable[[], datetime]
    timeout_seconds: float = 2.0
    sleep: Callable[[float], None] = time.sleep
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)
    _was_used: bool = False
    _credentials: Credentials | None = field(default=None, repr=False)

    def send(self, action: str, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
        """The body of the response of status 200; `action` is for messages. What may pass, as an error of the service
        or the network, or too many requests, is tried again after a pause.

        Raises:
            AwsNotFound: for 404.
            AwsRefused: naming the action, the service and its message.
        """
        started, problem = time.monotonic(), ""
        for pause in (*PAUSES_SECONDS, None):
            try:
                status, response = self._exchange(method, path, headers, body)
            except AwsRefused as error:
                problem = str(error)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                problem = f"{type(error).__name__}: {error}"
            else:
                if status == 200:
                    return response
                problem = f"{status} {_error_in(response)}"
                if any(word in problem for word in EXPIRED):
                    self._credentials = None
                elif status == 404:
                    raise AwsNotFound(self.failed(action, problem))
                elif status < 500 and status != 429 and not any(word in problem for word in BUSY):
                    break
            if pause is None or time.monotonic() - started + pause > NO_TRY_AFTER_SECONDS:
                break
            self.sleep(pause)
        raise AwsRefused(self.failed(action, problem))

    def failed(self, action: str, problem: str) -> str:
        """What a message says of a call that failed."""
        return f"{action} of {self.service} at {self.endpoint} failed: {problem}"

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        place = urlsplit(self.endpoint)
        sent = {**headers, "host": place.netloc}
        sent |= signature(sent, body, self.service, self.region, self._signs_with(), self.clock(), method, path)
        while True:
            if self._connection is None:
                kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
                self._connection, self._was_used = kind(place.netloc, timeout=self.timeout_seconds), False
            try:
                self._connection.request(method, path, body, sent)
                response = self._connection.getresponse()
            except ConnectionError:
                if not self._was_used:
                    raise
                self.close()  # AWS closes what was idle for a while: that is no answer, and no try
                continue
            self._was_used = True
            return response.status, response.read()

    def close(self) -> None:
        """Closes the connection; the next call opens another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _signs_with(self) -> Credentials:
        known = self._credentials
        if known is None or (known.expires_at and known.expires_at - self.clock() < timedelta(minutes=5)):
            try:
                self._credentials = known = find_credentials(os.environ)
            except AwsRefused:
                if known is None or (known.expires_at and known.expires_at <= self.clock()):
                    raise
        return known


@dataclass
class AwsService:
    """A service that is called by actions in JSON, such as SendMessage."""

    at: AwsEndpoint
    target: str
    json_version: str

    def call(self, action: str, **arguments: Any) -> dict[str, Any]:
        """The response to an action.

        Raises:
            AwsRefused: naming the action, the service and its message.
        """
        headers = {
            "content-type": f"application/x-amz-json-{self.json_version}",
            "x-amz-target": f"{self.target}.{action}",
        }
        response = self.at.send(action, "POST", "/", headers, json.dumps(arguments).encode())
        try:
            answer = json.loads(response or b"{}")
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise AwsRefused(self.at.failed(action, "200, and no JSON object"))
        return answer

    def close(self) -> None:
        """Closes the connection; the next call opens another one."""
        self.at.close()


def sqs(queue_url: str, region: str, clock: Callable[[], datetime]) -> AwsService:
    """SQS, where the queue is."""
    place = urlsplit(queue_url)
    return AwsService(AwsEndpoint("sqs", region, f"{place.scheme}://{place.netloc}", clock), "AmazonSQS", "1.0")


def secrets_manager(region: str, clock: Callable[[], datetime]) -> AwsService:
    """Secrets Manager, or what AWS_ENDPOINT_URL_SECRETS_MANAGER names instead."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_SECRETS_MANAGER") or f"https://secretsmanager.{region}.amazonaws.com"
    return AwsService(AwsEndpoint("secretsmanager", region, endpoint, clock), "secretsmanager", "1.1")


def secret_text(secret: str, region: str, clock: Callable[[], datetime]) -> str:
    """The current text of a secret, by its name or ARN.

    Raises:
        AwsRefused: when it cannot be read.
    """
    with closing(secrets_manager(region, clock)) as service:
        text = service.call("GetSecretValue", SecretId=secret).get("SecretString")
    if not isinstance(text, str):
        raise AwsRefused("GetSecretValue of secretsmanager has answered without a text: the secret may be binary.")
    return text


def _error_in(response: bytes) -> str:
    try:
        error = json.loads(response)
        kind = str(error.get("__type", "")).rsplit("#", 1)[-1]
        return f"{kind} {error.get('message') or error.get('Message') or ''}".strip()
    except (ValueError, AttributeError):
        text = response[:2_000].decode("utf-8", "replace")
        parts = re.findall(r"<(?:Code|Message)>(.*?)</", text, re.DOTALL)  # S3 answers in XML, with our key's id in it
        return " ".join(parts) if parts else text[:200]
