"""A server that takes e-mails as RFC 5321 and 4954 say, and keeps them."""

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

SECONDS = 20


@dataclass
class Received:
    """`messages`: with sender and recipients of the envelope. `login`: user and password; None: none is asked for.
    `answers`: what is answered instead, such as {"DATA": "451 try later"} or {"RCPT b@x.de": "550 unknown"}."""

    port: int
    login: tuple[str, str] | None = None
    answers: dict[str, str] = field(default_factory=dict)
    messages: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)


class _Session(socketserver.StreamRequestHandler):
    timeout = SECONDS

    def handle(self) -> None:
        received: Received = self.server.received  # type: ignore[attr-defined]
        sender, recipients, is_known = "", [], received.login is None
        self._say("220 smtp.example.com")
        while line := self.rfile.readline(4_096).decode().strip():
            verb, _, rest = line.partition(" ")
            verb = verb.upper()
            address = rest.partition("<")[2].partition(">")[0]
            if answer := received.answers.get(verb) or received.answers.get(f"{verb} {address}"):
                self._say(answer)
            elif verb == "EHLO":
                self._say("250-smtp.example.com", *(["250-AUTH PLAIN"] if received.login else []), "250 8BITMIME")
            elif verb == "AUTH":
                given = tuple(base64.b64decode(rest.split()[1]).decode().split("\0")[1:])
                is_known = given == received.login
                self._say("235 welcome" if is_known else "535 wrong user or password")
            elif verb == "MAIL":
                sender = address
                self._say("250 ok" if is_known else "530 log in first")
            elif verb == "RCPT":
                recipients.append(address)
                self._say("250 ok")
            elif verb == "DATA":
                self._say("354 go on")
                message = message_from_bytes(self._content(), policy=policy.default)
                assert isinstance(message, EmailMessage)
                received.messages.append((sender, recipients, message))
                self._say("250 taken")
            else:
                self._say("221 bye" if verb == "QUIT" else "250 ok")
                if verb == "QUIT":
                    return

    def _content(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            assert len(line) <= 1_000, "RFC 5321 allows 998 characters"
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def receiving(login: tuple[str, str] | None = None, **answers: str) -> Iterator[Received]:
    """A receiver on this machine, for the length of a block."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        received = Received(server.server_address[1], login, dict(answers))
        server.received = received  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield received
        finally:
            server.shutdown()
            thread.join()
