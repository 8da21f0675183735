"""Acts that write to customers: each once, over one connection, noted one by one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import aiosmtplib
from temporalio import activity

from activities.beating import tell
from activities.customer_letters import (
    Halt,
    Unwritable,
    connected,
    letter_to,
    line,
    password_of,
    without,
)
from activities.errors import MAIL_UNAVAILABLE, MAIL_UNUSABLE, ledger_errors
from activities.lasting import noted, undeterred
from activities.outcomes import Done, NotDone, slowly
from integrations.document import Mail
from ledger import Ledger
from ledger.customer_mails import Addressee, Mailed
from phasegate.acts import MailAct
from phasegate.base import digest_of
from phasegate.sunset_ports import ActOrder, TaskProof

PAGE = 200
SOON = timedelta(seconds=5)
SUSPICIOUS = 10
"""So many refused in a row say something about us, and not about their addresses."""

SAID, NAMED = 3, 20
"""Refused customers that the proof's text and its data name; all are in the ledger's database."""


@dataclass
class _Run:
    """One attempt. `refused` are kept back until it is known that the server takes mail of ours."""

    order: ActOrder
    act: MailAct
    taking: bool
    after: str = ""
    count: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    put_off: list[str] = field(default_factory=list)
    in_a_row: int = 0


class MailActs:
    """Who has the mail is noted in the ledger right after the server took it. After a killed worker
    the next one goes on there: at most the one that was being handed over gets it twice, with the
    same Message-ID."""

    repeatable = True
    over = timedelta(0)

    def __init__(self, ledger: Ledger, mail: Mail | None) -> None:
        self._ledger, self._mail = ledger, mail

    async def carry_out(self, order: ActOrder) -> Done | NotDone:
        """Write to everybody who has an address and has not had this mail.

        An address that the server refuses for good (5xx, RFC 5321, 4.2.1) holds up nobody: it is
        noted, and named in the proof. Raises ApplicationError: ledger-unavailable.
        """
        assert isinstance(order.act, MailAct)
        with ledger_errors():
            before = await asyncio.to_thread(self._mailed, order, order.act)
        run = _Run(order, order.act, taking=before.sent > 0)
        try:
            if self._mail is None:
                await self._count(run)
            else:
                await self._write_all(self._mail, run)
        except Halt as halt:
            what = f"{order.task} is not written to everybody yet"
            return NotDone(halt.type, what, halt.why, halt.hint, slowly(SOON))
        with ledger_errors():
            return await asyncio.to_thread(self._proven, run)

    async def probe(self, order: ActOrder) -> None:
        """It goes on instead."""

    async def _count(self, run: _Run) -> None:
        """Count whom nobody writes to here. Raises Halt where they are owed it."""
        while page := await self._page(run):
            if run.act.notifies:
                raise Halt(
                    MAIL_UNUSABLE,
                    "no mail is configured, and customers are owed this notice",
                    "add mail to the integrations file of the workers, and start them again; or "
                    "tell customers otherwise: phasegate customer import KEY FILE",
                )
            run.count += len(page)
            run.after = page[-1].id

    async def _write_all(self, mail: Mail, run: _Run) -> None:
        """Over one connection, or over another one where the server ends one after some mails.

        Raises Halt.
        """
        password = password_of(mail)
        while True:
            written = run.count
            if not (page := await self._page(run)):
                break
            try:
                async with connected(mail, password) as smtp:
                    while page:
                        for customer in page:
                            work = self._write(mail, smtp, run, customer)
                            await undeterred(work, then_cancelled=True)
                            run.after = customer.id
                            tell(f"{run.count} written to, up to customer {run.after}")
                        page = await self._page(run)
                break
            except (aiosmtplib.SMTPException, OSError, ValueError) as error:
                if run.count == written:
                    why = f"{mail.host}:{mail.port}: {line(error)}"
                    hint = "mend it, then who is left is written to"
                    raise Halt(MAIL_UNAVAILABLE, why, hint) from error
        await self._note_refused(run)
        if run.put_off:
            why = f"the server puts {len(run.put_off)} off; the first: {run.put_off[0]}"
            raise Halt(MAIL_UNAVAILABLE, why, "they are tried again")

    async def _write(
        self, mail: Mail, smtp: aiosmtplib.SMTP, run: _Run, customer: Addressee
    ) -> None:
        """Write to one customer. Raises Halt, and what is wrong with the connection."""
        try:
            values = {**run.order.values, "product": run.order.product}
            message = letter_to(mail, customer, run.act, run.order.key, values)
            await smtp.send_message(message)
        except Unwritable as error:
            await self._refuse(run, customer, str(error))
        except aiosmtplib.SMTPRecipientsRefused as refused:
            one = refused.recipients[0]
            await self._unsent(mail, run, customer, one.code, one.message)
        except aiosmtplib.SMTPDataError as error:
            await self._unsent(mail, run, customer, error.code, error.message)
        except aiosmtplib.SMTPNotSupported as error:  # an address beyond ASCII, RFC 6531
            await self._refuse(run, customer, line(error))
        else:
            run.taking, run.in_a_row = True, 0
            run.count += 1
            await self._note(run, customer)
            await self._note_refused(run)

    async def _unsent(
        self, mail: Mail, run: _Run, customer: Addressee, code: int, said: str
    ) -> None:
        """Raises Halt where that says something about us, and not about the customer."""
        why = without(customer.email, line(f"{code} {said}"))
        run.in_a_row += 1
        info = activity.info()
        lasting = info.started_time - info.scheduled_time >= mail.give_up.approximate
        if code == 421:  # RFC 5321, 3.8: it closes the connection
            raise aiosmtplib.SMTPServerDisconnected(why)
        if run.in_a_row >= SUSPICIOUS and not (run.taking and code >= 500):
            raise Halt(
                MAIL_UNAVAILABLE,
                f"the mail server refused {run.in_a_row} in a row; the last: {why}",
                "see whether it lets us send, or mend the addresses: phasegate customer import",
            )
        if code >= 500:
            await self._refuse(run, customer, why)
        elif lasting:
            await self._refuse(run, customer, f"given up after {mail.give_up.words}: {why}")
        else:
            run.put_off.append(f"{customer.id}: {why}")

    async def _refuse(self, run: _Run, customer: Addressee, why: str) -> None:
        run.refused.append((customer.id, without(customer.email, why)))
        if run.taking:
            await self._note_refused(run)

    async def _note_refused(self, run: _Run) -> None:
        order = run.order
        for id, why in run.refused:
            note = partial(self._ledger.customers.refused, order.product, order.key, id, why)
            await noted(note, datetime.now(UTC))
        run.refused.clear()

    async def _note(self, run: _Run, customer: Addressee) -> None:
        order = run.order
        sent = partial(self._ledger.customers.sent, sunset=order.sunset)
        now, notifies = datetime.now(UTC), run.act.notifies
        await noted(sent, order.product, order.key, [customer.id], now, notifies)

    async def _page(self, run: _Run) -> list[Addressee]:
        order = run.order
        # Where nobody can be written to here, who was told otherwise is owed nothing.
        owed = self._mail is None and run.act.notifies
        unsent = partial(self._ledger.customers.unsent, sunset=order.sunset, unnotified=owed)
        with ledger_errors():
            return await asyncio.to_thread(
                unsent, order.product, order.key, run.act.to, run.after, PAGE
            )

    def _mailed(self, order: ActOrder, act: MailAct) -> Mailed:
        return self._ledger.customers.mailed(order.product, order.key, act.to, sunset=order.sunset)

    def _proven(self, run: _Run) -> Done:
        found = self._mailed(run.order, run.act)
        data: dict[str, Any] = {
            "sent": found.sent,
            "refused": found.refused,
            "no_address": found.no_address,
        }
        parts = [f"{_customers(found.sent)} written to"]
        if self._mail is None:
            data["not_written_to"] = run.count
            parts = [f"no mail is configured; {_customers(run.count)} not written to"]
        if found.refused:
            named = self._ledger.customers.refusals(run.order.product, run.order.key, NAMED)
            data["refusals"] = named
            parts.append(f"{found.refused} refused by their address: {', '.join(named[:SAID])}")
        if found.no_address:
            parts.append(f"{_customers(found.no_address)} without an address")
        return Done(TaskProof(text="; ".join(parts), digest=digest_of(run.act), data=data))


def _customers(count: int) -> str:
    return "1 customer is" if count == 1 else f"{count} customers are"
