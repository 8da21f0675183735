"""What is said about evidence names the revision it saw.

Who types a vote has read the gate some time before. Where they do not name the evidence they read,
the request names what is there as it is sent: a change on its way to the round is then refused as
stale and counts on nothing that nobody saw, and the caller can be told what it counted on.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from temporalio.client import WorkflowQueryFailedError, WorkflowQueryRejectedError

from client.asking import answered, in_step
from client.engine import Engine
from phasegate.errors import EngineError, NotRunning
from phasegate.gate_requests import AttestRequest
from phasegate.ids import gate_id
from phasegate.requests import VoteRequest
from phasegate.views import GateView

Said = TypeVar("Said", VoteRequest, AttestRequest)

LOOK = timedelta(seconds=5)
"""How long one look may take: a worker that was killed must not take all the patience there is."""


async def seeing(engine: Engine, key: str, gate: str, request: Said) -> Said:
    """The same request with the evidence as it is now, unless it names some. Raises EngineError.

    One query, as patient as the request that follows. No round, no revision: what is sent then
    hears why there is none.
    """
    if request.revision is not None:
        return request
    handle = engine.workflow(gate_id(key, gate))
    try:
        view = await answered(
            handle,
            lambda: in_step(lambda: handle.query("show", result_type=GateView, rpc_timeout=LOOK)),
        )
    except NotRunning:
        return request
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        what = f"{gate} of {key} cannot show its evidence"
        raise EngineError(what, str(error), "phasegate doctor") from error
    return request.model_copy(update={"revision": view.revision})
