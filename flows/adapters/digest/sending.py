"""Sends a digest: by SMTP, and to the webhooks of Slack and Teams."""

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

import httpx

from flows.errors import DigestRefused, DigestUnreachable
from flows.settings.digest import DigestSettings

SECONDS = 30.0


def send_email(settings: DigestSettings, password: str | None, message: EmailMessage) -> None:
    """Hands the message to the SMTP server, which takes it for all recipients or raises.

    Raises:
        DigestUnreachable: when the server does not respond or is busy: it may take it in a moment.
        DigestRefused: when it refuses the sender, the login, the message or a recipient.
    """
    host, port, secured = settings.smtp_host, settings.smtp_port, settings.smtp_security
    assert host is not None  # settings are checked where they are read
    where = f"The SMTP server {host}:{port}"
    context = ssl.create_default_context()
    try:
        server = (
            smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
            if secured == "tls"
            else smtplib.SMTP(host, port, timeout=SECONDS)
        )
        with server:
            if secured == "starttls":
                server.starttls(context=context)
            if settings.smtp_user:
                server.login(settings.smtp_user, password or "")
            refused = server.send_message(message)
    except smtplib.SMTPResponseException as problem:
        text = problem.smtp_error.decode(errors="replace") if isinstance(problem.smtp_error, bytes) else ""
        said = f"{where} answered {problem.smtp_code} {text}".rstrip()
        if 400 <= problem.smtp_code < 500:
            raise DigestUnreachable(f"{said}. The digest was not sent.") from None
        raise DigestRefused(f"{said}. Check DIGEST_SMTP_SECURITY and _USER, DIGEST_FROM and DIGEST_TO.") from None
    except smtplib.SMTPRecipientsRefused as problem:
        raise DigestRefused(f"{where} refuses all {len(problem.recipients)} recipients of DIGEST_TO.") from None
    except smtplib.SMTPException as problem:
        raise DigestRefused(f"{where}: {problem}. Check DIGEST_SMTP_SECURITY.") from None
    except ssl.SSLCertVerificationError as problem:
        raise DigestRefused(
            f"{where}: its certificate is not to be trusted: {problem.verify_message} DIGEST_SMTP_HOST has to be the"
            " name that is in it, and this machine has to trust who signed it (SSL_CERT_FILE names more of those)."
        ) from None
    except ssl.SSLError as problem:
        raise DigestRefused(
            f"{where} does not speak TLS there ({problem.reason}). Check DIGEST_SMTP_SECURITY."
        ) from None
    except OSError as problem:
        raise DigestUnreachable(f"{where} did not respond: {problem}. Check DIGEST_SMTP_HOST and _PORT.") from None
    if refused:
        raise DigestRefused(f"{where} refuses {len(refused)} of the recipients of DIGEST_TO; the others have it.")


def post(name: str, address: str, message: Mapping[str, Any]) -> None:
    """Posts a message to a webhook. `name`: of the receiver, for errors; its address is a secret.

    Raises:
        DigestUnreachable, DigestRefused: as `send_email`.
    """
    try:
        answer = httpx.post(address, json=message, timeout=SECONDS)
    except httpx.HTTPError as problem:
        raise DigestUnreachable(
            f"{name} did not respond ({type(problem).__name__}). The digest was not posted."
        ) from None
    if answer.status_code == 429 or answer.status_code >= 500:
        raise DigestUnreachable(f"{name} answered {answer.status_code}. The digest was not posted.")
    if not answer.is_success:
        raise DigestRefused(
            f"{name} refused the digest with {answer.status_code}: {answer.text[:200]}. Check its webhook's address."
        )
