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
    if not (isinstance(message.get("text"), str) and message["text"].strip()):
        return "no_text"
    blocks = message.get("blocks", [])
    return "invalid_blocks" if len(blocks) > 50 or not all(map(_is_block, blocks)) else None


def _is_block(block: dict) -> bool:
    """Of the two kinds that we send: what Slack's Block Kit says of them."""
    kind, text = block.get("type"), block.get("text", {})
    limits = {"header": ("plain_text", 150), "section": ("mrkdwn", 3_000)}
    if kind not in limits or set(block) - {"type", "text"}:
        return False
    form, longest = limits[kind]
    return text.get("type") == form and 0 < len(text.get("text", "")) <= longest


def _teams(message: dict) -> str | None:
    if message.get("type") != "message" or not message.get("attachments"):
        return "Property 'attachments' is missing"
    for attachment in message["attachments"]:
        if attachment.get("contentType") != "application/vnd.microsoft.card.adaptive":
            return "contentType must be application/vnd.microsoft.card.adaptive"
        if attachment["content"].get("type") != "AdaptiveCard":
            return "Property 'type' must be 'AdaptiveCard'"
        if len(json.dumps(message).encode()) > 28 * 1024:
            return "Request Entity Too Large"
        for action in attachment["content"].get("actions", []):
            if action.get("type") != "Action.OpenUrl" or not action.get("url", "").startswith("https://"):
                return "Property 'url' is invalid"
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
