"""How names are written in search attributes that are asked for: as pseudonyms, and for a while as
they are.

What runs as confidential mode is switched on keeps its plain names until its next run: a product
until its phase ends, a gate until its next round.
"""

from __future__ import annotations

from temporalio.client import Client
from temporalio.service import RPCError

from phasegate.pseudonyms import MARK, PLAIN, Names, in_use

OPEN = "ExecutionStatus = 'Running'"


async def in_the_open(client: Client, among: str = OPEN) -> int:
    """How many workflows are found by the plain name of their owner. Raises RPCError."""
    text = f"PhasegateOwner NOT STARTS_WITH '{MARK}' AND {among}"
    return (await client.count_workflows(text)).count


async def spellings(client: Client, among: str = OPEN) -> tuple[Names, ...]:
    """How to write the names that a query asks for.

    Plain ones are sent to the server only while it has some.
    """
    names = in_use()
    if not names.hidden:
        return (PLAIN,)
    try:
        plain = await in_the_open(client, among)
    except RPCError:  # a store that cannot be asked this: the query itself says what is wrong
        plain = 0
    return (names, PLAIN) if plain else (names,)
