"""How long a vote waits after the only worker was killed with many gates open.

`python -m tests.chaos.first_vote [GATES]`: once while nothing was going on, once in the middle of a
vote at each gate. Counted from the moment at which the next worker says that it has started.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

from client import gates, products
from client.asking import new_request_id
from client.engine import Engine
from phasegate.errors import PhasegateError, Refusal
from phasegate.reading import read_directory, read_policy, read_product
from phasegate.requests import VoteRequest
from tests.chaos.house import House, house
from tests.chaos.scripts import DIRECTORY

POLICY = """
policy: waiting
version: "1"
title: Waiting
phases:
  - id: build
    title: Build
    gate: {id: launch, title: Launch, requires: [{group: product}, {group: eng, need: 2}]}
"""
TOGETHER = 10
BUSY = 0.3
"""Seconds after which the worker is killed in the middle of the votes."""


async def opened(engine: Engine, key: str) -> None:
    text = f"key: {key}\nname: {key}\nowner: olga\n"
    await products.start(
        engine,
        read_product(text, "product"),
        read_policy(POLICY, "policy"),
        read_directory(DIRECTORY, "directory"),
    )
    while True:
        try:
            if (await gates.show(engine, key, "launch")).respond_due is not None:
                return
        except PhasegateError:
            pass
        await asyncio.sleep(0.5)


async def voted(engine: Engine, key: str, who: str) -> float:
    """When a vote was answered, by the monotonic clock; it is repeated as the command line does."""
    request = VoteRequest(approver=who, vote="go", request_id=new_request_id())
    while True:
        try:
            await gates.vote(engine, key, "launch", request)
        except Refusal:
            raise
        except PhasegateError:
            continue
        return time.monotonic()


async def killed(home: House, votes: list[Awaitable[float]]) -> list[float]:
    """Kill the worker while these votes are on their way; seconds from its heir's start to their
    answers, the shortest first."""
    (slot,) = home.crew
    under_way = [asyncio.ensure_future(vote) for vote in votes]
    await asyncio.sleep(BUSY if votes else 0)
    slot.kill()
    await slot.works()
    start = time.monotonic()
    under_way = under_way or [
        asyncio.ensure_future(voted(home.engines[0], f"gate-{n:03}", "bo")) for n in range(TOGETHER)
    ]
    return sorted(max(0.0, at - start) for at in await asyncio.gather(*under_way))


async def main(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="phasegate-chaos-") as folder:
        async with house(Path(folder), workers=1, clients=1, lives=count) as home:
            (engine,) = home.engines
            keys = [f"gate-{n:03}" for n in range(count)]
            room = asyncio.Semaphore(TOGETHER)

            async def one(key: str) -> None:
                async with room:
                    await opened(engine, key)

            await asyncio.gather(*(one(key) for key in keys))
            idle = await killed(home, [])
            print(f"idle: first {idle[0]:.1f} s, last of {len(idle)} {idle[-1]:.1f} s", flush=True)
            busy = await killed(home, [voted(engine, key, "cy") for key in keys])
            late = [wait for wait in busy if wait] or [0.0]
            print(f"busy: first {late[0]:.1f} s, last of {len(late)} {late[-1]:.1f} s", flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
