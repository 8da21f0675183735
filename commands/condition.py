"""`phasegate condition list|close|waive`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.options import Key, Output, Text, Who

if TYPE_CHECKING:
    from commands.options import Format
    from phasegate.base import Wire

Condition = Annotated[str, Parameter(help="The condition's id")]


async def list_(key: Key, /, *, output: Output = "table") -> None:
    """A product's conditions, open and settled; and what is promised at its open gate.

    The gate has yet to decide on the promises (state `promised`).
    """
    from client import conditions
    from client.engine import Engine
    from commands.listing import emit_part
    from commands.parsing import key_of
    from commands.product import condition_grid

    view = await conditions.show(await Engine.connect(), key_of(key))
    emit_part(view.conditions, view, condition_grid(view), output)


async def close(
    key: Key,
    condition: Condition,
    /,
    *,
    note: Annotated[Text, Parameter(help="What shows that it is kept")],
    link: Annotated[str, Parameter(help="Where that can be read")] = "",
    file: Annotated[
        str | None, Parameter(help="A file that shows it; its SHA-256 becomes part of the record")
    ] = None,
    who: Who,
    output: Output = "table",
) -> None:
    """Say that a condition is kept, and what shows it. No gate decides Go over an open one."""
    from client.asking import new_request_id
    from client.evidence import digest_of_file
    from commands.parsing import build
    from phasegate.requests import ConditionRequest

    request = build(
        ConditionRequest,
        actor=who,
        condition=condition,
        note=note,
        link=link,
        digest=digest_of_file(file) if file else "",
        request_id=new_request_id(),
    )
    await _ask(key, condition, request, output)


async def waive(
    key: Key,
    condition: Condition,
    /,
    *,
    note: Annotated[Text, Parameter(help="Why it need not be kept; the record keeps it")],
    who: Who,
    output: Output = "table",
) -> None:
    """Let a condition go unkept. For whoever has the permission `waive` at the product's tier,
    and neither owns the product nor promised it."""
    from client.asking import new_request_id
    from commands.parsing import build
    from phasegate.requests import ConditionRequest

    request = build(
        ConditionRequest,
        actor=who,
        condition=condition,
        action="waive",
        note=note,
        request_id=new_request_id(),
    )
    await _ask(key, condition, request, output)


async def _ask(key: str, condition: str, request: Wire, output: Format) -> None:
    from client import products
    from client.engine import Engine
    from commands.parsing import key_of
    from commands.receipts import emit_receipt

    key = key_of(key)
    receipt = await products.request(await Engine.connect(), key, "condition", request)
    emit_receipt(receipt, output, product=key, condition=condition)
