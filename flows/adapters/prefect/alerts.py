"""The block `alerts`, to which automations send: a webhook in the form that its receiver takes, or an e-mail."""

from typing import Any, get_args

import yaml
from prefect.blocks.abstract import NotificationBlock
from prefect.blocks.notifications import CustomWebhookNotificationBlock, SendgridEmail
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import ObjectNotFound

from flows.errors import SettingsError
from flows.settings import REPOSITORY
from flows.settings.deployment import DeploymentSettings, Receiver

ALERTS = "alerts"
RECEIVERS = REPOSITORY / "flows" / "alerts.yaml"
_KINDS: tuple[type[NotificationBlock], ...] = (CustomWebhookNotificationBlock, SendgridEmail)


def block_of(settings: DeploymentSettings) -> NotificationBlock:
    """The block for ALERTS_TO.

    Raises:
        SettingsError: when ALERTS_SECRET, or what an e-mail needs, is missing.
    """
    if settings.alerts_secret is None:
        raise SettingsError(f"ALERTS_TO={settings.alerts_to} needs ALERTS_SECRET: {_meaning(settings.alerts_to)}.")
    secret = settings.alerts_secret
    if settings.alerts_to == "email":
        if not (settings.alerts_sender and settings.alerts_recipients):
            raise SettingsError("ALERTS_TO=email needs ALERTS_SENDER and ALERTS_RECIPIENTS, addresses with commas.")
        recipients = [address.strip() for address in settings.alerts_recipients.split(",")]
        return SendgridEmail(api_key=secret, sender_email=settings.alerts_sender, to_emails=recipients)
    form = yaml.safe_load(RECEIVERS.read_text(encoding="utf-8"))["receivers"][settings.alerts_to]
    content: dict[str, Any] = {"name": ALERTS, "secrets": {"secret": secret.get_secret_value()}, **form}
    return CustomWebhookNotificationBlock(**content)


def find_block_id(client: SyncPrefectClient) -> str | None:
    """The id of the block `alerts`, of whichever kind; None: there is none."""
    for kind in _KINDS:
        try:
            return str(client.read_block_document_by_name(ALERTS, kind.get_block_type_slug(), include_secrets=False).id)
        except ObjectNotFound:
            continue
    return None


def send(subject: str, body: str) -> None:
    """Sends a message as automations do.

    Raises:
        SettingsError: when there is no block, or the receiver refuses.
    """
    for kind in _KINDS:
        try:
            block = kind.load(ALERTS)
        except ValueError:  # there is none of this kind
            continue
        assert isinstance(block, NotificationBlock)
        try:
            with block.raise_on_failure():
                block.notify(subject=subject, body=body)  # type: ignore[unused-coroutine]  # outside of a loop it sends
        except Exception as error:  # of httpx, of apprise
            raise SettingsError(
                f"The receiver of alerts refused the message: {error}. Check ALERTS_TO and the block {ALERTS}."
            ) from None
        return
    raise SettingsError(f"There is no block {ALERTS}: set ALERTS_TO={'|'.join(get_args(Receiver))} for `make deploy`.")


def _meaning(receiver: str | None) -> str:
    return {
        "pagerduty": "the integration key of a service (Events API v2)",
        "email": "an API key of SendGrid that may send",
    }.get(receiver or "", "the address of the webhook")
