"""Carries out one act in a process of its own, that can be killed: `actor.py LEDGER ORDER`."""

from __future__ import annotations

import asyncio
import sys

from acting import Acting

from ledger import Ledger
from phasegate.sunset_ports import ActOrder


async def main(url: str, order: str) -> None:
    result = await Acting(Ledger(url)).carry_out(ActOrder.model_validate_json(order))
    print(result.model_dump_json())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
