"""Delivering: what a receiver has not been sent of a product, in order, and noting each at once."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity

from activities.beating import beating
from activities.channels import Channel, Gone, Refused, Taken
from activities.errors import (
    RECEIVER_BUSY,
    RECEIVER_UNAVAILABLE,
    RECEIVER_UNUSABLE,
    failure,
    ledger_errors,
    postponed,
)
from activities.measuring import count
from activities.receivers import Receivers
from activities.turns import Turns
from integrations import tracing
from integrations.document import matches
from ledger import Entry, Ledger
from ledger.deliveries import Due, State
from phasegate.delivery import DELIVER, CourierOrder, Delivered, impersonal
from phasegate.errors import PhasegateError
from phasegate.measures import DELIVERIES

SECONDS = 30.0
"""How long one activity goes on before it starts another one; with room for a slow last answer."""

LONGEST_PAUSE = timedelta(minutes=15)

AT_ONCE = 10
"""Products of which one receiver is told at the same time by a worker."""

ALTOGETHER = 50
"""Of all receivers: half of what a worker does at once of what goes out. So receivers that hang
hold up no mail."""

SOON = timedelta(seconds=30)
"""The longest wait for a turn, before it is asked for again."""

log = structlog.get_logger(__name__)


class CourierActivities:
    """What is known to be sent is not sent again: it is noted before the next one is tried.

    A worker that dies between the two sends one event once more, with the same id. Exactly once
    ends at the edge: the receiver's part of it is to honour that id.
    """

    def __init__(self, ledger: Ledger, receivers: Receivers) -> None:
        self._ledger = ledger
        self._receivers = receivers
        self._turns = Turns(AT_ONCE, ALTOGETHER)

    @activity.defn(name=DELIVER)
    async def deliver(self, order: CourierOrder) -> Delivered:
        """Send what is due.

        Errors, all retried: receiver-unavailable and receiver-unusable (our own set-up has to be
        mended), until the event's days are over; then it is noted as dead, and the next one is
        tried. And ledger-unavailable, without end. receiver-busy is none: this worker tells it of
        enough other products just now.
        """
        with self._turns.take(order.receiver) as mine:
            if not mine:
                raise postponed(
                    RECEIVER_BUSY,
                    f"{order.receiver} is being told of other products; this one has its turn soon",
                    _pause(activity.info().attempt, SOON),
                )
            return await self._deliver(order)

    async def _deliver(self, order: CourierOrder) -> Delivered:
        channel = self._receivers.channel(order.receiver)
        if channel is None:
            return Delivered(text="this worker knows no such receiver; nothing is sent")
        if await self._gone(order, channel):
            return Delivered(text="it said that it is gone (410); nothing is sent")
        async with beating():
            return await Round(self._ledger, order, channel).run()

    async def _gone(self, order: CourierOrder, channel: Channel) -> bool:
        with ledger_errors():
            await asyncio.to_thread(self._receivers.enroll)
            gone = self._ledger.receivers.gone
            return await asyncio.to_thread(gone, order.receiver, channel.address) is not None


class Round:
    """One activity's share of the deliveries."""

    def __init__(self, ledger: Ledger, order: CourierOrder, channel: Channel) -> None:
        self._ledger, self._order, self._channel = ledger, order, channel
        self._until = time.monotonic() + SECONDS
        self.sent = self.dead = 0
        self._label = impersonal(order.receiver)

    async def run(self) -> Delivered:
        while due := await self._due():
            passed: list[Entry] = []
            for item in due:
                if not (item.again or matches(self._channel.events, item.entry.announcement.type)):
                    passed.append(item.entry)
                    continue
                if time.monotonic() > self._until:
                    return self._delivered(more=True)
                if (end := await self._bring(item)) is not None:
                    return end
                passed.clear()  # what was sent later stands for them, too
            if passed:
                await self._settle(passed, None)
        return self._delivered()

    async def _due(self) -> list[Due]:
        with ledger_errors():
            find = self._ledger.deliveries.due
            return await asyncio.to_thread(find, self._order.receiver, self._order.product)

    async def _bring(self, item: Due) -> Delivered | None:
        """Try one event; None where the next one may be tried."""
        said = item.entry.announcement
        try:
            with tracing.span(
                f"deliver {said.type}", said.traceparent, kind="client", receiver=self._label
            ):
                answer = await self._channel.send(item.entry)
        except PhasegateError as error:
            return await self._refused(item, Refused(str(error)), unusable=error)
        match answer:
            case Taken():
                await self._settle([item.entry], "sent")
                self.sent += 1
                count(DELIVERIES, receiver=self._label, result="sent")
            case Gone():
                return await self._leave(answer)
            case Refused():
                return await self._refused(item, answer)
        return None

    async def _refused(
        self, item: Due, answer: Refused, unusable: PhasegateError | None = None
    ) -> Delivered | None:
        """Try again later, or give up on this event: an event is tried for its days from when it
        happened, and a receiver that stopped answering has as long from then on. What waits behind
        one that is given up may be just as old: it is tried once more, and given up, too."""
        order, now = self._order, datetime.now(UTC)
        with ledger_errors():
            fail = self._ledger.deliveries.failing
            since = await asyncio.to_thread(fail, order.receiver, order.product, now, answer.why)
        if answer.for_good or now >= max(since, item.since) + self._channel.give_up:
            await self._settle([item.entry], "dead", answer.why)
            log.error("given up", receiver=order.receiver, product=order.product, why=answer.why)
            self.dead += 1
            count(DELIVERIES, receiver=self._label, result="given-up")
            return None
        count(DELIVERIES, receiver=self._label, result="refused")
        if self.sent or self.dead:
            return self._delivered(more=True)  # a new activity counts its attempts from one
        later = max(_pause(activity.info().attempt), answer.wait or timedelta(0))
        if unusable:
            what = f"{order.receiver} cannot be told"
            raise failure(RECEIVER_UNUSABLE, what, answer.why, unusable.hint, retry_after=later)
        raise failure(
            RECEIVER_UNAVAILABLE,
            f"{order.receiver} did not take {item.entry.announcement.id}",
            answer.why,
            f"it is tried again until it is given up; phasegate events list {order.product} --dead",
            retry_after=later,
        )

    async def _leave(self, answer: Gone) -> Delivered:
        order = self._order
        with ledger_errors():
            leave = self._ledger.receivers.going
            now = datetime.now(UTC)
            await asyncio.to_thread(leave, order.receiver, self._channel.address, now)
        log.error("a receiver is gone for good", receiver=order.receiver, why=answer.why)
        return Delivered(text=f"{answer.why}: nothing more is sent")

    async def _settle(self, entries: Sequence[Entry], state: State | None, why: str = "") -> None:
        with ledger_errors():
            note = self._ledger.deliveries.settle
            where = (self._order.receiver, self._order.product, entries)
            await asyncio.to_thread(note, *where, state, datetime.now(UTC), why)

    def _delivered(self, *, more: bool = False) -> Delivered:
        given_up = f", {self.dead} given up" if self.dead else ""
        return Delivered(text=f"{self.sent} sent{given_up}", more=more)


def _pause(attempt: int, longest: timedelta = LONGEST_PAUSE) -> timedelta:
    """Twice as long each time, and not at the same moment for all products of a receiver."""
    longest = min(timedelta(seconds=2 ** min(attempt - 1, 20)), longest)
    return longest * random.uniform(0.75, 1.0)  # noqa: S311  # only to spread the load
