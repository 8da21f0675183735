"""A real SMTP server in this process, that keeps what it takes and refuses what it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from client.dev_server import free_port


@dataclass
class MailServer:
    port: int = 0
    answer: Callable[[str, EmailMessage], str] = lambda to, message: "250 taken"
    """What a mail is answered with; a mail with a 250 is kept."""
    recipient: Callable[[str], str] = lambda to: "250 OK"
    mails: list[EmailMessage] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == address]

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, to: str, _: Any) -> str:
        answer = self.recipient(to)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(to)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        answer = self.answer(envelope.rcpt_tos[0], message)
        if answer.startswith("250"):
            self.mails.append(message)
        return answer


@contextmanager
def mail_server(**more: Any) -> Iterator[MailServer]:
    server = MailServer(port=free_port())
    # It is up at once; by default it has no more than five seconds.
    more = {"ready_timeout": 60, **more}
    controller = Controller(server, hostname="127.0.0.1", port=server.port, **more)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def body(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def dates(message: EmailMessage) -> list[tuple[str, str]]:
    """Method and text of every calendar that a mail carries."""
    return [
        (str(part.get_param("method")), str(part.get_content()))
        for part in message.iter_attachments()
        if part.get_content_type() == "text/calendar"
    ]
