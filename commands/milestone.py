"""`phasegate milestone list|report|replan|waive`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from commands.options import Format, Key, Output, Text, Who

Milestone = Annotated[str, Parameter(help="The milestone")]
Note = Annotated[Text, Parameter(help="What shows it, or why; the record keeps it")]


async def list_(key: Key, /, *, output: Output = "table") -> None:
    """A product's milestones: planned, due, expected, actual, and the slip in days.

    `planned` is the first date a milestone had. The slip is what it is expected, or came, later; a
    negative one was met early.
    """
    from client import products
    from client.engine import Engine
    from client.forecasts import milestone_rows
    from commands.foreseeing import foreseen
    from commands.listing import emit_part
    from commands.parsing import key_of
    from commands.product import milestone_grid

    engine = await Engine.connect()
    view = await products.show(engine, key_of(key))
    view.forecast = await foreseen(engine, view)
    emit_part(milestone_rows(view, view.forecast), view, milestone_grid(view), output)


async def report(
    key: Key, milestone: Milestone, /, *, who: Who, note: Note = "", output: Output = "table"
) -> None:
    """Report a milestone met: its owner may, and the group that the policy names."""
    await _ask(key, milestone, "report", who, note, output)


async def replan(
    key: Key,
    milestone: Milestone,
    due: Annotated[str, Parameter(help="2028-02-11 (the end of that day, UTC) or an instant")],
    /,
    *,
    who: Who,
    note: Note = "",
    output: Output = "table",
) -> None:
    """Give a milestone another date."""
    await _ask(key, milestone, "replan", who, note, output, due=due)


async def waive(
    key: Key, milestone: Milestone, /, *, who: Who, note: Note = "", output: Output = "table"
) -> None:
    """Say that a milestone is not needed: gates no longer wait for it."""
    await _ask(key, milestone, "waive", who, note, output)


async def _ask(
    key: str,
    milestone: str,
    action: str,
    who: str,
    note: str,
    output: Format,
    due: str | None = None,
) -> None:
    from client import products
    from client.asking import new_request_id
    from client.engine import Engine
    from commands.parsing import build, key_of
    from commands.receipts import emit_receipt
    from phasegate.requests import MilestoneRequest

    key = key_of(key)
    request = build(
        MilestoneRequest,
        actor=who,
        milestone=milestone,
        action=action,
        due=due,
        note=note,
        request_id=new_request_id(),
    )
    receipt = await products.request(await Engine.connect(), key, "milestone", request)
    emit_receipt(receipt, output, product=key, milestone=milestone)
