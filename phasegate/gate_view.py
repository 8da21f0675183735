"""How a round shows itself: the JSON of `gate show`, and what the inbox reads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from phasegate.casting import ADVICE
from phasegate.gate_standing import criteria_of, open_conditions_of, promises_of, why_of
from phasegate.pseudonyms import PLAIN, Names
from phasegate.requirement_view import open_step, requirement_views, step_of
from phasegate.review import Round
from phasegate.rules import Verdict
from phasegate.search import EVERYBODY, collapses, owed_by, waiting_on
from phasegate.sittings import OpenGate
from phasegate.views import (
    DelegationView,
    GateView,
    OverrideView,
    PendingView,
    RefusalView,
    VoteView,
    WorkView,
)


def gate_view(state: Round, workflow_id: str, now: datetime) -> GateView:
    """The round as `gate show` gives it."""
    verdict = state.verdict(now) if state.convened else None
    convened, table = state.convened, state.clocks.timetable
    score = state.scorecard().percent() if convened else None
    return GateView(
        product=state.product.key,
        gate=state.gate.id,
        title=state.gate.title,
        question=state.gate.question,
        tier=state.product.tier,
        round=state.round,
        revision=state.revision,
        status=state.status,
        outcome=state.outcome.value if state.outcome else None,
        why=why_of(state, verdict),
        cannot_pass=bool(verdict and verdict.cannot_pass) and not state.override,
        step=verdict.step if verdict else 1,
        opened_at=state.opened_at,
        decided_at=state.decided_at,
        workflow_id=workflow_id,
        evidence=state.product.evidence,
        figures=state.product.figures,
        reviewers={group: list(people) for group, people in state.reviewers().items()},
        requirements=requirement_views(state, verdict),
        votes=_votes(state),
        pending=_pending(state, verdict, now),
        criteria=criteria_of(state),
        conditions=promises_of(state),
        open_conditions=[] if state.closed else open_conditions_of(state),
        refused=[RefusalView(**refused.model_dump()) for refused in state.refused],
        refused_more=state.refused_more,
        respond_due=respond_due(state, verdict) if verdict else None,
        resolve_due=table.resolve if table else None,
        score=float(score) if score is not None else None,
        threshold=state.gate.threshold,
        work=WorkView(**state.work.model_dump()) if state.work else None,
        override=_override(state),
        delegations=_delegations(state),
        notes=convened.notes if convened else [],
        stopped_since=None if state.closed else state.clocks.stopped_at,
        policy_digest=state.product.policy_digest,
        assurance=state.gate.assurance,
    )


def respond_due(state: Round, verdict: Verdict) -> datetime:
    """When the last of those who vote in the open step has to have answered."""
    return state.clocks.respond_due(open_step(state, verdict).people)


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
            step=vote.step,
            advice=vote.step == ADVICE,
            scores=vote.scores,
            why=vote.why,
            key=vote.key,
        )
        for vote in state.ballots.votes
    ]


def _override(state: Round) -> OverrideView | None:
    done = state.override
    if done is None:
        return None
    return OverrideView(
        actor=done.actor, reason=done.reason, at=done.at, votes_said=done.votes_said
    )


def _delegations(state: Round) -> list[DelegationView]:
    given = [
        DelegationView(
            approver=d.approver, to=d.to, start=d.start, end=d.end, by=d.approver, reason=d.reason
        )
        for d in state.mandates.given
    ]
    return given + [
        DelegationView(
            approver=r.approver,
            to=r.to,
            start=r.at,
            end=None,
            by=r.by,
            reason=r.reason,
            reassigned=True,
        )
        for r in state.reassigned
    ]


def _pending(state: Round, verdict: Verdict | None, now: datetime) -> list[PendingView]:
    if verdict is None or state.convened is None or state.opened_at is None or state.closed:
        return []
    people, due = open_step(state, verdict).people, respond_due(state, verdict)
    table = state.clocks.timetable
    assert table is not None
    return [
        PendingView(
            approver=person,
            group=", ".join(sorted(people[person])),
            since=state.asked_since(person) or state.opened_at,
            respond_due=table.respond.get(person, due),
            acting=list(state.stand_ins(person, now)),
        )
        for person in verdict.pending
    ]


BARRED_NAMED = 200
"""How many people without a say the memo names: it is read with every row of every inbox."""


def waiting_keys(state: Round, view: GateView, names: Names = PLAIN) -> list[str]:
    """Whom the round waits for, as inboxes find it."""
    if state.work:
        return owed_by(state.product.owner, team_of(state), names)
    return waiting_on(
        {p.approver: p.group.split(", ") for p in view.pending},
        [other for p in view.pending for other in p.acting],
        given=[given.to for given in state.reassigned],
        attesters=_attesters(state),
        names=names,
    )


def _attesters(state: Round) -> list[str]:
    """Everybody who may attest something here, has it been attested or not."""
    members = state.members()
    return sorted({p for c in state.gate.criteria for p in members.get(c.attested_by or "", ())})


def gate_memo(state: Round, view: GateView, now: datetime, names: Names = PLAIN) -> dict[str, Any]:
    """What the inbox reads without asking the workflow: who may vote as what, and by when.

    It speaks of everybody in the open step, voted or not, so that it changes with the step, the
    deadlines and the stand-ins and not with every vote. Who is pending stands here only where the
    search attribute names groups, who may attest only where it has no room for all. An upsert
    leaves what it does not name, so what is not to be said is None.
    """
    assert view.opened_at is not None
    assert view.respond_due is not None
    assert view.resolve_due is not None
    table = state.clocks.timetable
    assert table is not None
    people = step_of(state, view.step).people
    acting: dict[str, list[str]] = {}
    for person in people:
        for other in state.stand_ins(person, now):
            acting.setdefault(other, []).append(person)
    due = {person: table.respond[person] for person in people if person in table.respond}
    since = {person: state.asked_since(person) for person in people}
    pending = [p.approver for p in view.pending]
    unclear = collapses(pending, acting, names)
    attesters = [] if state.work else _attesters(state)
    unnamed = bool(attesters) and EVERYBODY in waiting_keys(state, view, names)
    # Only where it is so: what an earlier release has noted of other gates stays what they note.
    signed = {"assurance": "signed"} if view.assurance == "signed" else {}
    return {
        **signed,
        "opened_at": view.opened_at.isoformat(),
        "respond_due": view.respond_due.isoformat(),
        "resolve_due": view.resolve_due.isoformat(),
        "revision": view.revision,
        "round": view.round,
        "step": view.step,
        "name": state.product.name,
        "tier": state.product.tier,
        "seats": {person: sorted(groups) for person, groups in people.items()},
        "due": {p: at.isoformat() for p, at in due.items() if at != view.respond_due},
        "since": {p: at.isoformat() for p, at in since.items() if at and at != view.opened_at},
        "acting": acting,
        "pending": pending if unclear else None,
        "attesters": attesters if unnamed else None,
        "barred": sorted(state.barred)[:BARRED_NAMED],
        "directory": state.product.directory,
        "team": team_of(state),
        "work_since": state.work.at.isoformat() if state.work else None,
    }


def team_of(state: Round) -> list[str]:
    """Who works on the product with its owner, and so sees what work is owed."""
    team = state.product.definition.get("team") or ()
    return [person for person in team if isinstance(person, str)]
