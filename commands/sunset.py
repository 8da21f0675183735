"""`phasegate sunset show|confirm`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from commands.options import Key, Output, Text, Who


async def show(key: Key, /, *, output: Output = "table") -> None:
    """The timetable of a sunset, and where each task stands."""
    from client import sunsets
    from client.engine import Engine
    from commands.output import Fields, Grid, emit
    from commands.parsing import key_of

    view = await sunsets.show(await Engine.connect(), key_of(key))
    head = Fields(
        [
            ("sunset of", view.product),
            ("status", view.status),
            ("public notice", view.notice_at),
            ("Temporal", view.ui_url),
        ]
    )
    tasks = Grid(
        ("task", "kind", "state", "on", "done", "title", "what shows it"),
        [(t.id, t.kind, t.state, t.at, t.done_at, t.title, t.why) for t in view.tasks],
    )
    emit(view, lambda: [head, tasks], output)


async def confirm(
    key: Key,
    task: Annotated[str, Parameter(help="The manual task that waits")],
    /,
    *,
    note: Annotated[Text, Parameter(help="What shows that it is done")],
    who: Who,
    output: Output = "table",
) -> None:
    """Confirm a manual task of a sunset."""
    from client import sunsets
    from client.asking import new_request_id
    from client.engine import Engine
    from commands.parsing import build, key_of
    from commands.receipts import emit_receipt
    from phasegate.requests import ConfirmRequest

    key = key_of(key)
    request = build(ConfirmRequest, actor=who, task=task, note=note, request_id=new_request_id())
    receipt = await sunsets.confirm(await Engine.connect(), key, request)
    emit_receipt(receipt, output, product=key, task=task)
