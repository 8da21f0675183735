"""One object to hold: Temporal, the ledger and the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from temporalio.client import Client, WorkflowHandle

from client.connection import connect
from client.settings import Settings
from ledger import Ledger


@dataclass(frozen=True)
class Engine:
    """What every call of this package takes first."""

    client: Client
    ledger: Ledger
    settings: Settings

    @classmethod
    async def connect(cls, settings: Settings | None = None) -> Engine:
        """Connect with the settings of the environment. Raises EngineError."""
        settings = settings or Settings.load()
        client = await connect(to=settings.task_queue)
        return cls(client, Ledger(settings.ledger_url), settings)

    def workflow(self, workflow_id: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(workflow_id)

    def page(self, workflow_id: str) -> str:
        """The address of a workflow's page in the Temporal UI."""
        return self.settings.page(workflow_id, self.client.namespace)
