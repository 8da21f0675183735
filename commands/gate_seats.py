"""`phasegate gate withdraw|delegate|reassign`: votes taken back, seats given to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.options import Output, Sign, SigningKey, Target, Text, Who
from commands.signing_words import signing_of

if TYPE_CHECKING:
    from client.signing import Signing
    from commands.options import Format
    from phasegate.gate_requests import Spoken
    from phasegate.signing import Action

Reason = Annotated[Text, Parameter(help="Why; the record keeps it")]
Instant = "2027-03-01 (a day in UTC), an instant as 2027-03-01T09:00:00Z, or a span from now"


async def withdraw(
    target: Target,
    /,
    *,
    who: Who,
    on_behalf_of: Annotated[
        str | None, Parameter(name="--for", help="Whose vote, if you voted for several")
    ] = None,
    reason: Reason = "",
    sign: Sign = False,
    key_file: SigningKey = None,
    output: Output = "table",
) -> None:
    """Take a vote back: the gate waits for it again. Your latest one, or one cast for you."""
    from client.asking import new_request_id
    from commands.parsing import build
    from phasegate.gate_requests import WithdrawRequest

    request = build(
        WithdrawRequest,
        actor=who,
        on_behalf_of=on_behalf_of,
        reason=reason,
        request_id=new_request_id(),
    )
    await ask_gate(
        target,
        "withdraw",
        request,
        output,
        signing_of(sign, key_file),
        approver=who,
        on_behalf_of=on_behalf_of,
    )


async def delegate(
    target: Target,
    to: Annotated[str | None, Parameter(help="Who acts for you")] = None,
    /,
    *,
    who: Who,
    take_back: Annotated[
        bool, Parameter(negative=(), help="Nobody acts for you any more; votes they cast stand")
    ] = False,
    start: Annotated[
        str | None, Parameter(name="--from", help=f"From when; now if unset. {Instant}")
    ] = None,
    until: Annotated[
        str | None, Parameter(help=f"Until when; the end of the round if unset. {Instant}")
    ] = None,
    reason: Reason = "",
    sign: Sign = False,
    key_file: SigningKey = None,
    output: Output = "table",
) -> None:
    """Let somebody act for you in this round. They vote with your seat and in your name.

    For days away write an absence into the directory instead: it holds for every gate.
    """
    from client.asking import new_request_id
    from client.usage import UsageError
    from commands.parsing import build
    from commands.times import instant_of
    from phasegate.gate_requests import DelegateRequest

    if (to is None) is not take_back:
        raise UsageError(
            "gate delegate needs WHO acts for you, or --take-back",
            "one of the two says what to do",
            f"phasegate gate delegate {target} WHO --as {who}",
        )
    request = build(
        DelegateRequest,
        actor=who,
        to=to,
        start=instant_of(start, "--from", day="starts") if start else None,
        end=instant_of(until, "--until") if until else None,
        reason=reason,
        request_id=new_request_id(),
    )
    await ask_gate(
        target, "delegate", request, output, signing_of(sign, key_file), approver=who, to=to
    )


async def reassign(
    target: Target,
    approver: Annotated[str, Parameter(name="FROM", help="Who has the seat now")],
    to: Annotated[str, Parameter(help="Who gets it")],
    /,
    *,
    who: Who,
    reason: Reason,
    sign: Sign = False,
    key_file: SigningKey = None,
    output: Output = "table",
) -> None:
    """Give somebody's empty seat in this round to another, for good.

    For a manager of theirs, or whoever has the permission `reassign` at the product's tier.
    """
    from client.asking import new_request_id
    from commands.parsing import build
    from phasegate.gate_requests import ReassignRequest

    request = build(
        ReassignRequest,
        actor=who,
        approver=approver,
        to=to,
        reason=reason,
        request_id=new_request_id(),
    )
    await ask_gate(
        target, "reassign", request, output, signing_of(sign, key_file), approver=approver, to=to
    )


async def ask_gate(
    target: str,
    action: Action,
    request: Spoken,
    output: Format,
    signing: Signing,
    **about: object,
) -> None:
    """Ask the open round of KEY[/GATE], signed if that is wanted, and print what it answers."""
    from client import gates
    from client.engine import Engine
    from client.signing import ready
    from commands.parsing import gate_of
    from commands.receipts import emit_receipt

    key, gate = gate_of(target)
    engine = await Engine.connect()
    gate = gate or await gates.resolve(engine, key)
    said = await ready(engine, key, gate, action, request, signing)
    receipt = await gates.ask_round(engine, key, gate, action, said)
    emit_receipt(receipt, output, product=key, gate=gate, **about)
