"""`phasegate condition list|close`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from commands.options import Key, Output, Text, Who


async def list_(key: Key, /, *, output: Output = "table") -> None:
    """A product's conditions, open and closed."""
    from client import products
    from client.engine import Engine
    from commands.listing import emit_part
    from commands.parsing import key_of
    from commands.product import condition_grid

    view = await products.show(await Engine.connect(), key_of(key))
    emit_part(view.conditions, view, condition_grid(view), output)


async def close(
    key: Key,
    condition: Annotated[str, Parameter(help="The condition's id")],
    /,
    *,
    note: Annotated[Text, Parameter(help="What shows that it is kept")],
    who: Who,
    output: Output = "table",
) -> None:
    """Say that a condition is kept, and what shows it. No gate decides Go over an open one."""
    from client import products
    from client.asking import new_request_id
    from client.engine import Engine
    from commands.parsing import build, key_of
    from commands.receipts import emit_receipt
    from phasegate.requests import ConditionRequest

    key = key_of(key)
    request = build(
        ConditionRequest, actor=who, condition=condition, note=note, request_id=new_request_id()
    )
    receipt = await products.request(await Engine.connect(), key, "condition", request)
    emit_receipt(receipt, output, product=key, condition=condition)
