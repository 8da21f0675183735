"""Making lifecycle events known: into the ledger, and on to those who are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.errors import ledger_errors
from activities.measuring import OBSERVED, count, took
from activities.receivers import Receivers
from integrations import tracing
from ledger import Ledger
from phasegate import ports
from phasegate.events import Anchor
from phasegate.measures import ANNOUNCED, LEDGER_LAG

log = structlog.get_logger(__name__)


class AnnouncementActivities:
    """Repeating a batch changes nothing: events are recognised by their id."""

    def __init__(
        self,
        ledger: Ledger,
        receivers: Receivers | None = None,
        wake: Callable[[str, Iterable[str]], None] | None = None,
    ) -> None:
        """`wake` is told of every product that something was announced of, and the types. It must
        return at once, and never raise."""
        self._ledger = ledger
        self._receivers = receivers
        self._wake = wake

    # Where it is called locally and takes too long, it ends by itself: an exception thrown into its
    # thread could hit the database's own bookkeeping.
    @activity.defn(name=ports.ANNOUNCE, no_thread_cancel_exception=True)
    def announce(self, request: ports.AnnounceRequest) -> Anchor:
        """Write the events; where the product's stream then stands.

        Errors: ledger-unavailable (retried; the workflow keeps the events meanwhile).
        """
        try:
            with ledger_errors():
                if self._receivers:  # before the first event that they are to be sent
                    self._receivers.enroll()
                written = self._ledger.record(request.product, request.events)
        except ApplicationError:
            for event in request.events[:1]:
                OBSERVED.unwritten(event.source, event.at.timestamp())
            raise
        for event in request.events[:1]:
            OBSERVED.written(event.source)
        # Also for what was there before: the worker that wrote it may have died before this.
        if self._wake:
            self._wake(request.product, [event.type for event in request.events])
        now = datetime.now(UTC)
        for entry in written.new:
            event = entry.announcement
            count(ANNOUNCED, type=event.type)
            took(LEDGER_LAG, now - event.at)
            with tracing.span(
                f"announce {event.type}", event.traceparent, kind="producer", event=event.id
            ):
                pass  # what became of a vote, as a point in its trace
            log.info(
                "announced",
                type=event.type,
                product=event.product,
                actor=event.actor,
                text=event.text,
                id=event.id,
                seq=entry.seq,
            )
        return written.head
