"""Who gets the digest, and how it is sent."""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.errors import SettingsError

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class DigestSettings(BaseSettings):
    """From variables such as DIGEST_TO. Without a receiver nothing is sent."""

    model_config = SettingsConfigDict(env_prefix="DIGEST_", env_ignore_empty=True, extra="ignore", frozen=True)

    to: str | None = Field(None, description="e-mail addresses that get it, separated by commas")
    sender: str | None = Field(None, validation_alias="DIGEST_FROM", description="e-mail address that it comes from")
    language: Literal["en", "fr"] = Field("en", description="in which it is sent; `churn digest` writes both")
    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = Field(
        "monday", description="on which the daily run sends it"
    )
    smtp_host: str | None = Field(None, description="the server that takes e-mails")
    smtp_port: int = Field(587, ge=1, le=65_535, description="its port: 587 for starttls, 465 for tls")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="none only on this machine or within a network of one's own"
    )
    smtp_user: str | None = Field(None, description="its login; none: it takes e-mails without one")
    smtp_password: SecretStr | None = Field(None, description="its password")
    slack_url: SecretStr | None = Field(None, description="address of an incoming webhook")
    teams_url: SecretStr | None = Field(None, description="address of a workflow that posts to a channel")
    block: str | None = Field(
        None,
        description='name of a Prefect Secret block that holds {"smtp_password": …, "slack_url": …, "teams_url": …}'
        " instead, those that are needed",
    )

    @property
    def recipients(self) -> list[str]:
        return [address.strip() for address in (self.to or "").split(",") if address.strip()]

    def refuse_half(self) -> None:
        """Refuses settings with which no e-mail could be sent, or a password would be sent in the clear.

        Raises:
            SettingsError: naming what is missing or wrong.
        """
        given = {"DIGEST_TO": self.to, "DIGEST_FROM": self.sender, "DIGEST_SMTP_HOST": self.smtp_host}
        missing = [name for name, value in given.items() if not value]
        if self.to and missing:
            raise SettingsError(f"DIGEST_TO needs {' and '.join(missing)} too.")
        if self.smtp_security == "none" and self.smtp_user and self.smtp_host not in ("127.0.0.1", "localhost", "::1"):
            raise SettingsError(
                "DIGEST_SMTP_SECURITY=none would show the password of DIGEST_SMTP_USER to the network: take starttls or"
                " tls, or a server that takes e-mails without a login."
            )
