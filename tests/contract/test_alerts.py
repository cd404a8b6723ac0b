"""Alerts in the form that each receiver takes, sent by Prefect's block to a stand-in that refuses what it refuses."""

import json

import pytest
import yaml

from flows.adapters.prefect.alerts import RECEIVERS, block_of
from flows.errors import SettingsError
from flows.settings import DeploymentSettings
from tests.running.http_server import answering
from tests.stand_ins.alert_receivers import answer

KEY = "0123456789abcdef0123456789abcdef"
SUBJECT, BODY = (
    'rfm-churn: daily-pipeline "crimson-fox" is Failed',
    "Line 12 of orders.csv: {{ 7 }} is no date.\nWrite one.",
)


def sent_to(receiver, change=lambda block: None):
    """What arrives at the receiver, as JSON; raises what Prefect raises when it is refused."""
    arrived = []

    def take(headers, body):
        arrived.append(body)
        return answer(receiver, headers, body)

    with answering(take) as url:
        block = block_of(DeploymentSettings(alerts_to=receiver, alerts_secret=KEY if receiver == "pagerduty" else url))
        if receiver == "pagerduty":
            assert block.url == "https://events.pagerduty.com/v2/enqueue"
            block.url = url
        change(block)
        with block.raise_on_failure():
            block.notify(body=BODY, subject=SUBJECT)
    return json.loads(arrived[0])


@pytest.mark.parametrize("receiver", yaml.safe_load(RECEIVERS.read_text())["receivers"])
def test_a_receiver_takes_what_is_sent_with_subject_and_body_as_they_are(receiver):
    text = json.dumps(sent_to(receiver), ensure_ascii=False)
    for part in (SUBJECT, BODY):
        assert json.dumps(part, ensure_ascii=False)[1:-1] in text


@pytest.mark.parametrize("receiver", ["slack", "teams", "pagerduty"])
def test_the_stand_in_refuses_another_receivers_form(receiver):
    def send_something_else(block):
        block.json_data = {"message": "{{body}}"}

    with pytest.raises(Exception, match="400"):
        sent_to(receiver, send_something_else)


def test_an_address_is_kept_as_a_secret_of_the_block():
    block = block_of(DeploymentSettings(alerts_to="slack", alerts_secret="https://hooks.example.com/found"))
    assert "found" not in json.dumps(block.model_dump(mode="json"))


def test_an_e_mail_goes_by_sendgrid_to_all_recipients():
    settings = DeploymentSettings(
        alerts_to="email", alerts_secret="SG.key", alerts_sender="runs@example.com",
        alerts_recipients="a@example.com, b@example.com",
    )  # fmt: skip
    block = block_of(settings)
    assert (block.sender_email, block.to_emails) == ("runs@example.com", ["a@example.com", "b@example.com"])


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"alerts_to": "pagerduty"}, "ALERTS_TO=pagerduty needs ALERTS_SECRET: the integration key"),
        ({"alerts_to": "email", "alerts_secret": "SG.key"}, "needs ALERTS_SENDER and ALERTS_RECIPIENTS"),
    ],
)
def test_what_a_receiver_needs_is_asked_for(given, sentence):
    with pytest.raises(SettingsError, match=sentence):
        block_of(DeploymentSettings(**given))
