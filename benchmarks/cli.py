"""How long commands take to answer, beside `temporal --help` and a `temporal` that asks the same.

Whole processes, taken in turns. `--help` is the bar; the others are what people wait for.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.harness import Report, ratios, side_by_side, spread
from benchmarks.installation import installation
from benchmarks.made_up import ME, open_products, until_open

FEW = 20
"""Products that are open meanwhile."""


def command(*words: str) -> Callable[[], Awaitable[None]]:
    """Run a command of this installation to its end. Raises RuntimeError if it fails."""
    path = Path(sys.executable).parent / words[0]

    async def run() -> None:
        process = await asyncio.create_subprocess_exec(
            str(path),
            *words[1:],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ,
        )
        _, said = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"{' '.join(words)}: {said.decode()[-300:]}")

    return run


async def measure(report: Report) -> None:
    rounds = report.asked.rounds * 4
    ways = {
        "phasegate --help": command("phasegate", "--help"),
        "phasegate gate vote --help": command("phasegate", "gate", "vote", "--help"),
        "temporal --help": command("temporal", "--help"),
    }
    taken = await side_by_side(rounds, ways)
    for name, seconds in taken.items():
        report.put(name, spread(seconds))
    for name in ways:
        report.put(f"{name}, ratio", ratios(taken[name], taken["temporal --help"]))
    async with installation(report.asked.folder) as home:
        await home.worker()
        await open_products(home.engine, range(FEW), lambda done: None)
        await until_open(home.engine, FEW)
        asking = ("--address", home.server.address)
        taken = await side_by_side(
            report.asked.rounds,
            {
                "phasegate product list": command("phasegate", "product", "list"),
                "phasegate product show": command("phasegate", "product", "show", "p00000"),
                "phasegate gate show": command("phasegate", "gate", "show", "p00000/launch"),
                "phasegate inbox": command("phasegate", "inbox", "--as", ME),
                "temporal workflow list": command("temporal", "workflow", "list", *asking),
            },
        )
        for name, seconds in taken.items():
            report.put(name, spread(seconds))
            report.put(f"{name}, ratio", ratios(seconds, taken["temporal workflow list"]))
