"""The weekly letter: read from lists and the ledger, in pages, and sent once a week."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError

from activities import post
from activities.beating import beating
from activities.channels import Answer, Refused
from activities.errors import (
    RECEIVER_UNAVAILABLE,
    RECEIVER_UNUSABLE,
    failure,
    ledger_errors,
)
from integrations.document import Digest, Mail
from ledger import Ledger
from ledger.deliveries import State
from ledger.naming import Register
from phasegate.delivery import DIGEST, SEND_DIGEST, Delivered, DigestOrder, letter
from phasegate.digest import (
    SHOWN,
    TYPES,
    OpenGate,
    Portfolio,
    Week,
    portfolio_letter,
    week_name,
    week_number,
)
from phasegate.errors import PhasegateError
from phasegate.letters import Letter

OPEN = "WorkflowType = 'GateReview' AND ExecutionStatus = 'Running'"
WEEK = timedelta(days=7)
LOOKED_AT = 500
"""Gates of a list that are read, to show the most urgent of them; all are counted."""

KEYWORDS = {
    name: SearchAttributeKey.for_keyword(f"Phasegate{name.title()}")
    for name in ("product", "gate", "owner")
}
DUE = SearchAttributeKey.for_datetime("PhasegateDue")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Unusable(Refused):
    """It cannot be sent as this installation is set up."""

    hint: str = ""


class DigestActivities:
    """Each address has a letter of its own. One that was sent a week's letter is not sent it again;
    a letter that goes out once more, because a worker died in between, has the same Message-ID."""

    def __init__(self, ledger: Ledger, mail: Mail | None, digest: Digest | None) -> None:
        self._ledger, self._mail, self._digest = ledger, mail, digest

    @activity.defn(name=SEND_DIGEST)
    async def send_digest(self, order: DigestOrder) -> Delivered:
        """Write the letter of the week that ends at `order.until`, and send it.

        Errors, all retried: receiver-unavailable and receiver-unusable, for days; an address that
        is refused for good is given up at once. And ledger-unavailable, without end.
        """
        mail, digest = self._mail, self._digest
        if mail is None or digest is None:
            return Delivered(text="this worker is not asked for a digest; nothing is sent")
        week, number = week_name(order.until), week_number(order.until)
        with ledger_errors():
            waiting = await asyncio.to_thread(self._waiting, digest, number)
        if not waiting:
            return Delivered(text=f"the letter of {week} was sent already")
        async with beating():
            said = portfolio_letter(await self._read(activity.client(), order.until))
            refused: dict[str, Refused] = {}
            for to in waiting:
                answer = await self._send(mail, to, week, said)
                if isinstance(answer, Refused):
                    refused[to] = answer
                else:
                    await self._mark(to, number, week, "sent")
        over = datetime.now(UTC) - activity.info().scheduled_time >= mail.give_up.approximate
        dead = {to: answer for to, answer in refused.items() if answer.for_good or over}
        for to, answer in dead.items():
            log.error("the weekly digest is given up", to=to, week=week, why=answer.why)
            await self._mark(to, number, week, "dead", answer.why)
        self._again([answer for to, answer in refused.items() if to not in dead])
        if dead:
            return Delivered(text=f"given up: {'; '.join(a.why for a in dead.values())}"[:1000])
        return Delivered(text=f"the letter of {week} is sent")

    def _waiting(self, digest: Digest, number: int) -> list[str]:
        """Who has not had the letter. Who was given up since this was asked for is not tried again,
        until somebody asks anew."""
        begun = activity.info().scheduled_time.replace(microsecond=0)  # as marks are kept
        names = {to: letter(to) for to in dict.fromkeys(digest.to)}
        marks = self._ledger.deliveries.known("", number, [DIGEST, *names.values()])
        if DIGEST in marks:  # by an older release, to all of them
            return []
        done = {m.receiver for m in marks.values() if m.state == "sent" or m.at >= begun}
        return [to for to, name in names.items() if name not in done]

    async def _send(self, mail: Mail, to: str, week: str, said: Letter) -> Answer:
        id = post.message_id(mail.sender, letter(to), [week])
        try:
            return await post.post(mail, post.blank(mail, [to], said.subject, said.text, id))
        except PhasegateError as error:
            return Unusable(str(error), hint=error.hint)
        except (ValueError, IndexError) as error:  # what no header can hold
            return Refused(f"{to}: no mail can be written: {error}", for_good=True)

    def _again(self, refused: Sequence[Refused]) -> None:
        """Have it tried again where somebody has not had it yet."""
        if not refused:
            return
        why = "; ".join(answer.why for answer in refused)[:1000]
        for answer in refused:
            if isinstance(answer, Unusable):
                what = "the weekly digest cannot be sent"
                raise failure(RECEIVER_UNUSABLE, what, why, answer.hint)
        raise failure(
            RECEIVER_UNAVAILABLE,
            "the weekly digest was not taken",
            why,
            "it is tried again until it is given up",
        )

    async def _mark(self, to: str, number: int, week: str, state: State, why: str = "") -> None:
        with ledger_errors():
            mark, now = self._ledger.deliveries.mark, datetime.now(UTC)
            await asyncio.to_thread(mark, letter(to), "", number, week, state, now, why)

    async def _read(self, client: Client, until: datetime) -> Portfolio:
        overdue = f"{OPEN} AND PhasegateStatus = 'open' AND PhasegateDue < '{until.isoformat()}'"
        register = Register(self._ledger)
        in_time = f"{OPEN} AND PhasegateDue >= '{until.isoformat()}'"
        try:
            counts = [(await client.count_workflows(query)).count for query in (OPEN, overdue)]
            late = await _gates(client, overdue, register)
            coming = await _gates(client, in_time, register)
        except RPCError as error:
            what, hint = "the open gates cannot be listed", "phasegate doctor"
            raise failure(RECEIVER_UNAVAILABLE, what, error.message, hint) from None
        with ledger_errors():
            record = await asyncio.to_thread(self._record, until - WEEK)
        return Portfolio(
            week=week_name(until),
            counted=counts[0],
            counted_overdue=counts[1],
            open=coming,
            overdue=late,
            record=record,
        )

    def _record(self, since: datetime) -> Week:
        """One pass over the ledger, never more than one product in memory."""
        week = Week()
        with closing(self._ledger.scan(TYPES)) as products:
            for key, events in products:
                week.add(key, events, since)
        streams = self._ledger.streams()
        heads = ((key, streams[key]) for key in week.decided_on if key in streams)
        week.heads = [f"{key} {head.seq} {head.hash}" for key, head in heads]
        return week


async def _gates(client: Client, query: str, register: Register) -> list[OpenGate]:
    found = []
    async for execution in client.list_workflows(query, limit=LOOKED_AT):
        known = execution.typed_search_attributes
        named = {name: known.get(key) or "" for name, key in KEYWORDS.items()}
        named["owner"] = register.person(named["owner"], named["product"])
        found.append(OpenGate(**named, due=known.get(DUE)))
    found.sort(key=lambda gate: gate.due.isoformat() if gate.due else "9999")
    return found[:SHOWN]
