"""Convening a round: who has a say, by when, who acts for whom, and what the criteria say."""

from __future__ import annotations

from temporalio import activity

from activities.directories import current_directory
from activities.errors import calendar_errors
from activities.standing_in import Calendars, absences, deputies, managers
from activities.timetables import Timetables
from ledger import Ledger
from phasegate import ports
from phasegate.conditions import Asked, asked_of
from phasegate.criteria import judged_by_milestone
from phasegate.directory import Directory
from phasegate.expressions import evaluate, facts
from phasegate.gate import Criterion, Gate
from phasegate.seats import seated
from phasegate.ssh_keys import revoked_keys


class ConveneActivities:
    """Answers depend on the request and the current directory alone, never on the clock."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn(name=ports.CONVENE, no_thread_cancel_exception=True)
    def convene(self, request: ports.ConveneRequest) -> ports.Convened:
        """The slice of the directory a round needs, its instants and its criteria.

        Errors, all retried: directory-unknown, calendar-unusable and ledger-unavailable.
        """
        digest, directory = current_directory(self._ledger, request.directory)
        gate = request.gate
        asked = asked_of(gate.requires, request.tier, request.definition, request.asked)
        gone = tuple(sorted({*request.seated, *request.acting}.difference(directory.people)))
        members, voters = _members(request, asked, directory)
        voters = voters.difference(gone)
        people = sorted(voters.union(*members.values()))
        calendars = Calendars(directory)
        with calendar_errors(f"gate {gate.id} cannot count its days", request.directory):
            own = {person: calendars.of(person) for person in people}
            table = Timetables(gate.clocks, request.clock.since, own, voters)
            timetable = table.answer(request.clock)
            away = absences(directory, calendars, {*people, *request.acting})
        return ports.Convened(
            directory_digest=digest,
            members=members,
            applying=asked.applying,
            timetable=timetable,
            absences=away,
            deputies=deputies(directory, people),
            managers=managers(directory, people),
            gone=gone,
            silent=tuple(g for g in sorted(members) if directory.silent(g, request.tier)),
            criteria=[_judge(criterion, request) for criterion in gate.criteria],
            revoked=revoked_keys(directory, request.signers, request.clock.since),
            notes=_notes(gate, asked),
        )


def _members(
    request: ports.ConveneRequest, asked: Asked, directory: Directory
) -> tuple[dict[str, tuple[str, ...]], set[str]]:
    """The people of every group the gate names, and those among them whom it waits for.

    A group that votes and also advises or attests does so with the people who sit for it here:
    neither its tiers nor the product's own choice may be got round.
    """
    gate = request.gate
    voting = {group for i in asked.applying for group in gate.requires[i].groups}
    members = seated(voting, directory, request.narrowed, tier=request.tier, barred=request.barred)
    voters = set(request.seated).union(*members.values())
    others = {*gate.reviewers, *(c.attested_by for c in gate.criteria if c.attested_by)}
    members |= {group: directory.members(group) for group in sorted(others - voting)}
    return members, voters


def _notes(gate: Gate, asked: Asked) -> list[str]:
    return [
        f"{gate.requires[i].title} is asked although its condition is not known to be true: "
        f"{gate.requires[i].when} {problem}"
        for i, problem in asked.problems.items()
    ]


def _judge(criterion: Criterion, request: ports.ConveneRequest) -> ports.CriterionFinding:
    state, why = "judged", ""
    if criterion.milestone:
        known = request.milestones.get(criterion.milestone)
        state, why = judged_by_milestone(criterion.milestone, known)
    elif criterion.attested_by:
        state, why = "unmet", f"to be attested by {criterion.attested_by}"
    elif criterion.expression:
        truth = evaluate(criterion.expression, facts(request.definition, request.evidence))
        state = "met" if truth.met else "unmet"
        why = truth.problem or f"{criterion.expression} is {'true' if truth.met else 'false'}"
    return ports.CriterionFinding(
        id=criterion.id, kind=criterion.kind, text=criterion.text, state=state, why=why
    )
