"""Who calls AWS, and the signature that proves it."""

import hashlib
import hmac
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

CONTAINERS = "http://169.254.170.2"  # where ECS gives out credentials


class AwsRefused(Exception):
    """A call that AWS did not answer, or answered with an error. The message has no secret and no argument in it."""


@dataclass(frozen=True)
class Credentials:
    access_key_id: str
    secret_access_key: str
    session_token: str | None = None
    expires_at: datetime | None = None


def find_credentials(environment: Mapping[str, str]) -> Credentials:
    """The credentials of this process: from its environment, or from the endpoint of SnapStart functions and
    containers.

    Raises:
        AwsRefused: when there are none, or none that can be read.
    """
    key, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if key and secret:
        return Credentials(key, secret, environment.get("AWS_SESSION_TOKEN") or None)
    url = environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
    if relative := environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        url = CONTAINERS + relative
    if url:
        try:
            return _given_out(url, environment)
        except (OSError, http.client.HTTPException, LookupError, TypeError, ValueError) as problem:
            # a KeyError or ValueError could quote what the endpoint sent
            why = str(problem) if isinstance(problem, OSError) else "no credentials in its answer"
            raise AwsRefused(f"AWS credentials at {url} cannot be read: {type(problem).__name__}, {why}") from None
    raise AwsRefused("There are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give a role.")


def _given_out(url: str, environment: Mapping[str, str]) -> Credentials:
    place = urlsplit(url)
    token = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    if file := environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
        token = Path(file).read_text(encoding="utf-8").strip()
    connection = http.client.HTTPConnection(place.netloc, timeout=2)
    try:
        path = f"{place.path or '/'}?{place.query}" if place.query else place.path or "/"
        connection.request("GET", path, headers={"authorization": token} if token else {})
        given = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    until = datetime.fromisoformat(given["Expiration"])
    if until.tzinfo is None:
        raise ValueError("the expiration has no time zone")
    return Credentials(str(given["AccessKeyId"]), str(given["SecretAccessKey"]), given.get("Token"), until)


def signature(
    headers: Mapping[str, str],
    body: bytes,
    service: str,
    region: str,
    credentials: Credentials,
    at: datetime,
    method: str = "POST",
    path: str = "/",
) -> dict[str, str]:
    """The headers that sign a request with these lower-case headers: AWS Signature Version 4. `path` is encoded."""
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    added = {"x-amz-date": stamp}
    if credentials.session_token:
        added["x-amz-security-token"] = credentials.session_token
    signed = dict(sorted({**headers, **added}.items()))
    names = ";".join(signed)
    listed = "".join(f"{name}:{value}\n" for name, value in signed.items())
    request = f"{method}\n{path}\n\n{listed}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.digest(key, part.encode(), "sha256")
    grant = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key_id}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
    )
    return {**added, "authorization": grant}
