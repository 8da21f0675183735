"""Whether there is something that this command cannot see, for want of the key ring it goes by."""

from __future__ import annotations

from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError

from client.attributes import quoted
from client.engine import Engine
from client.keyring import FILE, load_keyring
from client.keyring_match import THEIRS, require_same
from client.spelling import OPEN
from phasegate.errors import EngineError
from phasegate.pseudonyms import MARK, in_use
from workflows.sealing import ENCODING, Locked

FEW = 3
"""How many workflows are tried, the newest: all of an installation have keys of one ring."""


async def require_keys(engine: Engine) -> None:
    """Raises EngineError where the workers cannot decrypt what is sent from here, or, where none
    is there to be asked, what runs was encrypted with another key ring."""
    client, queue = engine.client, engine.settings.task_queue
    if await require_same(client, queue, load_keyring()):
        return
    if await hidden(engine):
        raise EngineError(
            "what runs here is confidential, and its key ring is not that of this command",
            _why(),
            THEIRS,
        )


async def require_seen(engine: Engine, what: str) -> None:
    """Raises EngineError where `what` may be hidden: that none is found does not mean there is
    none."""
    if await hidden(engine):
        raise EngineError(f"{what} may be hidden from this command", _why(), THEIRS)


async def hidden(engine: Engine) -> bool:
    """Whether open workflows go by pseudonyms that are not those of this process."""
    client, queue = engine.client, quoted(engine.settings.task_queue)
    text = f"PhasegateOwner STARTS_WITH '{MARK}' AND TaskQueue = {queue} AND {OPEN}"
    try:
        if not in_use().hidden:
            return (await client.count_workflows(text)).count > 0
        newest = [execution async for execution in client.list_workflows(text, limit=FEW)]
        return any([await _is_locked(client, execution) for execution in newest])
    except RPCError:  # a store that cannot be asked this, or one that was removed meanwhile
        return False


def _why() -> str:
    if in_use().hidden:
        return "names here are pseudonyms by another key ring than the one of this command"
    return f"names here are pseudonyms, and this command has no key ring: {FILE} is not set"


async def _is_locked(client: Client, execution: WorkflowExecution) -> bool:
    """Whether nobody here can read what a workflow was started with."""
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    async for event in handle.fetch_history_events(page_size=1):
        given = event.workflow_execution_started_event_attributes.input.payloads
        return await _remain_locked(client, list(given))
    return False


async def _remain_locked(client: Client, payloads: list[Payload]) -> bool:
    codec = client.data_converter.payload_codec
    if codec is None:
        return False
    try:
        opened = await codec.decode(payloads)
    except Locked:
        return True
    return any(payload.metadata.get("encoding") == ENCODING.encode() for payload in opened)
