"""Who gets alerts, as each documents what it takes: Slack's webhooks, Teams' workflows, PagerDuty's Events API v2."""

import json
import re
from email.message import Message

SEVERITIES = {"critical", "error", "warning", "info"}


def answer(receiver: str, headers: Message, body: bytes) -> tuple[int, bytes]:
    """Status and body of the receiver's answer."""
    if headers.get_content_type() != "application/json" or "content-type" not in headers:
        return 415, b"declare application/json"
    try:
        message = json.loads(body)
    except ValueError:
        return 400, b"invalid_payload"
    problem = {"slack": _slack, "teams": _teams, "pagerduty": _pagerduty, "webhook": _webhook}[receiver](message)
    return (400, problem.encode()) if problem else (200 if receiver == "slack" else 202, b"ok")


def _slack(message: dict) -> str | None:
    return None if isinstance(message.get("text"), str) and message["text"].strip() else "no_text"


def _teams(message: dict) -> str | None:
    if message.get("type") != "message" or not message.get("attachments"):
        return "Property 'attachments' is missing"
    for attachment in message["attachments"]:
        if attachment.get("contentType") != "application/vnd.microsoft.card.adaptive":
            return "contentType must be application/vnd.microsoft.card.adaptive"
        if attachment["content"].get("type") != "AdaptiveCard":
            return "Property 'type' must be 'AdaptiveCard'"
    return None


def _pagerduty(message: dict) -> str | None:
    if not re.fullmatch(r"[A-Za-z0-9]{32}", message.get("routing_key", "")):
        return "Invalid routing key"
    if message.get("event_action") not in ("trigger", "acknowledge", "resolve"):
        return "Invalid event action"
    payload = message.get("payload", {})
    if not payload.get("summary") or len(payload["summary"]) > 1024 or not payload.get("source"):
        return "'payload.summary' and 'payload.source' are required"
    return None if payload.get("severity") in SEVERITIES else "'payload.severity' is invalid"


def _webhook(message: dict) -> str | None:
    return None if message else "nothing in it"
