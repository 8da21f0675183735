"""Making lifecycle events known: into the ledger, and one log line each."""

from __future__ import annotations

import structlog
from temporalio import activity

from activities.errors import ledger_errors
from ledger import Ledger
from phasegate import ports
from phasegate.events import Anchor

log = structlog.get_logger(__name__)


class AnnouncementActivities:
    """Repeating a batch changes nothing: events are recognised by their id."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # Where it is called locally and takes too long, it ends by itself: an exception thrown into its
    # thread could hit the database's own bookkeeping.
    @activity.defn(name=ports.ANNOUNCE, no_thread_cancel_exception=True)
    def announce(self, request: ports.AnnounceRequest) -> Anchor:
        """Write the events; where the product's stream then stands.

        Errors: ledger-unavailable (retried; the workflow keeps the events meanwhile).
        """
        with ledger_errors():
            written = self._ledger.record(request.product, request.events)
        for entry in written.new:
            event = entry.announcement
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
