"""How a round ended, for an opener that was not there to hear it."""

from __future__ import annotations

from temporalio import activity

from activities.errors import ledger_errors
from ledger import Ledger
from phasegate import ports
from phasegate.sittings import GateReport
from phasegate.views import GateView


class RoundActivities:
    """The ledger is the authority: a round ends only when what it announced is there."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn(name=ports.READ_ROUND, no_thread_cancel_exception=True)
    def read_round(self, request: ports.RoundRequest) -> ports.RoundAnswer:
        """The last end of this round since it was begun.

        Errors: ledger-unavailable (retried).
        """
        with ledger_errors():
            ends = self._ledger.events(request.product, types=("gate.decided", "gate.abandoned"))
        for entry in reversed(ends):
            said = entry.announcement
            if request.since and said.at < request.since:
                break
            view = GateView.model_validate(said.data["view"])
            if (view.gate, view.round) == (request.gate, request.round):
                return ports.RoundAnswer(report=GateReport.of(view, token=""))
        return ports.RoundAnswer()
