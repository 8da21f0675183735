"""People: whether a directory has those whom a policy's gates ask."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from phasegate.check import ReportedCheck
from phasegate.directory import Directory
from phasegate.gate import Gate
from phasegate.lint.findings import Finding, gates_at, or_meant
from phasegate.lint.gates import TIERS
from phasegate.lint.keys import signed_gate_findings
from phasegate.policy import Policy
from phasegate.problems import DocPath
from phasegate.seats import Step, assign, can_pass, seated, steps_of
from phasegate.sunset import PlanTask, Task


def policy_people_findings(
    policy: Policy, directory: Directory, today: date | None = None
) -> Iterator[Finding]:
    """Groups that are missing or empty, gates nobody can pass, people who alone can block."""
    for path, group in _groups_named(policy):
        if group not in directory.groups:
            hint = or_meant(group, directory.groups)
            yield Finding("error", path, f"the directory has no group {group}{hint}")
        elif not directory.groups[group].members:
            yield Finding("error", path, f"group {group} has no members in the directory; add some")
    for path, gate in gates_at(policy):
        steps = {tier: _steps(gate, directory, tier) for tier in TIERS}
        said: dict[str, list[int]] = {}
        for tier in TIERS:
            for problem in shortages(gate, steps[tier], barred_at(directory, tier)):
                said.setdefault(problem, []).append(tier)
        for problem, tiers in said.items():
            of = "" if len(tiers) == len(TIERS) else f" (tier {', '.join(map(str, tiers))})"
            yield Finding("error", (*path, "requires"), problem + of)
        yield from signed_gate_findings(path, gate, directory, today)
        if not said:
            alone = {person for tier in TIERS for person in blockers(steps[tier])}
            yield from blocked_by((*path, "requires"), gate, sorted(alone))


def _steps(gate: Gate, directory: Directory, tier: int) -> tuple[Step, ...]:
    """The steps with everybody who may vote at that tier, as if every condition were true."""
    members = seated(directory.groups, directory, {}, tier=tier)
    return steps_of(gate.requires, members, tier=tier)


def barred_at(directory: Directory, tier: int) -> frozenset[str]:
    """The groups whose members may not vote on products of that tier."""
    return frozenset(name for name in directory.groups if directory.silent(name, tier))


def shortages(gate: Gate, steps: tuple[Step, ...], barred: Collection[str] = ()) -> Iterator[str]:
    """Why nobody can pass a gate: the steps that have fewer fitting people than seats.

    `barred` are groups that may not vote on products of this tier.
    """
    if can_pass(steps):
        return
    if not steps:
        yield f"gate {gate.id} asks nobody, so nobody can pass it"
    for step in steps:
        held = assign(step.seats, step.people)
        filled = len(held)
        if silent_vetoes := step.silent_vetoes():
            yield (
                f"gate {gate.id} can never pass: nobody could give the veto of "
                f"{'; '.join(silent_vetoes)} in step {step.number}; add people, or leave the veto "
                "out where there is nobody to give it"
            )
        if filled < len(step.seats):
            people = ", ".join(step.people) or "nobody"
            groups = _short(step, held)
            silent = [group for group in groups if group in barred]
            why = f"{', '.join(silent)} may not approve this tier; " if silent else ""
            yield (
                f"gate {gate.id} can never pass: step {step.number} has {len(step.seats)} seats, "
                f"and people for {filled} of them ({people}; one seat each); {why}add people to "
                f"{', '.join(group for group in groups if group not in barred) or 'another group'}"
            )


def _short(step: Step, held: Mapping[int, str]) -> list[str]:
    """The groups from which one more person would fill one more seat: those of the seats that stay
    empty, and those whose people could move over to them."""
    empty = [seat for i, seat in enumerate(step.seats) if i not in held]
    short = {group for seat in empty for group in seat.groups}
    known: set[str] = set()
    while short != known:
        known = set(short)
        for i, person in held.items():
            if step.people[person] & known:  # frees a seat, which one of its groups then fills
                short |= step.seats[i].groups
    return sorted(short)


def blockers(steps: tuple[Step, ...]) -> Iterator[str]:
    """People without whose yes a gate cannot pass, or whose veto no one else could give."""
    for step in steps:
        for person in step.people:
            others: Mapping[str, frozenset[str]] = {
                name: groups for name, groups in step.people.items() if name != person
            }
            only_veto = any(
                step.people[person] & veto and not any(of & veto for of in others.values())
                for veto in step.vetoes
            )
            if only_veto or len(assign(step.seats, others)) < len(step.seats):
                yield person


def blocked_by(path: DocPath, gate: Gate, people: list[str]) -> Iterator[Finding]:
    """A warning where single people can block a gate."""
    if people:
        names = ", ".join(people)
        each = "this person" if len(people) == 1 else "each of these"
        yield Finding(
            "warning",
            path,
            f"{each} alone can block gate {gate.id}: {names}; a second member lets it go on "
            "while one is away",
        )


def _groups_named(policy: Policy) -> Iterator[tuple[DocPath, str]]:
    for path, gate in gates_at(policy):
        for i, requirement in enumerate(gate.requires):
            here = (*path, "requires", i)
            if requirement.group:
                yield (*here, "group"), requirement.group
            for j, group in enumerate(requirement.any_of):
                yield (*here, "any_of", j), group
        for i, criterion in enumerate(gate.criteria):
            if criterion.attested_by:
                yield (*path, "criteria", i, "attested_by"), criterion.attested_by
        for i, group in enumerate(gate.reviewers):
            yield (*path, "reviewers", i), group
    for i, phase in enumerate(policy.phases):
        for j, milestone in enumerate(phase.milestones):
            if isinstance(milestone.check, ReportedCheck) and milestone.check.by:
                yield ("phases", i, "milestones", j, "check", "by"), milestone.check.by
    if policy.sunset:
        yield from _groups_by(("sunset", "tasks"), policy.sunset.tasks)
        for field in ("abort_by", "legal_hold_by"):
            if group := getattr(policy.sunset, field):
                yield ("sunset", field), group


def _groups_by(path: DocPath, tasks: Sequence[Task]) -> Iterator[tuple[DocPath, str]]:
    """Groups that answer for tasks, also of plans within the plan."""
    for i, task in enumerate(tasks):
        if task.by:
            yield (*path, i, "by"), task.by
        if isinstance(task, PlanTask):
            yield from _groups_by((*path, i, "tasks"), task.tasks)
