"""Mail, written and handed to its server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256

import aiosmtplib

from activities.channels import Answer, Refused, Taken
from activities.dates import calendar
from activities.known_people import Concerned
from integrations.document import Mail
from phasegate.directory import address_problem
from phasegate.errors import PhasegateError
from phasegate.letters import Item, letter

SECONDS = 30.0
"""For each answer of the mail server."""


class Unwritable(PhasegateError):
    """No mail can be made of this, however often it is tried."""


def message_id(sender: str, to: str, ids: Sequence[str]) -> str:
    """The Message-ID (RFC 5322, 3.6.4) of a mail about these events: always the same one."""
    digest = sha256("\n".join([to, *sorted(ids)]).encode()).hexdigest()[:40]
    return f"<{digest}@{sender.rpartition('@')[2]}>"


def blank(mail: Mail, to: Sequence[str], subject: str, text: str, id: str) -> EmailMessage:
    """A mail of plain text, that says that a machine wrote it (RFC 3834)."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = mail.sender, ", ".join(to), subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def written(mail: Mail, person: str, to: str, found: Sequence[Concerned]) -> EmailMessage:
    """One mail about these events, with the dates they set as .ics. Raises Unwritable."""
    if problem := address_problem(to):
        hint = f"mend {person}'s email in the directory; phasegate directory publish FILE --as WHO"
        raise Unwritable(f"no mail can be written to {person}", problem, hint)
    try:
        return _written(mail, person, to, found)
    except (ValueError, IndexError, MessageError) as error:  # what a header or a body cannot hold
        why = f"{type(error).__name__}: {error}"
        raise Unwritable(f"no mail can be written to {person}", _line(why), "") from None


def _written(mail: Mail, person: str, to: str, found: Sequence[Concerned]) -> EmailMessage:
    said = letter(
        [Item(event=i.entry.announcement, concern=i.concern, name=i.product.name) for i in found]
    )
    id = message_id(mail.sender, person, [i.entry.announcement.id for i in found])
    message = blank(mail, [to], said.subject, said.text, id)
    for name, method, over in (("dates.ics", "PUBLISH", False), ("over.ics", "CANCEL", True)):
        if dates := calendar(found, over=over):
            message.add_attachment(
                dates.decode(),
                subtype="calendar",
                filename=name,
                params={"method": method},
            )
    return message


async def post(mail: Mail, message: EmailMessage) -> Answer:
    """Hand it to the server once. A 5xx for the recipient or the content is final (RFC 5321,
    4.2.1); what is wrong with the server, our sender or our login can be mended. Taken means that
    every recipient has it.

    Raises SecretMissing.
    """
    password = mail.password.reveal() if mail.password else None
    try:
        errors, _ = await aiosmtplib.send(
            message,
            hostname=mail.host,
            port=mail.port,
            use_tls=mail.tls == "tls",
            start_tls=mail.tls == "starttls",
            username=mail.user,
            password=password,
            timeout=SECONDS,
        )
    except aiosmtplib.SMTPRecipientsRefused as refused:
        return _refused((one.recipient, one.code, one.message) for one in refused.recipients)
    except aiosmtplib.SMTPDataError as error:
        return Refused(_line(f"{error.code} {error.message}"), for_good=error.code >= 500)
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        return Refused(_line(f"{mail.host}:{mail.port}: {error or type(error).__name__}"))
    if errors:  # some of several
        return _refused((to, code, text) for to, (code, text) in errors.items())
    return Taken()


def _refused(recipients: Iterable[tuple[str, int, str]]) -> Refused:
    told = list(recipients)
    why = _line("; ".join(f"{to}: {code} {text}" for to, code, text in told))
    return Refused(why, for_good=all(500 <= code < 600 for _, code, _ in told))


def _line(text: str) -> str:
    return " ".join(text.split())[:300]
