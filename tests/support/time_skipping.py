"""An engine on a server whose time jumps to the next timer while it is unlocked."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from client.asking import query
from client.engine import Engine
from client.plugin import phasegate_plugin
from client.settings import Settings
from ledger import Ledger
from phasegate.search import ATTRIBUTES
from worker import build_worker

T = TypeVar("T")

SLEEP = 3.0
"""So long a sleep may take in seconds of the wall; it takes a few milliseconds, or for ever."""

TYPES = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
}


@asynccontextmanager
async def skipping_time(folder: Path) -> AsyncIterator[tuple[Engine, WorkflowEnvironment]]:
    """The engine has a worker, and keeps its data in the folder."""
    beside = Path(sys.executable).parent / "temporal-test-server"
    path = str(beside) if beside.exists() else shutil.which("temporal-test-server")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASEGATE_DATA_DIR", str(folder))
        async with await WorkflowEnvironment.start_time_skipping(
            plugins=[phasegate_plugin()], test_server_existing_path=path
        ) as env:
            # This server can add attributes, and neither list nor search them.
            await env.client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(
                    namespace=env.client.namespace,
                    search_attributes={name: TYPES[kind] for name, kind in ATTRIBUTES.items()},
                )
            )
            settings = Settings.load()
            engine = Engine(env.client, Ledger(settings.ledger_url), settings)
            async with build_worker(engine.client, settings):
                yield engine, env
            engine.ledger.close()


async def shown(engine: Engine, workflow_id: str, view: type[T]) -> T:
    """What a workflow shows, asked of itself alone.

    This server describes no workflow whose dates were taken away, and loses a query now and then.
    """
    for _ in range(20):
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                return await query(engine.workflow(workflow_id), "show", view)
    raise AssertionError(f"{workflow_id} shows nothing")


async def pass_until(env: WorkflowEnvironment, instant: datetime) -> None:
    """Let time pass up to an instant.

    This server now and then hangs a sleep that is asked for while a timer fires, or breaks the
    stream of its answer: what is left is asked for again.
    """
    while (rest := instant - await env.get_current_time()) > timedelta(0):
        with suppress(TimeoutError, RPCError):
            await asyncio.wait_for(env.sleep(rest), SLEEP)
