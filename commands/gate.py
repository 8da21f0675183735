"""`phasegate gate list|show|submit`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.options import Output, Target, Text, Timeout, Watch, Who, Whole

if TYPE_CHECKING:
    from phasegate.views import GateView


async def list_(
    key: Annotated[
        str | None, Parameter(help="Every round of this product, closed ones too")
    ] = None,
    /,
    *,
    limit: Annotated[Whole, Parameter(help="How many open gates at most")] = 100,
    output: Output = "table",
) -> None:
    """Open gates; with KEY every round of that product."""
    from client import gates
    from client.engine import Engine
    from commands.output import Grid, emit, note
    from commands.parsing import key_of

    known = key_of(key) if key else None
    engine = await Engine.connect()
    if known:
        rows = await gates.rounds(engine, known)
    else:
        rows = [row async for row in gates.open_gates(engine, limit=limit)]
    columns = ("product", "gate", "round", "status", "outcome", "respond by")
    cells = [(r.product, r.gate, r.round, r.status, r.outcome, r.respond_due) for r in rows]
    emit(rows, lambda: [Grid(columns, cells)], output)
    if not rows:
        note(f"no gates of {known}" if known else "no gate is open")


async def show(
    target: Target,
    /,
    *,
    round_number: Annotated[
        Whole | None, Parameter(name="--round", help="A round; the latest if unset")
    ] = None,
    wait: Annotated[bool, Parameter(negative=(), help="Wait until the round is decided")] = False,
    timeout: Timeout = None,
    exit_code: Annotated[
        bool,
        Parameter(
            negative=(),
            help="Exit 0 for Go or Conditional Go, 3 for another outcome, 8 if undecided",
        ),
    ] = False,
    watch: Watch = False,
    output: Output = "table",
) -> int:
    """One round of a gate: the open one asked live, a closed one from the ledger.

    With --wait: exit code 0 for Go or Conditional Go, 3 for another outcome or when --timeout
    passes first.
    """
    from client import gates
    from client.engine import Engine
    from commands.failing import OK
    from commands.gate_blocks import gate_blocks
    from commands.output import emit
    from commands.parsing import gate_of, span_of
    from commands.watching import watched

    key, known = gate_of(target)
    patience = span_of(timeout)
    engine = await Engine.connect()
    gate = known or await gates.resolve(engine, key)
    if watch:
        view = await watched(
            lambda: gates.show(engine, key, gate, round_number),
            lambda view: emit(view, lambda: gate_blocks(view), output),
            done=lambda view: view.status == "decided",
        )
        return outcome_code(view, waited=True) if wait or exit_code else OK
    view = await gates.show(engine, key, gate, round_number)
    if wait and view.status != "decided":
        decided = await gates.until_decided(engine, key, gate, view.round, patience)
        view = decided or await gates.show(engine, key, gate, view.round)
    emit(view, lambda: gate_blocks(view), output)
    return outcome_code(view, waited=wait) if wait or exit_code else OK


def outcome_code(view: GateView, *, waited: bool) -> int:
    """The exit code that tells a script how a gate went."""
    from commands.failing import DECLINED, OK, PENDING

    if view.outcome in ("go", "conditional-go"):
        return OK
    return DECLINED if waited or view.status == "decided" else PENDING


async def submit(
    target: Target,
    /,
    *,
    who: Who,
    reason: Annotated[Text, Parameter(help="Why now; the record keeps it")] = "",
    output: Output = "table",
) -> None:
    """Open a phase's gate, bring one back that was stopped, or say that work is done.

    Where an approver of the open round asked for work, its clocks go on.
    """
    from client import gates
    from client.asking import new_request_id
    from client.engine import Engine
    from commands.parsing import build, gate_of
    from commands.receipts import emit_receipt
    from phasegate.requests import SubmitRequest

    key, gate = gate_of(target)
    request = build(SubmitRequest, actor=who, reason=reason, gate=gate, request_id=new_request_id())
    receipt = await gates.submit(await Engine.connect(), key, request)
    emit_receipt(receipt, output, product=key)
