"""`phasegate gate vote --all`: one word on every gate that waits for somebody."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING

from commands.signing_words import signing_words

if TYPE_CHECKING:
    from client.bulk import BulkVote
    from client.signing import Signing
    from commands.options import Format
    from commands.output import Block
    from phasegate.requests import VoteRequest
    from phasegate.rows import InboxRow


async def vote_all(
    request: VoteRequest,
    expression: str | None,
    output: Format,
    signing: Signing,
    *,
    yes: bool,
    dry_run: bool,
) -> int:
    """Show what would be voted on, ask, vote, and show what came of it."""
    from client import bulk
    from client.covering import known
    from client.engine import Engine
    from commands.confirming import confirmed
    from commands.failing import DECLINED, OK
    from commands.output import emit, note, show_beside
    from commands.progress import working

    who, word = request.approver, request.vote.value
    engine = await Engine.connect()
    with working("finding what waits"):
        plan = await bulk.plan(engine, who, expression, on_behalf_of=request.on_behalf_of)
    counted = "1 vote" if len(plan.rows) == 1 else f"{len(plan.rows)} votes"
    for row in plan.doubles:
        whose = row.on_behalf_of or who
        note(f"left out: {row.product}/{row.gate} for {whose}; nobody counts twice at a gate")
    if dry_run or not plan.rows:
        emit(plan.rows, lambda: [_planned(plan.rows, word)], output)
        fits = " and fits the filter" if expression else ""
        note(f"{counted}; nothing was done" if plan.rows else _none(who, fits))
        if not plan.rows and not known(engine.ledger, who):
            note(f"no directory knows {who}")
        return OK
    show_beside([_planned(plan.rows, word)])
    these = "this gate" if len(plan.rows) == 1 else f"these {len(plan.rows)} gates"
    question = f"Vote {word} on {these} as {who}?"
    if not yes and not confirmed(question, _again(request, expression, signing)):
        note("nothing was done")
        return DECLINED
    results = []
    with working("voting", quiet=signing.wanted) as progress:
        async for result in bulk.cast(engine, plan.rows, request, signing):
            results.append(result)
            progress(len(results), len(plan.rows))
            if output == "jsonl":
                emit(result, list, output)
    if output != "jsonl":
        emit(results, lambda: [_results(results)], output)
    if unasked := plan.rows[len(results) :]:
        places = ", ".join(f"{row.product}/{row.gate}" for row in unasked)
        note(f"not tried, as the engine gave no answer: {places}")
    return _code(results)


def _none(who: str, fits: str) -> str:
    return f"no open gate waits for the vote of {who}{fits}"


def _code(results: Sequence[BulkVote]) -> int:
    from commands.failing import FAILED, FORBIDDEN, OK

    refused = [result for result in results if not result.taken]
    if not refused:
        return OK
    return FORBIDDEN if all(result.forbidden for result in refused) else FAILED


def _again(request: VoteRequest, expression: str | None, signing: Signing) -> str:
    """The command that does not ask."""
    words = ["phasegate gate vote --all"]
    if expression:
        words.append(f"--product-filter {quote(expression)}")
    words.append(f"{request.vote.value} --as {request.approver}")
    if request.on_behalf_of:
        words.append(f"--for {request.on_behalf_of}")
    if request.comment:
        words.append(f"--comment {quote(request.comment)}")
    for promise in request.conditions:
        words.append(f"--condition {quote(promise.model_dump_json(exclude_none=True))}")
    return " ".join([*words, "--yes"]) + signing_words(signing.wanted, signing.key)


def _planned(rows: Sequence[InboxRow], word: str) -> Block:
    from commands.output import dense

    columns = ("gate", "vote", "for", "round", "step", "group", "evidence", "respond by", "takes")
    return dense(
        columns,
        [
            (
                f"{row.product}/{row.gate}",
                word,
                row.on_behalf_of,
                row.round,
                row.step,
                row.group,
                row.revision,
                row.respond_due,
                "what is signed" if row.assurance == "signed" else "",
            )
            for row in rows
        ],
        "Would vote",
    )


def _results(results: Sequence[BulkVote]) -> Block:
    from commands.output import dense

    return dense(
        ("gate", "result", "for", "outcome", "what", "why"),
        [
            (
                f"{r.product}/{r.gate}",
                "taken" if r.taken else "refused",
                r.on_behalf_of,
                r.outcome,
                r.text,
                r.why,
            )
            for r in results
        ],
        "Voted",
    )
