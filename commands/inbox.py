"""`phasegate inbox`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.options import Output, Watch, Who

if TYPE_CHECKING:
    from commands.options import Format
    from phasegate.views import InboxRow


async def inbox(
    *,
    who: Who,
    limit: Annotated[int, Parameter(help="How many gates at most")] = 1000,
    watch: Watch = False,
    output: Output = "table",
) -> None:
    """Open gates that wait for your vote, the most urgent first. None is fine (exit code 0)."""
    from client import inbox as inboxes
    from client.engine import Engine
    from commands.parsing import person_of
    from commands.watching import watched

    who = person_of(who)
    engine = await Engine.connect()
    await watched(
        lambda: inboxes.inbox(engine, who, limit=limit),
        lambda rows: _show(rows, who, output),
        done=lambda _: not watch,
    )


def _show(rows: list[InboxRow], who: str, output: Format) -> None:
    from commands.output import Grid, emit, note

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
        note(f"no open gate waits for the vote of {who}")
