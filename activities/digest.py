"""The weekly letter: read from lists and the ledger, in pages, and sent once a week."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError

from activities import post
from activities.beating import beating
from activities.channels import Refused, Taken
from activities.errors import (
    RECEIVER_UNAVAILABLE,
    RECEIVER_UNUSABLE,
    failure,
    ledger_errors,
)
from integrations import Digest, Mail
from ledger import Ledger
from phasegate.delivery import DIGEST, SEND_DIGEST, Delivered, DigestOrder
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


class DigestActivities:
    """A week's letter that was sent is not sent again; one that goes out once more, because a
    worker died in between, has the same Message-ID."""

    def __init__(self, ledger: Ledger, mail: Mail | None, digest: Digest | None) -> None:
        self._ledger, self._mail, self._digest = ledger, mail, digest

    @activity.defn(name=SEND_DIGEST)
    async def send_digest(self, order: DigestOrder) -> Delivered:
        """Write the letter of the week that ends at `order.until`, and send it.

        Errors, all retried: receiver-unavailable (for days), receiver-unusable, ledger-unavailable.
        """
        mail, digest = self._mail, self._digest
        if mail is None or digest is None:
            return Delivered(text="this worker is not asked for a digest; nothing is sent")
        place = ("", week_number(order.until))
        with ledger_errors():
            if await asyncio.to_thread(self._ledger.deliveries.sent, DIGEST, {place}):
                return Delivered(text=f"the letter of {week_name(order.until)} was sent already")
        async with beating():
            found = await self._read(activity.client(), order.until)
            said = portfolio_letter(found)
            id = post.message_id(mail.sender, DIGEST, [found.week])
            message = post.blank(mail, digest.to, said.subject, said.text, id)
            try:
                answer = await post.post(mail, message)
            except PhasegateError as error:
                what = "the weekly digest cannot be sent"
                raise failure(RECEIVER_UNUSABLE, what, str(error), error.hint) from None
        if isinstance(answer, Taken):
            with ledger_errors():
                mark = self._ledger.deliveries.mark
                now = datetime.now(UTC)
                await asyncio.to_thread(mark, DIGEST, *place, found.week, "sent", now, "")
            return Delivered(text=f"the letter of {found.week} is sent")
        over = datetime.now(UTC) - activity.info().scheduled_time
        final = isinstance(answer, Refused) and answer.for_good
        if final or over >= mail.give_up.approximate:
            log.error("the weekly digest is given up", week=found.week, why=answer.why)
            return Delivered(text=f"given up: {answer.why}")
        raise failure(
            RECEIVER_UNAVAILABLE,
            "the weekly digest was not taken",
            answer.why,
            "it is tried again until it is given up",
        )

    async def _read(self, client: Client, until: datetime) -> Portfolio:
        overdue = f"{OPEN} AND PhasegateStatus = 'open' AND PhasegateDue < '{until.isoformat()}'"
        in_time = f"{OPEN} AND PhasegateDue >= '{until.isoformat()}'"
        try:
            counts = [(await client.count_workflows(query)).count for query in (OPEN, overdue)]
            late, coming = await _gates(client, overdue), await _gates(client, in_time)
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
        return week


async def _gates(client: Client, query: str) -> list[OpenGate]:
    found = []
    async for execution in client.list_workflows(query, limit=LOOKED_AT):
        known = execution.typed_search_attributes
        named = {name: known.get(key) or "" for name, key in KEYWORDS.items()}
        found.append(OpenGate(**named, due=known.get(DUE)))
    found.sort(key=lambda gate: gate.due.isoformat() if gate.due else "9999")
    return found[:SHOWN]
