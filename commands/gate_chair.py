"""`phasegate gate attest|needs-work|extend|override`."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from commands.gate_seats import Reason, ask_gate
from commands.options import Output, Sign, SigningKey, Target, Text, Who, Whole
from commands.signing_words import signing_of, signing_words

Outcome = Literal["go", "conditional-go", "recycle", "hold", "kill"]


async def attest(
    target: Target,
    criterion: Annotated[str, Parameter(help="A criterion that names a group to attest it")],
    state: Annotated[Literal["met", "unmet"], Parameter(help="Whether it is met")],
    /,
    *,
    who: Who,
    note: Annotated[Text, Parameter(help="What shows it")],
    score: Annotated[Whole | None, Parameter(help="How well, 0 to 10; for a should")] = None,
    revision: Annotated[
        str | None,
        Parameter(
            help="The evidence you saw, as `gate show` names it: refused if it has changed since. "
            "If unset, the evidence as it is when this is sent, and stderr says which"
        ),
    ] = None,
    sign: Sign = False,
    key_file: SigningKey = None,
    output: Output = "table",
) -> None:
    """Say whether a criterion is met, as a member of the group that attests it."""
    from client import gates
    from client.asking import new_request_id
    from client.engine import Engine
    from client.signing import ready
    from commands.parsing import build, gate_of
    from commands.receipts import emit_receipt, tell_evidence
    from phasegate.gate_requests import AttestRequest

    request = build(
        AttestRequest,
        actor=who,
        criterion=criterion,
        state=state,
        score=score,
        note=note,
        revision=revision,
        request_id=new_request_id(),
    )
    key, gate = gate_of(target)
    engine = await Engine.connect()
    gate = gate or await gates.resolve(engine, key)
    known = await ready(engine, key, gate, "attest", request, signing_of(sign, key_file))
    receipt = await gates.ask_round(engine, key, gate, "attest", known)
    if request.revision is None:
        tell_evidence(receipt)
    emit_receipt(receipt, output, product=key, gate=gate, criterion=criterion, state=state)


async def needs_work(
    target: Target,
    /,
    *,
    who: Who,
    what: Annotated[Text, Parameter(help="What is missing")],
    sign: Sign = False,
    key_file: SigningKey = None,
    output: Output = "table",
) -> None:
    """Ask the owner for work. The clocks stop until the owner submits the gate again.

    Votes are taken all the while.
    """
    from client.asking import new_request_id
    from commands.parsing import build
    from phasegate.gate_requests import NeedsWorkRequest

    request = build(NeedsWorkRequest, actor=who, what=what, request_id=new_request_id())
    await ask_gate(target, "needs_work", request, output, signing_of(sign, key_file))


async def extend(
    target: Target,
    /,
    *,
    until: Annotated[
        str,
        Parameter(
            help="When the gate has to be decided: 2027-03-01 (the end of that day, UTC), "
            "an instant, or a span from now as '10 days'"
        ),
    ],
    respond: Annotated[
        str | None, Parameter(help="When answers are due, if that changes, too; written the same")
    ] = None,
    who: Who,
    reason: Reason,
    sign: Sign = False,
    key_file: SigningKey = None,
    output: Output = "table",
) -> None:
    """Give a round more time. For whoever has the permission `extend` at the product's tier."""
    from client.asking import new_request_id
    from commands.parsing import build
    from commands.times import instant_of
    from phasegate.gate_requests import ExtendRequest

    request = build(
        ExtendRequest,
        actor=who,
        resolve=instant_of(until, "--until"),
        respond=instant_of(respond, "--respond") if respond else None,
        reason=reason,
        request_id=new_request_id(),
    )
    await ask_gate(target, "extend", request, output, signing_of(sign, key_file))


async def override(
    target: Target,
    outcome: Annotated[Outcome, Parameter(help="What the gate decides")],
    /,
    *,
    who: Who,
    reason: Reason,
    yes: Annotated[bool, Parameter(negative=(), help="Do not ask")] = False,
    sign: Sign = False,
    key_file: SigningKey = None,
    output: Output = "table",
) -> int:
    """Decide in the place of the approvers, whatever votes, criteria and conditions say.

    For whoever has the permission `override` at the product's tier. It stands in the record and
    above everything that shows the gate.
    """
    from shlex import quote

    from client import gates
    from client.asking import new_request_id
    from client.engine import Engine
    from commands.confirming import confirmed
    from commands.failing import DECLINED, OK
    from commands.output import note
    from commands.parsing import build, gate_of
    from commands.receipts import emit_receipt
    from phasegate.gate_requests import OverrideRequest

    key, gate = gate_of(target)
    request = build(
        OverrideRequest,
        actor=who,
        outcome=outcome,
        reason=reason,
        gate=gate,
        request_id=new_request_id(),
    )
    again = f"phasegate gate override {target} {outcome} --as {who} --reason {quote(reason)} --yes"
    again += signing_words(sign, key_file)
    question = f"Override {target} to {outcome}, in the place of its approvers?"
    if not yes and not confirmed(question, again):
        note("nothing was done")
        return DECLINED
    signing = signing_of(sign, key_file)
    receipt = await gates.override(await Engine.connect(), key, gate, request, signing)
    emit_receipt(receipt, output, product=key, gate=gate, actor=who, override=outcome)
    return OK
