"""The Temporal histories of a product, as the server has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from temporalio.client import Client
from temporalio.service import RPCError

from phasegate.audit.container import HISTORIES
from phasegate.audit.record import HistoryKept
from phasegate.ids import product_id

MOST_BYTES = 256 * 1024 * 1024
"""Of histories in a bundle. What is more is named, and left out."""


@dataclass
class Kept:
    """The members of a bundle, and what there is to say of each history."""

    members: dict[str, bytes] = field(default_factory=dict)
    said: list[HistoryKept] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


async def histories(client: Client, key: str) -> Kept:
    """Every history of the product that Temporal still has. In confidential mode they stay
    encrypted: nothing is decoded. Raises RPCError where Temporal does not answer."""
    kept, size = Kept(), 0
    async for workflow_id, run_id in runs(client, key):
        try:
            handle = client.get_workflow_handle(workflow_id, run_id=run_id)
            found = await handle.fetch_history()
        except RPCError as error:
            missing = HistoryKept(workflow_id=workflow_id, run_id=run_id, missing=error.message)
            kept.said.append(missing)
            continue
        text = found.to_json().encode() + b"\n"
        size += len(text)
        if size > MOST_BYTES:
            size -= len(text)
            why = f"left out: histories of more than {MOST_BYTES // 2**20} MiB are not exported"
            kept.said.append(HistoryKept(workflow_id=workflow_id, run_id=run_id, missing=why))
            continue
        name = f"{HISTORIES}{workflow_id.replace('/', '.')}-{run_id}.json"
        kept.members[name] = text
        kept.said.append(
            HistoryKept(workflow_id=workflow_id, run_id=run_id, file=name, events=len(found.events))
        )
    kept.said.sort(key=lambda one: (one.workflow_id, one.run_id))
    return kept


async def runs(client: Client, key: str) -> AsyncIterator[tuple[str, str]]:
    """The workflows of a product and their runs, of which Temporal still knows."""
    own = product_id(key)
    query = f"WorkflowId = '{own}' OR WorkflowId STARTS_WITH '{own}/'"
    async for found in client.list_workflows(query):
        yield found.id, found.run_id
