"""A pytest plugin for record.py: what every development server of the tests leaves is kept.

`PHASEGATE_KEEP=FOLDER pytest -p keeping tests/workflows/…` writes each run's history there.
Tests know nothing of it: a server is asked for its histories just before it is stopped.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from saving import save
from temporalio.client import Client
from temporalio.service import RPCError

import client.dev_server as servers

_address: dict[int, str] = {}
_answers, _stop = servers._until_it_answers, servers.stop


async def _until_it_answers(
    address: str, process: asyncio.subprocess.Process, log: Path | None
) -> None:
    await _answers(address, process, log)
    _address[process.pid] = address


async def _stop_and_keep(process: asyncio.subprocess.Process) -> None:
    address = _address.pop(process.pid, None)
    if address and process.returncode is None:
        try:
            folder = Path(os.environ["PHASEGATE_KEEP"])
            await save(await Client.connect(address), folder, prefix=f"{process.pid}-")
        except (RuntimeError, RPCError) as error:
            print(f"nothing is kept of {address}: {error}")
    await _stop(process)


servers._until_it_answers = _until_it_answers
servers.stop = _stop_and_keep
