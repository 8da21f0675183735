"""How a round ended, for an opener that was not there to hear it."""

from __future__ import annotations

from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import OPENER_BROKEN_OFF, failure, ledger_errors
from ledger import Ledger
from phasegate import ports
from phasegate.sittings import GateReport
from phasegate.views import GateView

BROKEN_OFF = (
    WorkflowExecutionStatus.TERMINATED,
    WorkflowExecutionStatus.FAILED,
    WorkflowExecutionStatus.TIMED_OUT,
)
"""Ways to end without phasegate having a say, from which a reset brings back."""


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


@activity.defn(name=ports.OPENER_RUN)
async def opener_run(query: ports.OpenerQuery) -> ports.OpenerRun:
    """The run that a workflow is in now. A reset leaves the id and starts another run.

    Errors: opener-broken-off where it was terminated or has failed (retried until it is reset), and
    those of Temporal (retried).
    """
    client = activity.client()
    # As the server sends it: attributes and memo need not be read for two fields.
    request = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=query.workflow_id)
    )
    try:
        answer = await client.workflow_service.describe_workflow_execution(request)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return ports.OpenerRun()
        raise
    found = answer.workflow_execution_info
    status = WorkflowExecutionStatus(found.status)
    if status in BROKEN_OFF:
        raise failure(
            OPENER_BROKEN_OFF,
            f"nobody takes the report of this round: {query.workflow_id} was broken off",
            f"it is {status.name.lower()}",
            f"temporal workflow reset --workflow-id {query.workflow_id} --type LastWorkflowTask "
            "--reason 'bring it back'; or terminate this round, too",
        )
    return ports.OpenerRun(run_id=found.execution.run_id)
