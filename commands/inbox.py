"""`phasegate inbox`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.options import Output, Watch, Who, Whole

if TYPE_CHECKING:
    from commands.options import Format
    from phasegate.rows import InboxRow


async def inbox(
    *,
    who: Who,
    limit: Annotated[Whole, Parameter(help="How many gates at most")] = 1000,
    watch: Watch = False,
    output: Output = "table",
) -> None:
    """Open gates that wait for you, the most urgent first. None is fine (exit code 0).

    For your vote, for that of somebody you act for (named under `for`), for your word on a
    criterion (group `attests CRITERION`), or, for the owner and the team, for work that an approver
    asked for (group `owner`).
    """
    from client import inbox as inboxes
    from client.covering import known
    from client.engine import Engine
    from client.hidden import require_seen
    from commands.failing import tell
    from commands.parsing import person_of
    from commands.watching import watched
    from phasegate.errors import EngineError

    who = person_of(who)
    engine = await Engine.connect()

    async def look() -> list[InboxRow]:
        rows = await inboxes.inbox(engine, who, limit=limit)
        try:
            await require_seen(engine, f"{'other ' if rows else ''}gates that wait for {who}")
        except EngineError as error:
            if not rows:
                raise
            tell(error)
        return rows

    await watched(
        look,
        lambda rows: _show(rows, who, output, known=bool(rows) or known(engine.ledger, who)),
        done=lambda _: not watch,
    )


def _show(rows: list[InboxRow], who: str, output: Format, *, known: bool) -> None:
    from commands.output import Grid, emit, note

    columns = ["gate", "for", "round", "step", "group", "since", "respond by", "", "resolve by"]
    takes = any(row.assurance == "signed" for row in rows)
    columns += ["takes"] if takes else []
    cells = [
        (
            f"{row.product}/{row.gate}",
            row.on_behalf_of or "",
            row.round,
            row.step,
            row.group,
            row.since,
            row.respond_due,
            "overdue" if row.overdue else "",
            row.resolve_due,
            *(["what is signed" if row.assurance == "signed" else ""] if takes else []),
        )
        for row in rows
    ]
    emit(rows, lambda: [Grid(columns, cells)], output)
    note(f"hint: {_next(rows[0], who)}" if rows else f"no open gate waits for {who}")
    if not known:
        note(f"no directory knows {who}")


def _next(row: InboxRow, who: str) -> str:
    """What to do about a row."""
    from client.inbox import ATTESTS, OWNER

    place, seen = f"{row.product}/{row.gate}", f" --revision {row.revision}"
    seen += " --sign" if row.assurance == "signed" else ""
    if row.group == OWNER:
        answer = f"phasegate gate submit {place} --as {who}"
    elif row.group.startswith(ATTESTS):
        criterion = row.group.removeprefix(ATTESTS).split(", ")[0]
        answer = f"phasegate gate attest {place} {criterion} met --note WHY --as {who}{seen}"
    else:
        whose = f" --for {row.on_behalf_of}" if row.on_behalf_of else ""
        answer = f"phasegate gate vote {place} go --as {who}{whose}{seen}"
    return f"phasegate gate show {place} && {answer}"
