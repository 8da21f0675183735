"""How soon a vote is taken after the only worker was killed, with many gates open."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from benchmarks.harness import spread
from benchmarks.installation import Installation, WorkerProcess
from benchmarks.made_up import GATE, engineers, key_of
from client import gates
from client.asking import new_request_id
from client.engine import Engine
from phasegate.errors import PhasegateError, Refusal
from phasegate.requests import VoteRequest

TOGETHER = 10
"""Votes that people cast at once, each at a gate of its own."""


async def voted(engine: Engine, number: int, who: str) -> float:
    """When a vote was answered, by the monotonic clock; it is repeated as the command line does."""
    request = VoteRequest(approver=who, vote="go", request_id=new_request_id())
    while True:
        try:
            await gates.vote(engine, key_of(number), GATE, request)
        except Refusal:
            raise
        except PhasegateError:
            continue
        return time.monotonic()


async def restart(
    home: Installation, worker: WorkerProcess, size: int, rounds: int
) -> dict[str, Any]:
    """Kill the worker and start it again, some rounds; seconds to the first of ten votes and to the
    last, from the moment at which the new worker says that it works, and from the kill.

    Each round votes at other gates, from the last product backwards, so that no gate decides; where
    there are too few, the next engineer votes.
    """
    first, last, whole, starting = [], [], [], []
    for number in range(rounds):
        killed = time.monotonic()
        await worker.kill()
        await worker.start()
        works = time.monotonic()
        turn, place = divmod(number * TOGETHER, size - size % TOGETHER)
        votes = [
            voted(home.engine, at, engineers(at)[turn % 2])
            for at in range(size - 1 - place, size - 1 - place - TOGETHER, -1)
        ]
        answered = sorted(await asyncio.wait_for(asyncio.gather(*votes), 120))
        first.append(answered[0] - works)
        last.append(answered[-1] - works)
        whole.append(answered[0] - killed)
        starting.append(works - killed)
    return {
        "gates": size,
        "first": spread(first),
        "last of ten": spread(last),
        "first, from the kill": spread(whole),
        "a worker's start": spread(starting),
    }
