"""`phasegate product hold|resume|cancel|evidence`: what owners ask of their products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.options import Key, Output, Text, Who

if TYPE_CHECKING:
    from commands.options import Format
    from phasegate.base import Wire

Reason = Annotated[Text, Parameter(help="Why; the record keeps it")]


async def hold(key: Key, /, *, who: Who, reason: Reason = "", output: Output = "table") -> None:
    """Put a product on hold."""
    from commands.parsing import key_of

    await _ask(key_of(key), "hold", _owner_request(who, reason), output)


async def resume(key: Key, /, *, who: Who, reason: Reason = "", output: Output = "table") -> None:
    """Go on after a hold."""
    from commands.parsing import key_of

    await _ask(key_of(key), "resume", _owner_request(who, reason), output)


async def cancel(
    key: Key,
    /,
    *,
    who: Who,
    reason: Reason = "",
    yes: Annotated[bool, Parameter(negative=(), help="Do not ask")] = False,
    dry_run: Annotated[bool, Parameter(negative=(), help="Show what would end")] = False,
    output: Output = "table",
) -> int:
    """End a lifecycle, and the gate or sunset it has open. This cannot be undone."""
    from client import products
    from client.engine import Engine
    from commands.confirming import confirmed
    from commands.failing import DECLINED, OK
    from commands.output import emit, note
    from commands.parsing import key_of
    from commands.product import product_blocks

    key = key_of(key)
    request = _owner_request(who, reason)
    if dry_run:
        view = await products.show(await Engine.connect(), key)
        note(f"would end {key} and what it has open; nothing was done")
        emit(view, lambda: product_blocks(view), output)
        return OK
    again = f"phasegate product cancel {key} --as {who} --yes"
    if not yes and not confirmed(f"End {key} and what it has open? This cannot be undone.", again):
        note("nothing was done")
        return DECLINED
    await _ask(key, "cancel", request, output)
    return OK


async def evidence(
    key: Key,
    /,
    *,
    title: Annotated[Text, Parameter(help="What it is")],
    link: Annotated[str, Parameter(help="Where it can be read")] = "",
    file: Annotated[
        str | None, Parameter(help="A file; its SHA-256 becomes part of the record")
    ] = None,
    figures: Annotated[
        list[str] | None,
        Parameter(
            name="--figure",
            negative=(),
            help="NAME=VALUE for criteria to judge: a number, true, false, or text. "
            "May be given again",
        ),
    ] = None,
    who: Who,
    output: Output = "table",
) -> None:
    """Attach evidence: a link, a file's digest, figures. A file itself is not copied anywhere.

    An open round sees it at once: yes-votes on the old evidence are void, and their voters are
    asked again; other votes stand. Whoever submits evidence has no vote on it.
    """
    from client.asking import new_request_id
    from client.evidence import digest_of_file
    from commands.parsing import build, figures_of, key_of
    from phasegate.requests import EvidenceRequest

    key = key_of(key)
    request = build(
        EvidenceRequest,
        actor=who,
        title=title,
        link=link,
        digest=digest_of_file(file) if file else "",
        figures=figures_of(figures or []),
        request_id=new_request_id(),
    )
    await _ask(key, "evidence", request, output)


def _owner_request(who: str, reason: str) -> Wire:
    from client.asking import new_request_id
    from commands.parsing import build
    from phasegate.requests import OwnerRequest

    return build(OwnerRequest, actor=who, reason=reason, request_id=new_request_id())


async def _ask(key: str, update: str, request: Wire, output: Format) -> None:
    from client import products
    from client.engine import Engine
    from commands.receipts import emit_receipt

    receipt = await products.request(await Engine.connect(), key, update, request)
    emit_receipt(receipt, output, product=key)
