"""Mail to the people whom events concern: handed to a courier for each, gathered, and sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError

from activities import post
from activities.beating import beating
from activities.channels import Answer, Refused, Taken
from activities.errors import RECEIVER_UNAVAILABLE, RECEIVER_UNUSABLE, failure, ledger_errors
from activities.known_people import Concerned, KnownPeople
from activities.measuring import count
from integrations.document import Mail
from ledger import Entry, Ledger
from ledger.deliveries import State
from phasegate.concern import CONCERNING
from phasegate.delivery import (
    MAIL,
    MAIL_COURIER,
    SEND_MAIL,
    Delivered,
    MailBatch,
    MailItem,
    MailItems,
    MailOrder,
    mail_courier_id,
    mailbox,
)
from phasegate.errors import PhasegateError
from phasegate.measures import DELIVERIES
from phasegate.pseudonyms import in_use

PATIENCE = timedelta(seconds=5)

log = structlog.get_logger(__name__)


class Postbox:
    """The way out for mail, as a courier sees it: an event is taken when it was handed to the mail
    courier of everybody it concerns. Theirs is then to send it."""

    events = CONCERNING
    address = ""

    def __init__(self, ledger: Ledger, mail: Mail, main_queue: str) -> None:
        self._ledger, self._mail, self._main_queue = ledger, mail, main_queue
        self.give_up: timedelta = mail.give_up.approximate

    async def send(self, entry: Entry) -> Answer:
        item = MailItem(product=entry.announcement.product, seq=entry.seq)
        with ledger_errors():
            people = await asyncio.to_thread(self._people, entry)
        if people is None:
            return Refused("the record does not say yet how the product started, and who is in it")
        for person in people:
            try:
                await gather(activity.client(), self._main_queue, self._mail, person, item)
            except RPCError as error:
                return Refused(f"the mail to {person} cannot be begun: {error.message}")
        return Taken()

    def _people(self, entry: Entry) -> list[str] | None:
        """Those whom it concerns and who get mail; None while nobody can tell."""
        known = KnownPeople(self._ledger)
        if not known.begun(entry):
            return None
        return [
            found.concern.person
            for found in known.concerned(entry)
            if known.address(found.concern.person, found.product.directory)
        ]


async def gather(client: Client, task_queue: str, mail: Mail, person: str, item: MailItem) -> None:
    """Have an event in the next mail to somebody. Raises RPCError."""
    await client.start_workflow(
        MAIL_COURIER,
        MailOrder(person=person, gather=mail.gather.approximate.total_seconds()),
        id=mail_courier_id(person, in_use()),
        task_queue=task_queue,
        start_signal="add",
        start_signal_args=[MailItems(items=[item])],
        static_summary=in_use().said(f"mail to {person}", "mail")[:180],
        rpc_timeout=PATIENCE,
    )


class MailActivities:
    """What was sent is noted right afterwards; a mail that has to go out once more, because a
    worker died in between, has the same Message-ID."""

    def __init__(self, ledger: Ledger, mail: Mail | None) -> None:
        self._ledger, self._mail = ledger, mail

    @activity.defn(name=SEND_MAIL)
    async def send_mail(self, batch: MailBatch) -> Delivered:
        """Send one mail about these events to one person.

        Errors, all retried: receiver-unavailable and receiver-unusable (our own set-up), for days;
        a refused recipient is given up at once. And ledger-unavailable, without end.
        """
        if self._mail is None:
            return Delivered(text="this worker has no mail server; nothing is sent")
        with ledger_errors():
            found, to = await asyncio.to_thread(self._read, batch)
        if not found or not to:
            return Delivered(text="it concerns them no more, or they want no mail")
        unusable: PhasegateError | None = None
        try:
            async with beating():
                answer = await self._send(self._mail, batch.person, to, found)
        except PhasegateError as error:
            answer, unusable = Refused(str(error)), error
        if isinstance(answer, Taken):
            await self._note(batch.person, found, "sent")
            count(DELIVERIES, receiver=MAIL, result="sent")
            return Delivered(text=f"one mail about {len(found)} events")
        why = answer.why
        over = datetime.now(UTC) - activity.info().scheduled_time
        final = isinstance(answer, Refused) and answer.for_good
        if final or over >= self._mail.give_up.approximate:
            await self._note(batch.person, found, "dead", why)
            log.error("given up", receiver=mailbox(batch.person), events=len(found), why=why)
            count(DELIVERIES, receiver=MAIL, result="given-up")
            return Delivered(text=f"given up: {why}")
        with ledger_errors():
            await asyncio.to_thread(self._fail, batch.person, found, why)
        count(DELIVERIES, receiver=MAIL, result="refused")
        if unusable:
            what = f"mail to {batch.person} cannot be sent"
            raise failure(RECEIVER_UNUSABLE, what, why, unusable.hint)
        raise failure(
            RECEIVER_UNAVAILABLE,
            f"the mail to {batch.person} was not taken",
            why,
            "it is tried again until it is given up",
        )

    async def _send(self, mail: Mail, person: str, to: str, found: Sequence[Concerned]) -> Answer:
        """Write it and try once. Raises PhasegateError where our own set-up has to be mended."""
        try:
            message = post.written(mail, person, to, found)
        except post.Unwritable as error:
            return Refused(str(error), for_good=True)
        return await post.post(mail, message)

    def _fail(self, person: str, found: Sequence[Concerned], why: str) -> None:
        now = datetime.now(UTC)
        for product in sorted({item.entry.announcement.product for item in found}):
            self._ledger.deliveries.failing(mailbox(person), product, now, why)

    def _read(self, batch: MailBatch) -> tuple[list[Concerned], str]:
        """What of it is still to be said, and where to."""
        places = [(item.product, item.seq) for item in batch.items]
        done = self._ledger.deliveries.sent(mailbox(batch.person), set(places))
        known = KnownPeople(self._ledger)
        found: list[Concerned] = []
        to = ""
        for place in places:
            entry = self._ledger.entry(*place)
            if place in done or entry is None:
                continue
            for concerned in known.concerned(entry):
                if concerned.concern.person == batch.person:
                    found.append(concerned)
                    to = to or known.address(batch.person, concerned.product.directory)
        if not found or not to:  # what could not be mailed before has nobody to go to now
            self._ledger.deliveries.recovered(mailbox(batch.person))
        return found, to

    async def _note(
        self, person: str, found: Sequence[Concerned], state: State, why: str = ""
    ) -> None:
        with ledger_errors():
            entries = [item.entry for item in found]
            note = self._ledger.deliveries.note
            await asyncio.to_thread(note, mailbox(person), entries, state, datetime.now(UTC), why)
