"""`phasegate product update|handover|revive`: what changes a product, or brings it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.options import Key, Output, Text, Who

if TYPE_CHECKING:
    from client.differences import FieldChange
    from commands.output import Block

Reason = Annotated[Text, Parameter(help="Why; the record keeps it")]


async def update(
    file: Annotated[str, Parameter(help="The product's whole new definition (YAML)")],
    /,
    *,
    who: Who,
    note: Annotated[Text, Parameter(help="What is new, or why; the record keeps it")] = "",
    dry_run: Annotated[
        bool, Parameter(negative=(), help="Show what would change; change nothing")
    ] = False,
    output: Output = "table",
) -> None:
    """Replace a product's definition. Key, policy and owner stay as they are.

    An open round sees it at once: yes-votes on what the product was are void, and their voters
    are asked again. A smaller launch (a higher tier) is sent by itself, by whoever may waive.
    """
    from client import changing, products
    from client.asking import new_request_id
    from client.differences import field_changes
    from client.documents import check_update, find_product, refuse
    from client.engine import Engine
    from commands.output import emit
    from commands.output import note as say
    from commands.parsing import build
    from commands.receipts import emit_receipt
    from phasegate.requests import UpdateProductRequest

    new = find_product(file)
    key = new.model.key
    request = build(
        UpdateProductRequest,
        actor=who,
        product=new.model,
        note=note,
        request_id=new_request_id(),
    )
    engine = await Engine.connect()
    found = check_update(new, await products.show(engine, key), engine.ledger)
    refuse(found)
    for _, problem in found:
        say(f"warning: {problem}")
    if dry_run:
        changes = field_changes(await changing.definition(engine, key), new.model)
        document = {"schema_version": 1, "product": key, "changes": changes}
        emit(document, lambda: [_grid(changes)], output)
        say(f"{len(changes)} fields would change; nothing was done")
        return
    emit_receipt(await changing.update(engine, key, request), output, product=key)


def _grid(changes: list[FieldChange]) -> Block:
    import json

    from commands.output import Grid

    def said(value: object) -> str:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    return Grid(("field", "is", "would be"), [(c.field, said(c.old), said(c.new)) for c in changes])


async def handover(
    key: Key,
    to: Annotated[str, Parameter(name="NEW", help="The new owner, as the directory has them")],
    /,
    *,
    who: Who,
    reason: Reason,
    output: Output = "table",
) -> None:
    """Give a product another owner. Its owner may, and a manager of theirs.

    The open conditions of the old owner go along. Neither of the two votes at a gate that is open.
    """
    from client import changing
    from client.asking import new_request_id
    from client.engine import Engine
    from commands.parsing import build, key_of
    from commands.receipts import emit_receipt
    from phasegate.requests import HandoverRequest

    key = key_of(key)
    request = build(HandoverRequest, actor=who, to=to, reason=reason, request_id=new_request_id())
    receipt = await changing.handover(await Engine.connect(), key, request)
    emit_receipt(receipt, output, product=key, owner=to)


async def revive(
    key: Key,
    /,
    *,
    who: Who,
    reason: Reason,
    yes: Annotated[bool, Parameter(negative=(), help="Do not ask")] = False,
    output: Output = "table",
) -> int:
    """Bring a killed product back to the phase it was killed in.

    For whoever has the permission `override` at its tier. Its dates move by as long as it was
    dead, and its owner submits the gate when it is ready.
    """
    from shlex import quote

    from client import changing
    from client.asking import new_request_id
    from client.engine import Engine
    from commands.confirming import confirmed
    from commands.failing import DECLINED, OK
    from commands.output import note
    from commands.parsing import build, key_of
    from commands.receipts import emit_receipt
    from phasegate.requests import ReviveRequest

    key = key_of(key)
    request = build(ReviveRequest, actor=who, reason=reason, request_id=new_request_id())
    again = f"phasegate product revive {key} --as {who} --reason {quote(reason)} --yes"
    if not yes and not confirmed(f"Bring {key} back, which a gate killed?", again):
        note("nothing was done")
        return DECLINED
    receipt = await changing.revive(await Engine.connect(), key, request)
    emit_receipt(receipt, output, product=key)
    return OK
