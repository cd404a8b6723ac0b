"""The API's settings, read once from the environment, and the objects they configure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from functions.aws import AwsService, secret_text, sqs
from functions.churn_api.access import Access, ApiKeys, read_keys
from functions.churn_api.model_bucket import ModelBucket, model_bucket
from functions.clock import now


class SettingsRefused(Exception):
    """An invalid setting; the message names it and a valid value."""


@dataclass(frozen=True)
class ApiSettings:
    """An environment variable in capitals each.

    queue_url: the SQS queue for predictions. Required on Lambda; the laptop has a queue of its own.
    when_not_stored: `answer` with a mark that it was not stored, or `refuse` with 503.
    api_keys: a JSON object of holders and keys; api_keys_secret: the name or ARN of a secret with the same.
    trusted_role_arns: IAM roles, separated by commas, that may call /snowflake, verified by a gateway.
    base_path: where the API is mounted, such as /churn behind a proxy.
    shop_time_zone: time zone of order histories without an offset, and of "today".
    models: on Lambda, the model store whose champion is served, as s3://bucket/prefix; empty: the package's model.
    """

    queue_url: str = ""
    when_not_stored: str = "answer"
    api_keys: str = ""
    api_keys_secret: str = ""
    trusted_role_arns: str = ""
    shop_time_zone: str = "UTC"
    models: str = ""
    aws_region: str = ""
    base_path: str = ""
    aws_endpoint_url_s3: str = ""
    log_level: str = "INFO"

    @classmethod
    def read(cls, environment: Mapping[str, str], **defaults: str) -> "ApiSettings":
        """The settings of an environment.

        Raises:
            SettingsRefused: naming the variable.
        """
        names = cls.__dataclass_fields__
        given = {name: environment[name.upper()] for name in names if environment.get(name.upper())}
        settings = cls(**(defaults | given))
        if settings.when_not_stored not in ("answer", "refuse"):
            raise SettingsRefused(f"WHEN_NOT_STORED={settings.when_not_stored}: write answer or refuse.")
        if settings.log_level.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise SettingsRefused(f"LOG_LEVEL={settings.log_level}: write DEBUG, INFO, WARNING or ERROR.")
        if not re.fullmatch(r"(/[\w.~-]+)*", settings.base_path, re.ASCII):
            raise SettingsRefused(f"BASE_PATH={settings.base_path}: write a path such as /churn.")
        if settings.api_keys and settings.api_keys_secret:
            raise SettingsRefused("Both API_KEYS and API_KEYS_SECRET are set: keep one of them.")
        return settings

    @property
    def time_zone(self) -> ZoneInfo:
        """The shop's."""
        try:
            return ZoneInfo(self.shop_time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise SettingsRefused(f"SHOP_TIME_ZONE={self.shop_time_zone}: write one like Europe/Paris.") from None

    def access(self, *, on_loopback: bool) -> Access:
        """The access control of the API.

        Raises:
            SettingsRefused: when there are no keys although the server is not on the loopback interface only.
            KeysRefused: when the keys of API_KEYS are invalid.
        """
        given = (role.strip() for role in self.trusted_role_arns.split(","))
        roles = frozenset(re.sub(":role/.*/", ":role/", role) for role in given if role)  # a session's ARN has no path
        if self.api_keys:
            read_keys(self.api_keys)
            return Access(ApiKeys(lambda: self.api_keys), roles)
        if self.api_keys_secret:
            return Access(ApiKeys(lambda: secret_text(self.api_keys_secret, self.aws_region, now)), roles)
        if on_loopback:
            return Access(None)
        raise SettingsRefused(
            "There are no API keys: set API_KEYS or API_KEYS_SECRET. Only a server on 127.0.0.1 needs none."
        )

    def model_bucket(self) -> ModelBucket | None:
        """The model store; None where none is set.

        Raises:
            SettingsRefused: when it is not in a bucket.
        """
        if not self.models:
            return None
        if not re.fullmatch(r"s3://[a-z0-9][a-z0-9-]+[a-z0-9](/[^?]*)?", self.models):
            raise SettingsRefused(f"MODELS={self.models}: write the model store as s3://bucket/prefix.")
        return model_bucket(self.models, self.aws_region, self.aws_endpoint_url_s3, now)

    def sqs(self) -> AwsService:
        """The client of the queue.

        Raises:
            SettingsRefused: when no queue is set.
        """
        if not self.queue_url.startswith(("http://", "https://")):
            raise SettingsRefused(f"QUEUE_URL={self.queue_url}: write the URL of the SQS queue for predictions.")
        return sqs(self.queue_url, self.aws_region, now)
