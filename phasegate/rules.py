"""The gate rule: a pure function from standing votes to a verdict.

The numbered rules are those of docs/architecture.md, "Gate rules". Under any order of the same
votes (no change of evidence, before deadlines) the verdict is the same: pass or stop, and the
stop's word. Go against Conditional Go is order-independent only with `wait_for: all`, since under
`need` the gate decides before the remaining votes arrive.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from phasegate.gate import TimeoutAction
from phasegate.seats import Step, assign
from phasegate.votes import SEVERITY, Outcome, Vote


@dataclass(frozen=True)
class Ballot:
    """One person's standing vote, in the step it was cast for."""

    approver: str
    vote: Vote
    step: int = 1


@dataclass(frozen=True)
class Situation:
    """What else decides: criteria, open conditions, and which deadlines have passed.

    `late` are the steps whose respond deadline has passed.
    """

    unmet_musts: tuple[str, ...] = ()
    weak_shoulds: tuple[str, ...] = ()
    open_conditions: tuple[str, ...] = ()
    late: tuple[int, ...] = ()
    resolve_passed: bool = False
    on_timeout: TimeoutAction = TimeoutAction.escalate
    wait_for_all: bool = False


@dataclass(frozen=True)
class RequirementTally:
    """How one requirement stands: how many of its seats the yes-votes fill, and by whom."""

    requirement: int
    have: int
    filled_by: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What the votes amount to now.

    `outcome` is None while undecided; `cannot_pass` says that only a stop is left (rule 7);
    `ready` that the votes suffice and criteria or conditions are what is missing (rule 10);
    `escalate` that the resolve deadline passed and people above must act (rule 12).
    """

    step: int
    pending: tuple[str, ...]
    outcome: Outcome | None = None
    why: str = ""
    cannot_pass: bool = False
    ready: bool = False
    escalate: bool = False
    tallies: tuple[RequirementTally, ...] = field(default=())


def decide(steps: Sequence[Step], ballots: Iterable[Ballot], situation: Situation) -> Verdict:
    """The verdict on a gate (rules 1 to 13)."""
    if not steps:  # every requirement is for other tiers; lint says so, and it is never a Go
        why = "none of its requirements asks anybody at this tier"
        return Verdict(step=1, pending=(), outcome=Outcome.hold, why=why, cannot_pass=True)
    by_step: dict[int, dict[str, Vote]] = {}
    for ballot in ballots:
        by_step.setdefault(ballot.step, {})[ballot.approver] = ballot.vote
    counted: list[Vote] = []
    tallies: list[RequirementTally] = []
    for step in steps:
        votes = {p: v for p, v in by_step.get(step.number, {}).items() if p in step.people}
        verdict = _open_step(step, votes, situation, tallies)
        if verdict is not None:
            return verdict
        counted += votes.values()
    return _yes_ready(steps[-1].number, counted, situation, tuple(tallies))


def _open_step(
    step: Step, votes: Mapping[str, Vote], situation: Situation, tallies: list[RequirementTally]
) -> Verdict | None:
    """The verdict if this step is the one that is open; None once it has passed."""
    pending = tuple(person for person in step.people if person not in votes)
    yes = {person: step.people[person] for person in votes if votes[person].is_yes}
    placed = assign(step.seats, yes)
    tallies += _tally(step, placed)
    vetoes = [v for p, v in votes.items() if v.is_no and step.people[p] & step.veto_groups]
    word = max(vetoes, key=SEVERITY.__getitem__, default=None)

    def verdict(
        outcome: Outcome | None = None, why: str = "", cannot_pass: bool = False
    ) -> Verdict:
        timeout = _timeout(situation) if outcome is None else None
        return Verdict(
            step=step.number,
            pending=pending,
            outcome=outcome or timeout,
            why=f"{why}; the resolve deadline passed" if timeout else why,
            cannot_pass=cannot_pass,
            escalate=situation.resolve_passed and outcome is None and timeout is None,
            tallies=tuple(tallies),
        )

    if word is Vote.kill:  # rule 6
        return verdict(Outcome.kill, "a veto says kill", cannot_pass=True)
    hopeful = yes | {person: step.people[person] for person in pending}
    doomed = len(assign(step.seats, hopeful)) < len(step.seats)
    silent = step.silent_vetoes()
    if word or doomed or silent:  # rule 7
        why = f"a veto says {word}" if word else "too few people are left who could say yes"
        if silent and not (word or doomed):
            why = f"nobody is left who could give the veto of {'; '.join(silent)}"
        if not pending or step.number in situation.late:
            return verdict(_word(word, votes.values()), why, cannot_pass=True)
        return verdict(None, why, cannot_pass=True)
    if len(placed) < len(step.seats):
        return verdict(
            None, f"step {step.number} waits for votes" if step.number > 1 else "it waits for votes"
        )
    if any(step.people[person] & step.veto_groups for person in pending):  # rule 9
        return verdict(None, "waits for those with a veto")
    if situation.wait_for_all and pending:  # rule 13
        return verdict(None, "waits for everybody")
    return None


def _word(veto: Vote | None, votes: Iterable[Vote]) -> Outcome:
    """Rule 8: the veto; else the most frequent no, a tie going to the milder; none means Hold."""
    if veto:
        return Outcome(veto.value)
    noes = Counter(vote for vote in votes if vote.is_no)
    if not noes:
        return Outcome.hold
    most = min(noes, key=lambda vote: (-noes[vote], SEVERITY[vote]))
    return Outcome(most.value)


def _yes_ready(
    step: int, counted: Sequence[Vote], situation: Situation, tallies: tuple[RequirementTally, ...]
) -> Verdict:
    """Rules 10 and 11: enough said yes; must-criteria and earlier conditions have the last word."""
    missing = [f"criterion {name} is not met" for name in situation.unmet_musts]
    missing += [f"condition {name} is still open" for name in situation.open_conditions]
    if not any(vote.is_yes for vote in counted):
        # Veto groups alone ask for no seat; abstentions must not add up to a Go.
        missing.insert(0, "nobody has said yes")
    if missing:
        timeout = _timeout(situation)
        return Verdict(
            step=step,
            pending=(),
            ready=True,
            outcome=timeout,
            why="; ".join(missing),
            escalate=situation.resolve_passed and timeout is None,
            tallies=tallies,
        )
    conditional = Vote.conditional_go in counted or bool(situation.weak_shoulds)
    why = "every requirement is met"
    if situation.weak_shoulds:
        why += f", but {', '.join(situation.weak_shoulds)} fell short"
    elif conditional:
        why += ", with conditions"
    outcome = Outcome.conditional_go if conditional else Outcome.go
    return Verdict(step=step, pending=(), ready=True, outcome=outcome, why=why, tallies=tallies)


def _timeout(situation: Situation) -> Outcome | None:
    """Rule 12: silence, error or abstention never yields a Go."""
    if not situation.resolve_passed or situation.on_timeout is TimeoutAction.escalate:
        return None
    return Outcome(situation.on_timeout.value)


def _tally(step: Step, placed: Mapping[int, str]) -> list[RequirementTally]:
    filled: dict[int, list[str]] = {seat.requirement: [] for seat in step.seats}
    for index in sorted(placed):
        filled[step.seats[index].requirement].append(placed[index])
    return [
        RequirementTally(requirement, len(people), tuple(people))
        for requirement, people in filled.items()
    ]
