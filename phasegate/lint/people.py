"""People: a directory by itself, and whether it has those whom a policy's gates ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from phasegate.check import ReportedCheck
from phasegate.directory import Directory
from phasegate.gate import Gate
from phasegate.lint.findings import Finding, gates_at, or_meant
from phasegate.lint.gates import TIERS
from phasegate.policy import Policy
from phasegate.problems import DocPath
from phasegate.seats import Step, assign, can_pass, steps_of
from phasegate.sunset import ManualTask


def policy_people_findings(policy: Policy, directory: Directory) -> Iterator[Finding]:
    """Groups that are missing or empty, gates nobody can pass, people who alone can block."""
    for path, group in _groups_named(policy):
        if group not in directory.groups:
            hint = or_meant(group, directory.groups)
            yield Finding("error", path, f"the directory has no group {group}{hint}")
        elif not directory.groups[group].members:
            yield Finding("error", path, f"group {group} has no members in the directory; add some")
    members = {group: directory.members(group) for group in directory.groups}
    for path, gate in gates_at(policy):
        steps = {tier: steps_of(gate.requires, members, tier=tier) for tier in TIERS}
        said: dict[str, list[int]] = {}
        for tier in TIERS:
            for problem in shortages(gate, steps[tier]):
                said.setdefault(problem, []).append(tier)
        for problem, tiers in said.items():
            of = "" if len(tiers) == len(TIERS) else f" (tier {', '.join(map(str, tiers))})"
            yield Finding("error", (*path, "requires"), problem + of)
        if not said:
            alone = {person for tier in TIERS for person in blockers(steps[tier])}
            yield from blocked_by((*path, "requires"), gate, sorted(alone))


def shortages(gate: Gate, steps: tuple[Step, ...]) -> Iterator[str]:
    """Why nobody can pass a gate: the steps that have fewer fitting people than seats."""
    if can_pass(steps):
        return
    if not steps:
        yield f"gate {gate.id} asks nobody, so nobody can pass it"
    for step in steps:
        filled = len(assign(step.seats, step.people))
        if filled < len(step.seats):
            people = ", ".join(step.people) or "nobody"
            yield (
                f"gate {gate.id} can never pass: step {step.number} has {len(step.seats)} seats, "
                f"and people for {filled} of them ({people}; one seat each); add people to "
                f"{', '.join(sorted({group for seat in step.seats for group in seat.groups}))}"
            )


def blockers(steps: tuple[Step, ...]) -> Iterator[str]:
    """People without whose yes a gate cannot pass, or whose veto no one else could give."""
    for step in steps:
        for person in step.people:
            others: Mapping[str, frozenset[str]] = {
                name: groups for name, groups in step.people.items() if name != person
            }
            only_veto = step.people[person] & step.veto_groups and not any(
                groups & step.veto_groups for groups in others.values()
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
    for i, phase in enumerate(policy.phases):
        for j, milestone in enumerate(phase.milestones):
            if isinstance(milestone.check, ReportedCheck) and milestone.check.by:
                yield ("phases", i, "milestones", j, "check", "by"), milestone.check.by
    for i, task in enumerate(policy.sunset.tasks if policy.sunset else ()):
        if isinstance(task, ManualTask) and task.by:
            yield ("sunset", "tasks", i, "by"), task.by


def directory_findings(directory: Directory) -> Iterator[Finding]:
    """Members and managers who are nobody, circles of managers, empty groups."""
    for name, group in directory.groups.items():
        path = ("groups", name, "members")
        if not group.members:
            yield Finding("warning", ("groups", name), f"group {name} has no members")
        seen: set[str] = set()
        for i, person in enumerate(group.members):
            if person not in directory.people:
                hint = or_meant(person, directory.people)
                yield Finding("error", (*path, i), f"{person} is not listed in people{hint}")
            if person in seen:
                yield Finding("warning", (*path, i), f"{person} is listed twice; keep one")
            seen.add(person)
    circles: set[frozenset[str]] = set()
    for name, person_entry in directory.people.items():
        manager = person_entry.manager
        if manager and manager not in directory.people:
            hint = or_meant(manager, directory.people)
            place = ("people", name, "manager")
            yield Finding("error", place, f"{manager} is not listed in people{hint}")
        circle = _circle(directory, name)
        if circle and frozenset(circle) not in circles:
            circles.add(frozenset(circle))
            yield Finding(
                "error",
                ("people", name, "manager"),
                f"managers go round in a circle: {' → '.join(circle)}; escalation finds no top",
            )


def _circle(directory: Directory, start: str) -> list[str]:
    """The circle of managers that `start` is part of, if any."""
    way = [start]
    while (entry := directory.people.get(way[-1])) and entry.manager:
        if entry.manager == start:
            return [*way, start]
        if entry.manager in way:
            return []
        way.append(entry.manager)
    return []
