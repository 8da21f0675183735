"""The task queues of an installation: one per kind of work, so that none of it starves another.

`workflows` is what votes wait for: workflows, and activities that ask the ledger and answer at
once. `checks` asks systems outside whether milestones are met, `outgoing` brings events to
subscribers, mailboxes and chat, and `retirement` carries out acts of sunsets. What these three
wait for is slow and somebody else's: while it hangs, votes are taken and gates decide.
"""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal["workflows", "checks", "outgoing", "retirement"]

KINDS: tuple[Kind, ...] = get_args(Kind)


def queue_of(main: str, kind: Kind) -> str:
    """The queue of a kind of work, where products run on the queue `main`."""
    return main if kind == "workflows" else f"{main}-{kind}"
