"""A letter in the form that each receiver takes: an e-mail in HTML and text, Slack's blocks, Teams' adaptive card."""

import base64
from collections.abc import Iterator
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import make_msgid
from html import escape
from pathlib import Path
from typing import Any

import jinja2

from flows.adapters.digest.wording import Letter

_TEMPLATE = Path(__file__).parent / "digest.html.j2"
# what Slack takes at most
_MAX_HEADER, _MAX_SECTION = 150, 3_000


def as_text(letter: Letter) -> str:
    """Plain text, for who reads no HTML."""
    return "\n".join(_lines_of_text(letter)) + "\n"


def as_html(letter: Letter, picture: str) -> str:
    """A page in the little HTML that mail programs understand. `picture`: where it is, as a URL."""
    template = jinja2.Template(_TEMPLATE.read_text(encoding="utf-8"), autoescape=True)
    return template.render(letter=letter, picture=picture)


def as_page(letter: Letter, picture: bytes) -> str:
    """The same with the PNG in it, as a file."""
    return as_html(letter, f"data:image/png;base64,{base64.b64encode(picture).decode('ascii')}")


def as_email(letter: Letter, picture: bytes, sender: str, recipients: list[str]) -> EmailMessage:
    """Text, and HTML with the PNG next to it."""
    message = EmailMessage()
    message["Subject"] = letter.subject
    message["From"] = Address(display_name="rfm-churn", addr_spec=sender)
    message["To"] = ", ".join(recipients)
    message["Message-ID"] = make_msgid(domain=sender.partition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(as_text(letter))
    picture_id = make_msgid(domain="digest")
    message.add_alternative(as_html(letter, f"cid:{picture_id[1:-1]}"), subtype="html")
    html = message.get_payload()[1]  # type: ignore[index]
    assert isinstance(html, EmailMessage)
    html.add_related(picture, "image", "png", cid=picture_id, filename="digest.png")
    return message


def as_slack(letter: Letter) -> dict[str, Any]:
    """Of an incoming webhook: blocks, and the text that notifications show."""
    sections = [_mrkdwn(f"*{_slack(of.title)}*\n" + "\n".join(f"• {_slack(line)}" for line in of.lines))
                for of in letter.sections]  # fmt: skip
    link = [_mrkdwn(f"<{_slack(letter.link)}|{_slack(letter.open_page)}>")] if letter.link else []
    return {
        "text": _slack(letter.subject),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": letter.subject[:_MAX_HEADER]}},
            _mrkdwn(_slack(letter.compared)),
            *sections,
            *link,
        ],
    }


def as_teams(letter: Letter) -> dict[str, Any]:
    """Of a workflow "Send webhook alerts to a channel"."""
    body: list[dict[str, Any]] = [
        {"type": "TextBlock", "text": letter.subject, "weight": "Bolder", "size": "Medium", "wrap": True},
        {"type": "TextBlock", "text": letter.compared, "isSubtle": True, "wrap": True},
    ]
    for section in letter.sections:
        body.append({"type": "TextBlock", "text": section.title, "weight": "Bolder", "spacing": "Medium", "wrap": True})
        body.append(
            {"type": "TextBlock", "text": "\n".join(f"- {_teams(line)}" for line in section.lines), "wrap": True}
        )
    opens = [{"type": "Action.OpenUrl", "title": letter.open_page, "url": letter.link}] if letter.link else []
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "content": {"type": "AdaptiveCard", "version": "1.4", "body": body, "actions": opens},
            }
        ],
    }


def _lines_of_text(letter: Letter) -> Iterator[str]:
    yield from (letter.subject, "=" * len(letter.subject), letter.compared)
    for index, section in enumerate(letter.sections):
        yield from ("", section.title, "-" * len(section.title), *(f"* {line}" for line in section.lines))
        if index == 1:
            yield f"  ({letter.picture_title} – {letter.about_picture})"
    yield ""
    if letter.link:
        yield f"{letter.open_page} – {letter.link}"
    yield letter.no_names


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:_MAX_SECTION]}}


def _slack(text: str) -> str:
    """Slack reads only these three signs as its own."""
    return escape(text, quote=False)


def _teams(text: str) -> str:
    """A card's text is Markdown: what could be a link or emphasis is not."""
    return "".join(f"\\{sign}" if sign in "[]*_`" else sign for sign in text)
