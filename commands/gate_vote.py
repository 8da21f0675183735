"""`phasegate gate vote`."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from commands.options import Output, Target, Text, Timeout, Who

Word = Literal["go", "conditional-go", "recycle", "hold", "kill", "abstain"]


async def vote(
    target: Target,
    vote: Annotated[Word, Parameter(help="What you say")],
    /,
    *,
    who: Who,
    comment: Annotated[Text, Parameter(help="Why; everybody sees it")] = "",
    conditions: Annotated[
        list[str] | None,
        Parameter(
            name="--condition",
            negative=(),
            help="A promise that comes with conditional-go: JSON with text, owner, due; "
            "@FILE; or plain text. May be given again",
        ),
    ] = None,
    revision: Annotated[
        str | None, Parameter(help="The evidence you saw; refused if it has changed since")
    ] = None,
    wait: Annotated[bool, Parameter(negative=(), help="Wait until the gate is decided")] = False,
    timeout: Timeout = None,
    output: Output = "table",
) -> int:
    """Vote on an open gate; without /GATE on the one that the product has open.

    Exit code 0 when the vote was taken, decided or not. With --wait: 0 for Go or Conditional Go,
    3 for another outcome or when --timeout passes first. A vote on a closed gate is an error (1),
    one by somebody who may not vote another (4).
    """
    from client import gates
    from client.asking import new_request_id
    from client.engine import Engine
    from commands.failing import OK
    from commands.gate import outcome_code
    from commands.parsing import build, gate_of, promises_of, span_of
    from commands.receipts import emit_receipt
    from phasegate.requests import VoteRequest

    key, gate = gate_of(target)
    patience = span_of(timeout)
    request = build(
        VoteRequest,
        approver=who,
        vote=vote,
        comment=comment,
        conditions=promises_of(conditions or []),
        revision=revision,
        request_id=new_request_id(),
    )
    engine = await Engine.connect()
    gate = gate or await gates.resolve(engine, key)
    receipt = await gates.vote(engine, key, gate, request)
    about = {"product": key, "gate": gate, "approver": who, "vote": vote}
    if not wait:
        emit_receipt(receipt, output, **about)
        return OK
    assert receipt.round is not None, "a vote's receipt names its round"
    decided = await gates.until_decided(engine, key, gate, receipt.round, patience)
    view = decided or await gates.show(engine, key, gate, receipt.round)
    receipt.status, receipt.outcome = view.status, view.outcome
    emit_receipt(receipt, output, **about)
    return outcome_code(view, waited=True)
