"""Looking at a round before something is said there: what is said about evidence names the revision
it saw.

Who types a vote has read the gate some time before. Where they do not name the evidence they read,
the request names what is there as it is sent: a change on its way to the round is then refused as
stale and counts on nothing that nobody saw, and the caller can be told what it counted on.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import WorkflowQueryFailedError, WorkflowQueryRejectedError

from client.asking import answered, in_step
from client.engine import Engine
from phasegate.errors import EngineError, NotRunning
from phasegate.ids import gate_id
from phasegate.views import GateView

LOOK = timedelta(seconds=5)
"""How long one look may take: a worker that was killed must not take all the patience there is."""


async def look(engine: Engine, key: str, gate: str) -> GateView | None:
    """The open round as it is now; None where there is none. Raises EngineError.

    One query, as patient as the request that follows.
    """
    handle = engine.workflow(gate_id(key, gate))
    try:
        return await answered(
            handle,
            lambda: in_step(lambda: handle.query("show", result_type=GateView, rpc_timeout=LOOK)),
        )
    except NotRunning:
        return None
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        what = f"{gate} of {key} cannot show its evidence"
        raise EngineError(what, str(error), "phasegate doctor") from error
