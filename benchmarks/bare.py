"""The worker of the floors, with the settings of ours.

Sandbox, converter and interceptors are the SDK's own: what ours cost more counts against us.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from pathlib import Path

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from benchmarks.floors import Counting, Writing
from client.tuning import CACHED, Tuning
from worker import MISSED

QUEUE = "floor"


class Notebook:
    """A line in a database for each call: no hash chain, nothing else."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("CREATE TABLE IF NOT EXISTS votes (run TEXT, votes INTEGER)")

    @activity.defn
    async def write_down(self, votes: int) -> None:
        run = activity.info().workflow_run_id
        self._database.execute("INSERT INTO votes VALUES (?, ?)", (run, votes))


def bare_worker(client: Client, notebook: Path) -> Worker:
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=[Counting, Writing],
        activities=[Notebook(notebook).write_down],
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        sticky_queue_schedule_to_start_timeout=MISSED,
        max_cached_workflows=CACHED,
        tuner=Tuning.load().tuner("workflows"),
    )


async def serve(address: str) -> None:
    """Work until the process is ended."""
    notebook = Path(os.environ["PHASEGATE_DATA_DIR"]) / "notebook.db"
    async with bare_worker(await Client.connect(address), notebook):
        print("worker started", file=sys.stderr, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
