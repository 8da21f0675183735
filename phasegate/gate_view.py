"""How a round shows itself: the JSON of `gate show`, and the status page in the Temporal UI."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from phasegate.markdown import day, line, said, section
from phasegate.requirement_view import open_step, requirement_views
from phasegate.review import Round
from phasegate.rules import Verdict
from phasegate.sittings import OpenGate
from phasegate.views import (
    ConditionView,
    CriterionView,
    GateView,
    PendingView,
    RefusalView,
    VoteView,
)


def gate_view(state: Round, workflow_id: str, now: datetime) -> GateView:
    """The round as `gate show` gives it."""
    verdict = state.verdict(now) if state.convened else None
    convened = state.convened
    return GateView(
        product=state.product.key,
        gate=state.gate.id,
        title=state.gate.title,
        round=state.round,
        revision=state.revision,
        status=state.status,
        outcome=state.outcome.value if state.outcome else None,
        why=state.why or (verdict.why if verdict else "the round is being convened"),
        cannot_pass=bool(verdict and verdict.cannot_pass),
        step=verdict.step if verdict else 1,
        opened_at=state.opened_at,
        decided_at=state.decided_at,
        workflow_id=workflow_id,
        evidence=state.product.evidence,
        requirements=requirement_views(state, verdict),
        votes=_votes(state),
        pending=_pending(state, verdict),
        criteria=[
            CriterionView(id=c.id, kind=c.kind, state=c.state, why=c.why or c.text)
            for c in (convened.criteria if convened else [])
        ],
        conditions=[
            ConditionView(
                id=f"{state.gate.id}-{state.round}-{number}",
                text=promise.text,
                owner=promise.owner or state.product.owner,
                due=promise.due,
                state="open",
            )
            for number, (_, promise) in enumerate(state.promises(), start=1)
        ],
        refused=[RefusalView(**refused.model_dump()) for refused in state.refused],
        refused_more=state.refused_more,
        respond_due=convened.respond_due if convened else None,
        resolve_due=convened.resolve_due if convened else None,
    )


def lost_round_view(product: str, sitting: OpenGate, why: str, now: datetime) -> GateView:
    """A round of which only its opener is left to speak; its votes are in the ledger."""
    return GateView(
        product=product,
        gate=sitting.gate,
        round=sitting.round,
        revision="",
        status="decided",
        outcome=None,
        why=why,
        cannot_pass=False,
        step=1,
        opened_at=None,
        decided_at=now,
        workflow_id=sitting.workflow_id,
        requirements=[],
        votes=[],
        pending=[],
        criteria=[],
        conditions=[],
        refused=[],
        respond_due=None,
        resolve_due=None,
    )


def _votes(state: Round) -> list[VoteView]:
    return [
        VoteView(
            approver=vote.approver,
            on_behalf_of=vote.on_behalf_of,
            vote=vote.vote.value,
            comment=vote.comment,
            conditions=[promise.text for promise in vote.conditions],
            at=vote.at,
            assurance=vote.assurance,
            revision=vote.revision,
            state=vote.state,
            channel=vote.channel,
        )
        for vote in state.votes
    ]


def _pending(state: Round, verdict: Verdict | None) -> list[PendingView]:
    if verdict is None or state.convened is None or state.opened_at is None or state.closed:
        return []
    people = open_step(state, verdict).people
    return [
        PendingView(
            approver=person,
            group=", ".join(sorted(people[person])),
            since=state.opened_at,
            respond_due=state.convened.respond_due,
        )
        for person in verdict.pending
    ]


def gate_memo(state: Round, step: int) -> dict[str, Any]:
    """What the inbox reads without asking the workflow: who may vote as what, and by when.

    It changes with the step and the deadlines only, not with every vote.
    """
    assert state.convened is not None
    assert state.opened_at is not None
    return {
        "opened_at": state.opened_at.isoformat(),
        "respond_due": state.convened.respond_due.isoformat(),
        "resolve_due": state.convened.resolve_due.isoformat(),
        "revision": state.revision,
        "round": state.round,
        "step": step,
        "members": {group: list(people) for group, people in state.convened.members.items()},
    }


def gate_page(view: GateView, product: str, question: str) -> str:
    """The round as Markdown for somebody on call: state first, then who is missing."""
    lines = [f"### {line(view.title) or view.gate}: {_headline(view)}"]
    if question:
        lines.append(f"*{line(question)}*")
    lines.append(f"**{line(product)}** · round {view.round} · evidence `{view.revision}`")
    if view.status != "decided":
        lines.append(f"Now: {line(view.why)}.")
        lines.append(f"Respond by {day(view.respond_due)}, resolve by {day(view.resolve_due)}.")
    else:
        lines.append(f"Why: {line(view.why)}.")
    lines.append(
        section(
            "Requirements",
            (
                f"{r.group}{' (veto)' if r.veto else ''} {r.have} of {r.need}, **{r.state}**"
                + said(r.why)
                for r in view.requirements
            ),
        )
    )
    standing = [vote for vote in view.votes if vote.state == "standing"]
    lines.append(
        section(
            "Votes",
            (f"{v.approver} **{v.vote}** on {day(v.at)}" + said(v.comment) for v in standing[:40]),
        )
    )
    if view.pending:
        names = [pending.approver for pending in view.pending]
        more = f" and {len(names) - 20} more" if len(names) > 20 else ""
        lines.append(f"Waiting for: {', '.join(names[:20])}{more}")
        lines.append(f"Answer with `phasegate gate vote {view.product}/{view.gate} go --as WHO`.")
    lines.append(
        section(
            "Criteria", (f"{c.kind} {c.id}: **{c.state}**. {line(c.why)}" for c in view.criteria)
        )
    )
    lines.append(
        section("Evidence", (line(e["title"]) + said(e.get("link", "")) for e in view.evidence))
    )
    if view.refused:
        count = len(view.refused) + view.refused_more
        last = view.refused[-1]
        lines.append(f"Refused attempts: {count}. Last: {line(last.what)} ({line(last.why)}).")
    return "\n\n".join(filter(None, lines))


def _headline(view: GateView) -> str:
    if view.outcome:
        return view.outcome.upper()
    if view.status == "decided":
        return "ABANDONED"
    return "cannot pass" if view.cannot_pass else view.status
