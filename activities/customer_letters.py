"""A mail to a customer: composed, and the connection it goes over."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from email.errors import MessageError
from email.message import EmailMessage

import aiosmtplib

from activities.errors import MAIL_UNUSABLE
from activities.post import SECONDS, blank, message_id
from integrations.document import Mail
from integrations.secret import SecretMissing
from ledger.customer_mails import Addressee
from phasegate.acts import MailAct
from phasegate.directory import address_problem
from phasegate.placeholders import ValueMissing, put


class Unwritable(Exception):
    """No mail can be made for this customer."""


class Halt(Exception):
    """The server takes nothing just now; whoever is left is written to later."""

    def __init__(self, type: str, why: str, hint: str) -> None:
        super().__init__(why)
        self.type, self.why, self.hint = type, why, hint


def password_of(mail: Mail) -> str | None:
    """Raises Halt."""
    try:
        return mail.password.reveal() if mail.password else None
    except SecretMissing as error:
        raise Halt(MAIL_UNUSABLE, str(error), error.hint) from error


@asynccontextmanager
async def connected(mail: Mail, password: str | None) -> AsyncIterator[aiosmtplib.SMTP]:
    """A connection that is logged in. Raises what aiosmtplib does, and OSError."""
    smtp = aiosmtplib.SMTP(
        hostname=mail.host,
        port=mail.port,
        use_tls=mail.tls == "tls",
        start_tls=mail.tls == "starttls",
        username=mail.user,
        password=password,
        timeout=SECONDS,
    )
    try:
        await smtp.connect()
        yield smtp
    finally:
        with suppress(aiosmtplib.SMTPException, OSError):
            if smtp.is_connected:
                await smtp.quit(timeout=1)
        smtp.close()


def letter_to(
    mail: Mail, customer: Addressee, act: MailAct, key: str, values: Mapping[str, str]
) -> EmailMessage:
    """The mail of an act to one customer; its Message-ID is the same however often it is made.

    Raises Unwritable, and Halt for a text that no customer can be sent.
    """
    if problem := address_problem(customer.email):
        raise Unwritable(problem)
    values = {**values, "customer": customer.name or customer.id}
    try:
        subject, text = (put(part, values, str) for part in (act.subject, act.text))
    except ValueMissing as error:
        why = f"there is no value for {{{error}}}"
        raise Halt(MAIL_UNUSABLE, why, "phasegate policy lint FILE  # mend its text") from error
    id = message_id(mail.sender, customer.id, [key])
    try:
        return blank(mail, [customer.email], " ".join(subject.split()), text, id)
    except (ValueError, IndexError, MessageError) as error:  # what a header cannot hold
        raise Unwritable(f"{type(error).__name__}: {line(error)}") from error


def line(error: object) -> str:
    """What went wrong, in one bounded line."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def without(address: str, why: str) -> str:
    """A reason without the address it quotes: it is kept for ever, an address is not ours to."""
    return re.sub(re.escape(address), "…", why, flags=re.IGNORECASE)
