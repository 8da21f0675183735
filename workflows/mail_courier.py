"""Mail to one person: what concerns them is gathered for a moment, and goes out as one mail."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from phasegate.delivery import (
        MAIL_COURIER,
        SEND_MAIL,
        Delivered,
        MailBatch,
        MailItems,
        MailOrder,
    )
    from phasegate.errors import PhasegateError, Refusal
    from phasegate.markdown import line
    from phasegate.pseudonyms import in_use
    from workflows.courier import PERSISTENT, WORKER_GONE
    from workflows.queues import queue
    from workflows.refusing import NO_INPUT, count_refusal, read_signal
    from workflows.renewing import go_on, history_is_full

LARGEST = 200
"""Events in one mail."""


@workflow.defn(name=MAIL_COURIER, failure_exception_types=[PhasegateError])
class MailCourier:
    """When twenty gates open, one mail says so. Ends when nothing is left to send.

    What a mail is made of is settled before its first attempt, so that it has the same Message-ID
    however often it is sent.
    """

    @workflow.init
    def __init__(self, order: MailOrder) -> None:
        self._items = list(order.items)
        self._known = {(item.product, item.seq) for item in order.items}

    @workflow.run
    async def run(self, order: MailOrder) -> str:
        said = "nothing was left to send"
        while self._items:
            await workflow.sleep(
                timedelta(seconds=order.gather), summary="what else happens goes into the same mail"
            )
            batch, self._items = self._items[:LARGEST], self._items[LARGEST:]
            self._say(order, f"{len(batch)} events are on their way, {len(self._items)} wait")
            sent = await workflow.execute_activity(
                SEND_MAIL,
                MailBatch(person=order.person, items=batch),
                task_queue=queue("outgoing"),
                result_type=Delivered,
                start_to_close_timeout=timedelta(minutes=2),
                heartbeat_timeout=WORKER_GONE,
                retry_policy=PERSISTENT,
                summary=in_use().said(
                    f"{len(batch)} events to {order.person}", f"{len(batch)} events"
                ),
            )
            self._known.difference_update((item.product, item.seq) for item in batch)
            said = sent.text
            self._say(order, said)
            if self._items and history_is_full():
                go_on(order.model_copy(update={"items": self._items}))
        return said

    def _say(self, order: MailOrder, text: str) -> None:
        workflow.set_current_details(f"### Mail to {line(order.person)}\n\n{line(text)}")

    @workflow.signal(name="add", description="Events that concern this person")
    def add(self, raw: RawValue = NO_INPUT) -> None:
        """Gather these; one that is gathered already is not gathered twice."""
        try:
            more = read_signal(raw, MailItems).items
        except Refusal as refusal:
            count_refusal(refusal)
            return
        for item in more:
            if (item.product, item.seq) not in self._known:
                self._known.add((item.product, item.seq))
                self._items.append(item)
