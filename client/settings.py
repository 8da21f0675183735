"""phasegate's own settings, from `PHASEGATE_*`. Temporal's are Temporal's own (`TEMPORAL_*`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ledger import data_dir, ledger_url
from phasegate.ids import MAIN_QUEUE


@dataclass(frozen=True)
class Settings:
    """Where things are. Every field has a working default for one machine."""

    data_dir: Path
    ledger_url: str
    task_queue: str
    ui_url: str

    @classmethod
    def load(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Read PHASEGATE_DATA_DIR, PHASEGATE_LEDGER, PHASEGATE_TASK_QUEUE and PHASEGATE_UI_URL."""
        return cls(
            data_dir=data_dir(env),
            ledger_url=ledger_url(env),
            task_queue=env.get("PHASEGATE_TASK_QUEUE") or MAIN_QUEUE,
            ui_url=(env.get("PHASEGATE_UI_URL") or "http://localhost:8233").rstrip("/"),
        )

    def page(self, workflow_id: str, namespace: str) -> str:
        """The address of a workflow's page in the Temporal UI."""
        quoted = workflow_id.replace("/", "%2F")
        return f"{self.ui_url}/namespaces/{namespace}/workflows/{quoted}"
