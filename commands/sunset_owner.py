"""`phasegate sunset start|abort|legal-hold`: what decides on a whole sunset."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from commands.options import Key, Output, Text, Who

Yes = Annotated[bool, Parameter(negative=(), help="Do not ask")]


async def start(
    key: Key,
    file: Annotated[str | None, Parameter(help="The plan: what to change in the policy's")] = None,
    /,
    *,
    who: Who,
    notice: Annotated[str | None, Parameter(help="The day of the public notice")] = None,
    reason: Annotated[Text, Parameter(help="Why now; the record keeps it")] = "",
    yes: Yes = False,
    dry_run: Annotated[
        bool, Parameter(negative=(), help="Show the calendar and the gates; start nothing")
    ] = False,
    output: Output = "table",
) -> int:
    """Record the plan, if one is given, and submit the gate that decides on the sunset.

    Nothing happens before that gate says Go. Without FILE and --notice the plan counts that was
    recorded before, or else the policy's own.
    """
    from client import sunsets
    from client.asking import new_request_id
    from client.engine import Engine
    from commands.confirming import at_terminal, confirmed
    from commands.failing import DECLINED, OK
    from commands.output import note
    from commands.parsing import build, key_of
    from commands.receipts import emit_receipt
    from commands.sunset_plan import plan, record
    from phasegate.requests import SubmitRequest

    key = key_of(key)
    engine = await Engine.connect()
    gate = await sunsets.find_gate_out(engine, key)
    opens = f"{gate} would open" if gate else "the sunset would begin"
    if dry_run:
        found = await plan(key, file, notice=notice, dry_run=True, output=output)
        note(f"{opens}; nothing was done")
        return found
    if not yes and at_terminal():
        question = f"Submit {gate or 'the end'} of {key}, which decides on its sunset?"
        again = f"phasegate sunset start {key} --as {who} --yes"
        if not confirmed(question, again):
            note("nothing was done")
            return DECLINED
    request = build(SubmitRequest, actor=who, reason=reason, request_id=new_request_id())
    if file is not None or notice is not None:
        note((await record(engine, key, file, notice, who)).text)
    receipt = await sunsets.start(engine, key, request)
    emit_receipt(receipt, output, product=key, gate=gate)
    return OK


async def abort(
    key: Key,
    /,
    *,
    who: Who,
    reason: Annotated[Text, Parameter(help="Why; the record keeps it")],
    yes: Yes = False,
    dry_run: Annotated[
        bool, Parameter(negative=(), help="List what would be undone, and what cannot be")
    ] = False,
    output: Output = "table",
) -> int:
    """Undo what the sunset did, the last first, and bring the product back into the market.

    Possible until the gate that is the point of no return has passed.
    """
    from shlex import quote

    from client import sunsets
    from client.asking import new_request_id
    from client.engine import Engine
    from commands.confirming import confirmed
    from commands.failing import DECLINED, OK
    from commands.output import emit, note
    from commands.parsing import build, key_of
    from commands.receipts import emit_receipt
    from commands.sunset_blocks import undo_blocks
    from phasegate.requests import AbortRequest

    key = key_of(key)
    request = build(AbortRequest, actor=who, reason=reason, request_id=new_request_id())
    engine = await Engine.connect()
    if dry_run:
        found = await sunsets.undoing_of(engine, key)
        emit(found, lambda: undo_blocks(found), output)
        note("nothing was done" if found else "there is nothing to undo; nothing was done")
        return OK
    again = f"phasegate sunset abort {key} --as {who} --reason {quote(reason)} --yes"
    question = f"Undo the sunset of {key}, and bring it back into the market?"
    if not yes and not confirmed(question, again):
        note("nothing was done")
        return DECLINED
    receipt = await sunsets.abort(engine, key, request)
    emit_receipt(receipt, output, product=key)
    return OK


async def legal_hold(
    key: Key,
    matter: Annotated[str, Parameter(help="What the hold is known by, such as case-77")],
    /,
    *,
    who: Who,
    reason: Annotated[Text, Parameter(help="Why; the record keeps it")],
    lift: Annotated[bool, Parameter(negative=(), help="Lift it")] = False,
    output: Output = "table",
) -> None:
    """Place a legal hold, or lift it: nothing is deleted while one is placed.

    Before a sunset and during it. Who may is said by the policy; else the owner.
    """
    from client import sunsets
    from client.asking import new_request_id
    from client.engine import Engine
    from commands.parsing import build, key_of
    from commands.receipts import emit_receipt
    from phasegate.requests import LegalHoldRequest

    key = key_of(key)
    request = build(
        LegalHoldRequest,
        actor=who,
        matter=matter,
        reason=reason,
        lift=lift,
        request_id=new_request_id(),
    )
    receipt = await sunsets.legal_hold(await Engine.connect(), key, request)
    emit_receipt(receipt, output, product=key, matter=matter)
