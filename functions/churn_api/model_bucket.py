"""The model store in an S3 bucket, read without an SDK."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote, urlsplit

from functions.aws import AwsEndpoint, AwsNotFound
from functions.aws_signing import AwsRefused

_OF_NOTHING = sha256(b"").hexdigest()


@dataclass(frozen=True)
class ModelBucket:
    """Fulfils `champion.Models`; `path` is that of the store in the bucket, with the bucket where the endpoint has no
    name of the bucket's own."""

    location: str
    at: AwsEndpoint
    path: str

    def read(self, name: str) -> bytes:
        headers = {"x-amz-content-sha256": _OF_NOTHING}
        try:
            return self.at.send(f"GetObject {name}", "GET", quote(f"{self.path}/{name}"), headers)
        except AwsNotFound as problem:
            raise FileNotFoundError(str(problem)) from problem
        except AwsRefused as problem:
            raise ConnectionError(str(problem)) from problem


def model_bucket(location: str, region: str, endpoint: str, clock: Callable[[], datetime]) -> ModelBucket:
    """The store at s3://bucket/prefix. `endpoint`: instead of AWS's own, of a service like S3; may be empty."""
    place = urlsplit(location)
    prefix = place.path.rstrip("/")
    if endpoint:
        return ModelBucket(location, AwsEndpoint("s3", region, endpoint, clock), f"/{place.netloc}{prefix}")
    own = f"https://{place.netloc}.s3.{region}.amazonaws.com"
    return ModelBucket(location, AwsEndpoint("s3", region, own, clock), prefix)
