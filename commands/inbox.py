"""`phasegate inbox`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from commands.options import Output, Who


async def inbox(
    *,
    who: Who,
    limit: Annotated[int, Parameter(help="How many gates at most")] = 1000,
    output: Output = "table",
) -> None:
    """What waits on you, the most urgent first. An empty inbox is fine (exit code 0)."""
    from client import inbox as inboxes
    from client.engine import Engine
    from commands.output import Grid, emit, note
    from commands.parsing import person_of

    who = person_of(who)
    rows = await inboxes.inbox(await Engine.connect(), who, limit=limit)
    columns = ("gate", "round", "step", "group", "respond by", "", "resolve by")
    cells = [
        (
            f"{row.product}/{row.gate}",
            row.round,
            row.step,
            row.group,
            row.respond_due,
            "overdue" if row.overdue else "",
            row.resolve_due,
        )
        for row in rows
    ]
    emit(rows, lambda: [Grid(columns, cells)], output)
    if rows:
        first = f"{rows[0].product}/{rows[0].gate}"
        note(f"hint: phasegate gate show {first}, then phasegate gate vote {first} go --as {who}")
    else:
        note(f"nothing waits on {who}")
