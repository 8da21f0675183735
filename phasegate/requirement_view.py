"""How each requirement of a round stands, in a word and with the reason."""

from __future__ import annotations

from phasegate.gate import Requirement
from phasegate.review import Round
from phasegate.rules import RequirementTally, Verdict
from phasegate.seats import Step, assign
from phasegate.views import RequirementView


def requirement_views(state: Round, verdict: Verdict | None) -> list[RequirementView]:
    have = {t.requirement: t for t in verdict.tallies} if verdict else {}
    open_step = verdict.step if verdict else 1
    views = []
    for index, requirement in enumerate(state.gate.requires):
        if state.convened is None or index not in state.convened.applying:
            continue
        tally = have.get(index)
        filled = tally.have if tally else 0
        word, why = _stand(state, verdict, index, open_step, tally)
        views.append(
            RequirementView(
                group=", ".join(requirement.groups),
                need=requirement.need,
                have=filled,
                step=requirement.step,
                veto=requirement.veto,
                state=word,
                why=why,
                candidates=_candidates(state, verdict, requirement) if word == "waiting" else [],
            )
        )
    return views


def _candidates(state: Round, verdict: Verdict | None, requirement: Requirement) -> list[str]:
    """Who of those the gate waits for sits in one of the requirement's groups."""
    return _silent(state, verdict, requirement) if verdict else []


def _stand(
    state: Round,
    verdict: Verdict | None,
    index: int,
    open_step: int,
    tally: RequirementTally | None,
) -> tuple[str, str]:
    """How a requirement stands, in a word and with the reason."""
    requirement = state.gate.requires[index]
    filled = tally.have if tally else 0
    if requirement.step > open_step:
        return "later", f"step {requirement.step} follows step {open_step}"
    if requirement.veto and (said := _vetoes(state, requirement)):
        return "cannot-pass", f"veto: {', '.join(said)}"
    if verdict and requirement.step == open_step and (why := _lost(state, verdict, index)):
        return "cannot-pass", why
    if filled < requirement.need:
        return "waiting", f"{requirement.need - filled} more from {', '.join(requirement.groups)}"
    here = requirement.veto and requirement.step == open_step
    if here and verdict and (silent := _silent(state, verdict, requirement)):
        return "waiting", f"may still veto: {', '.join(silent)}"
    return "met", f"yes from {', '.join(tally.filled_by)}" if tally and filled else "no veto"


def _lost(state: Round, verdict: Verdict, index: int) -> str:
    """Why a requirement of the open step can no longer be met; empty where it can."""
    requirement, step = state.gate.requires[index], open_step(state, verdict)
    if requirement.veto and not any(of & {*requirement.groups} for of in step.people.values()):
        return "nobody is left who could give this veto"
    noes = {
        vote.holder
        for vote in state.ballots.counted()
        if vote.step == step.number and not vote.vote.is_yes
    }
    hopeful = {person: groups for person, groups in step.people.items() if person not in noes}
    seats = [seat for seat in step.seats if seat.requirement == index]
    if len(assign(seats, hopeful)) < len(seats):
        return "too few people are left who could say yes"
    placed = assign(step.seats, hopeful)
    if any(seat.requirement == index and i not in placed for i, seat in enumerate(step.seats)):
        return "too few people are left to fill its seats beside those of the others"
    return ""


def _vetoes(state: Round, requirement: Requirement) -> list[str]:
    """The standing noes of a veto group, as the gate rule counts them: `lea says kill`.

    A seat that somebody was given after their vote makes that vote a veto, too.
    """
    groups, people = set(requirement.groups), step_of(state, requirement.step).people
    return [
        f"{vote.holder} says {vote.vote}"
        for vote in state.ballots.counted()
        if vote.vote.is_no
        and vote.step == requirement.step
        and not groups.isdisjoint(people.get(vote.holder, ()))
    ]


def _silent(state: Round, verdict: Verdict, requirement: Requirement) -> list[str]:
    members = _members(state, requirement)
    return [person for person in verdict.pending if person in members]


def _members(state: Round, requirement: Requirement) -> set[str]:
    found = state.members()
    return {person for group in requirement.groups for person in found.get(group, ())}


def open_step(state: Round, verdict: Verdict) -> Step:
    """The step the verdict speaks of; an empty one where no requirement asks this product."""
    return step_of(state, verdict.step)


def step_of(state: Round, number: int) -> Step:
    nobody = Step(number, (), (), {})
    return next((step for step in state.steps() if step.number == number), nobody)
