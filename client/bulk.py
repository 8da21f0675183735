"""One vote on many gates: what waits for somebody, narrowed by an expression."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from client.asking import new_request_id
from client.attributes import quoted, read
from client.engine import Engine
from client.gates import vote
from client.inbox import Waiting, waiting
from client.signing import UNSIGNED, Signing, ready
from client.usage import UsageError
from integrations.ssh_keygen import KeygenError, NotSigned
from phasegate.base import Wire
from phasegate.errors import EngineError, Forbidden, NotRunning, PhasegateError, Refusal
from phasegate.expressions import compile_error, evaluate
from phasegate.requests import VoteRequest
from phasegate.rows import InboxRow

VARIABLES = ("product", "gate", "round", "step", "phase")
_HINT = "--product-filter 'product.tier == 3 && gate == \"launch\"'"
_AT_ONCE = 50
"""How many products one listing names."""


@dataclass(frozen=True)
class BulkPlan:
    """The rows to vote on, and those left out since one person fills one seat of a gate."""

    rows: list[InboxRow]
    doubles: list[InboxRow] = field(default_factory=list)


class BulkVote(Wire):
    """What came of one of the votes; `code` names a refusal, `forbidden` one of a right."""

    schema_version: int = 1
    product: str
    gate: str
    round: int
    revision: str
    approver: str
    on_behalf_of: str | None
    vote: str
    taken: bool
    text: str = ""
    status: str = ""
    outcome: str | None = None
    code: str = ""
    why: str = ""
    hint: str = ""
    forbidden: bool = False


async def plan(
    engine: Engine, who: str, expression: str | None, *, on_behalf_of: str | None = None
) -> BulkPlan:
    """Every gate that waits for this person's vote, their own or for somebody, and fits.

    Raises UsageError where the expression cannot be used, be it for one gate: what it would have
    said there is unknown, so nothing is to be voted.
    """
    if expression is not None and (problem := compile_error(expression, *VARIABLES)):
        raise UsageError(f"--product-filter {expression!r} cannot be used", problem, _HINT)
    found = [w for w in await waiting(engine, who) if w.asks == "vote"]
    if on_behalf_of is not None:
        found = [w for w in found if (w.row.on_behalf_of or who) == on_behalf_of]
    if expression is not None:
        asked = re.search(r"\bphase\b", expression) is not None
        phases = await _phases(engine, {w.row.product for w in found}) if asked else {}
        found = [w for w in found if _fits(expression, w, phases)]
    first: dict[tuple[str, str], InboxRow] = {}
    doubles = []
    for row in sorted((w.row for w in found), key=lambda row: row.on_behalf_of is not None):
        if (place := (row.product, row.gate)) in first:
            doubles.append(row)
        else:
            first[place] = row
    rows = sorted(first.values(), key=lambda row: (row.respond_due, row.product))
    return BulkPlan(rows, doubles)


def _fits(expression: str, found: Waiting, phases: Mapping[str, str]) -> bool:
    row = found.row
    facts: dict[str, Any] = {
        "product": dict(found.product),
        "gate": row.gate,
        "round": row.round,
        "step": row.step,
    }
    if row.product in phases:
        facts["phase"] = phases[row.product]
    truth = evaluate(expression, facts)
    if truth.problem:
        what = f"--product-filter {expression!r} cannot be used for {row.product}/{row.gate}"
        known = f"product has {', '.join(found.product)}; beside it: {', '.join(VARIABLES[1:])}"
        raise UsageError(what, f"{truth.problem}; {known}", _HINT)
    return truth.met


async def _phases(engine: Engine, keys: set[str]) -> dict[str, str]:
    """The phase of each product, from its search attributes; none for one in its sunset."""
    found, ordered = dict[str, str](), sorted(keys)
    for start in range(0, len(ordered), _AT_ONCE):
        names = ", ".join(map(quoted, ordered[start : start + _AT_ONCE]))
        text = (
            "WorkflowType = 'ProductLifecycle' AND ExecutionStatus = 'Running' "
            f"AND PhasegateProduct IN ({names})"
        )
        async for execution in engine.client.list_workflows(text):
            attributes = execution.typed_search_attributes
            key, phase = read(attributes, "PhasegateProduct"), read(attributes, "PhasegatePhase")
            if key and phase:
                found[key] = phase
    return found


async def cast(
    engine: Engine, rows: Sequence[InboxRow], template: VoteRequest, signing: Signing = UNSIGNED
) -> AsyncIterator[BulkVote]:
    """Vote on each, one after the other, with the evidence that its row names.

    Each is signed by itself, if that is wanted. Stops where the engine gives no answer, or nothing
    can be signed: so it would be at the next gate.
    """
    for row in rows:
        request = template.model_copy(
            update={
                "on_behalf_of": row.on_behalf_of,
                "revision": row.revision,
                "request_id": new_request_id(),
            }
        )
        result = BulkVote(
            product=row.product,
            gate=row.gate,
            round=row.round,
            revision=row.revision,
            approver=template.approver,
            on_behalf_of=row.on_behalf_of,
            vote=template.vote.value,
            taken=False,
        )
        try:
            said = await ready(engine, row.product, row.gate, "vote", request, signing)
            receipt = await vote(engine, row.product, row.gate, said)
        except Refusal as refusal:
            yield _refused(result, refusal, refusal.code, forbidden=isinstance(refusal, Forbidden))
        except UsageError as error:
            error.hint = _alone(row, request)
            yield _refused(result, error, "unsigned")
        except (NotSigned, KeygenError) as error:
            yield _refused(result, error, "not-signed")
            return
        except EngineError as error:
            yield _refused(result, error, "no-answer")
            if not isinstance(error, NotRunning):
                return
        else:
            done = {"text": receipt.text, "status": receipt.status, "outcome": receipt.outcome}
            yield result.model_copy(update={"taken": True, **done})


def _alone(row: InboxRow, request: VoteRequest) -> str:
    """The command that signs one of the votes."""
    whose = f" --for {row.on_behalf_of}" if row.on_behalf_of else ""
    words = f"{row.product}/{row.gate} {request.vote} --as {request.approver}{whose}"
    return f"phasegate gate vote {words} --revision {row.revision} --sign"


def _refused(
    result: BulkVote, error: PhasegateError, code: str, *, forbidden: bool = False
) -> BulkVote:
    return result.model_copy(
        update={
            "text": error.what,
            "why": error.why,
            "hint": error.hint,
            "code": code,
            "forbidden": forbidden,
        }
    )
