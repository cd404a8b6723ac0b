"""A real SMTP server on this machine (aiosmtpd), with a certificate of the tests' own authority (trustme). It keeps
what it takes."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any, Literal

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

SECONDS = 20.0


@dataclass
class Received:
    """`messages`: with sender and recipients of the envelope. `answers`: what is answered instead, such as
    {"DATA": "451 try later"} or {"RCPT b@x.de": "550 unknown"}."""

    port: int
    asks_for_login: bool
    answers: dict[str, str]
    messages: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.asks_for_login and not session.authenticated:
            return "530 log in first"
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 ok")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self.answers.get(f"RCPT {address}"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if answer := self.answers.get("DATA"):
            return answer
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append((envelope.mail_from or "", list(envelope.rcpt_tos), message))
        return "250 taken"


@cache
def authority() -> trustme.CA:
    """Who signs the servers' certificates: nobody trusts it who was not told to."""
    return trustme.CA()


def trusted(folder: Path) -> str:
    """A file of the authorities that a client trusts, for SSL_CERT_FILE: the tests' own alone."""
    file = folder / "authority.pem"
    authority().cert_pem.write_to_path(file)
    return str(file)


@contextmanager
def receiving(
    security: Literal["none", "starttls", "tls"] = "none",
    login: tuple[str, str] | None = None,
    named: str = "127.0.0.1",
    answers: dict[str, str] | None = None,
) -> Iterator[Received]:
    """A receiver for the length of a block. `login`: user and password, without which it takes nothing. `named`: whom
    its certificate is for."""
    context = None
    if security != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority().issue_cert(named).configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        received = Received(listening.getsockname()[1], login is not None, answers or {})

        def session() -> SMTP:
            return SMTP(
                received,
                hostname="smtp.example.com",
                require_starttls=security == "starttls",
                tls_context=context if security == "starttls" else None,
                auth_require_tls=security == "starttls",  # it knows of no other encryption
                authenticator=_authenticator(login),
                timeout=SECONDS,
            )

        loop = asyncio.new_event_loop()
        server = loop.run_until_complete(
            loop.create_server(session, sock=listening, ssl=context if security == "tls" else None)
        )
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        try:
            yield received
        finally:
            asyncio.run_coroutine_threadsafe(_close(server), loop).result(SECONDS)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


def _authenticator(login: tuple[str, str] | None) -> Any:
    def is_known(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        user, password = login or ("", "")
        return AuthResult(success=given == LoginPassword(user.encode(), password.encode()), handled=False)

    return is_known


async def _close(server: asyncio.Server) -> None:
    """Until no session is left."""
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
