"""`phasegate sunset show|confirm`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from commands.options import Key, Output, Text, Watch, Who


async def show(key: Key, /, *, watch: Watch = False, output: Output = "table") -> None:
    """Where a sunset stands: dates, what it waits for and how to answer, every task."""
    from client import sunsets
    from client.engine import Engine
    from commands.output import emit
    from commands.parsing import key_of
    from commands.sunset_blocks import sunset_blocks
    from commands.watching import watched

    known = key_of(key)
    engine = await Engine.connect()
    await watched(
        lambda: sunsets.show(engine, known),
        lambda view: emit(view, lambda: sunset_blocks(view), output),
        done=lambda view: not watch or view.status in ("retired", "aborted", "cancelled"),
    )


async def confirm(
    key: Key,
    task: Annotated[str, Parameter(help="The task that waits")],
    /,
    *,
    note: Annotated[Text, Parameter(help="What shows it")],
    who: Who,
    proof: Annotated[
        list[str] | None,
        Parameter(
            negative=(),
            help="NAME=VALUE, a fact that shows it: a digest, a count. May be given again",
        ),
    ] = None,
    not_done: Annotated[
        bool,
        Parameter(
            negative=(),
            help="Of a task whose result is unknown: it was not done, and may be tried once more",
        ),
    ] = False,
    output: Output = "table",
) -> None:
    """Say that a task is done: one for people, or one of which nobody knows whether it was.

    Where a call was sent and its answer got lost, phasegate does not repeat it: look, and say what
    you found.
    """
    from client import sunsets
    from client.asking import new_request_id
    from client.engine import Engine
    from commands.parsing import build, figures_of, key_of
    from commands.receipts import emit_receipt
    from phasegate.requests import ConfirmRequest

    key = key_of(key)
    request = build(
        ConfirmRequest,
        actor=who,
        task=task,
        note=note,
        outcome="not-done" if not_done else "done",
        proof=figures_of(proof or [], "--proof"),
        request_id=new_request_id(),
    )
    receipt = await sunsets.confirm(await Engine.connect(), key, request)
    emit_receipt(receipt, output, product=key, task=task)
