"""Calls of AWS's JSON services over the standard library.

No SDK is used, because importing one takes longer than the rest of a cold start.
"""

import hashlib
import hmac
import http.client
import json
import os
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

TRIES = 2


class AwsRefused(Exception):
    """A call that AWS did not answer, or answered with an error."""


@dataclass(frozen=True)
class Credentials:
    access_key_id: str
    secret_access_key: str
    session_token: str | None = None
    expires_at: datetime | None = None


@dataclass
class AwsService:
    """One service at one endpoint, over a connection that stays open. Not to be shared between threads."""

    name: str
    target: str
    json_version: str
    region: str
    endpoint: str
    clock: Callable[[], datetime]
    timeout_seconds: float = 2.0
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)
    _credentials: Credentials | None = field(default=None, repr=False)

    def call(self, action: str, **arguments: Any) -> dict[str, Any]:
        """The response to an action such as SendMessage, or an error after two attempts.

        Raises:
            AwsRefused: naming the action, the service and its message. Never with a secret or the arguments.
        """
        problem = "no try"
        for _ in range(TRIES):
            try:
                status, response = self._post(action, json.dumps(arguments).encode())
            except (OSError, http.client.HTTPException) as error:
                self.close()
                problem = f"{type(error).__name__}: {error}"
                continue
            if status == 200:
                return dict(json.loads(response or b"{}"))
            problem = f"{status} {_error_in(response)}"
            if status < 500 and "Throttl" not in problem and "TooManyRequests" not in problem:
                break
        raise AwsRefused(f"{action} of {self.name} at {self.endpoint} failed: {problem}")

    def _post(self, action: str, body: bytes) -> tuple[int, bytes]:
        place = urlsplit(self.endpoint)
        if self._connection is None:
            kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
            self._connection = kind(place.netloc, timeout=self.timeout_seconds)
        headers = {
            "content-type": f"application/x-amz-json-{self.json_version}",
            "host": place.netloc,
            "x-amz-target": f"{self.target}.{action}",
        }
        headers |= signature(headers, body, self.name, self.region, self._signs_with(), self.clock())
        self._connection.request("POST", "/", body, headers)
        response = self._connection.getresponse()
        return response.status, response.read()

    def close(self) -> None:
        """Closes the connection; the next call opens another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _signs_with(self) -> Credentials:
        known = self._credentials
        if known is None or (known.expires_at and known.expires_at - self.clock() < timedelta(minutes=5)):
            self._credentials = known = find_credentials(os.environ)
        return known


def find_credentials(environment: Mapping[str, str]) -> Credentials:
    """The credentials of this process: from its environment, or from the endpoint of SnapStart functions and
    containers.

    Raises:
        AwsRefused: when there are none.
    """
    if "AWS_ACCESS_KEY_ID" in environment:
        token = environment.get("AWS_SESSION_TOKEN")
        return Credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], token)
    if "AWS_CONTAINER_CREDENTIALS_FULL_URI" in environment:
        place = urlsplit(environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
        connection = http.client.HTTPConnection(place.netloc, timeout=2)
        try:
            token = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
            connection.request("GET", place.path, headers={"authorization": token} if token else {})
            given = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return Credentials(
            given["AccessKeyId"],
            given["SecretAccessKey"],
            given.get("Token"),
            datetime.fromisoformat(given["Expiration"]),
        )
    raise AwsRefused("There are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give a role.")


def signature(
    headers: Mapping[str, str], body: bytes, service: str, region: str, credentials: Credentials, at: datetime
) -> dict[str, str]:
    """The headers that sign a POST to `/` with these lower-case headers: AWS Signature Version 4."""
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    added = {"x-amz-date": stamp}
    if credentials.session_token:
        added["x-amz-security-token"] = credentials.session_token
    signed = dict(sorted({**headers, **added}.items()))
    names = ";".join(signed)
    listed = "".join(f"{name}:{value}\n" for name, value in signed.items())
    request = f"POST\n/\n\n{listed}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.digest(key, part.encode(), "sha256")
    grant = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key_id}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
    )
    return {**added, "authorization": grant}


def sqs(queue_url: str, region: str, clock: Callable[[], datetime]) -> AwsService:
    """SQS, where the queue is."""
    place = urlsplit(queue_url)
    return AwsService("sqs", "AmazonSQS", "1.0", region, f"{place.scheme}://{place.netloc}", clock)


def secrets_manager(region: str, clock: Callable[[], datetime]) -> AwsService:
    """Secrets Manager, or what AWS_ENDPOINT_URL_SECRETS_MANAGER names instead."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_SECRETS_MANAGER") or f"https://secretsmanager.{region}.amazonaws.com"
    return AwsService("secretsmanager", "secretsmanager", "1.1", region, endpoint, clock)


def secret_text(secret: str, region: str, clock: Callable[[], datetime]) -> str:
    """The current text of a secret, by its name or ARN.

    Raises:
        AwsRefused: when it cannot be read.
    """
    with closing(secrets_manager(region, clock)) as service:
        return str(service.call("GetSecretValue", SecretId=secret)["SecretString"])


def _error_in(response: bytes) -> str:
    try:
        error = json.loads(response)
        kind = str(error.get("__type", "")).rsplit("#", 1)[-1]
        return f"{kind} {error.get('message') or error.get('Message') or ''}".strip()
    except ValueError:
        return response[:200].decode("utf-8", "replace")
