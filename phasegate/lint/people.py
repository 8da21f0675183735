"""People: whether a directory has those whom a policy's gates ask."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from phasegate.check import ReportedCheck
from phasegate.directory import Directory
from phasegate.gate import Gate
from phasegate.lint.blocking import attester_findings, attesters, awaited, blocked_by, unanswered
from phasegate.lint.cases import Case, cases_of
from phasegate.lint.findings import Finding, gates_at, or_meant
from phasegate.lint.flow import reach
from phasegate.lint.gates import TIERS
from phasegate.lint.keys import signed_gate_findings
from phasegate.lint.leave import lasting, leave_findings
from phasegate.policy import Policy
from phasegate.problems import DocPath
from phasegate.seats import Step, assign, can_pass, seated, steps_of
from phasegate.sunset import PlanTask, Task


def policy_people_findings(
    policy: Policy, directory: Directory, today: date | None = None
) -> Iterator[Finding]:
    """Groups that are missing or empty, gates nobody can pass and what lies behind them, people who
    alone can block; with `today`, also from that day on when leave does."""
    for path, group in _groups_named(policy):
        if group not in directory.groups:
            hint = or_meant(group, directory.groups)
            yield Finding("error", path, f"the directory has no group {group}{hint}")
        elif not directory.groups[group].members:
            yield Finding("error", path, f"group {group} has no members in the directory; add some")
    members = {tier: seated(directory.groups, directory, {}, tier=tier) for tier in TIERS}
    everybody = {name: group.members for name, group in directory.groups.items()}
    closed: dict[str, set[int]] = {}
    for path, gate in gates_at(policy):
        here = (*path, "requires")
        seatings = {case: _steps(gate, members, case) for case in cases_of(gate) if case.applying}
        yield from _shortages(here, gate, seatings, directory)
        yield from signed_gate_findings(path, gate, directory, today)
        found = {case: steps for case, steps in seatings.items() if case.like is not None}
        sound = {case: steps for case, steps in found.items() if can_pass(steps)}
        closed[gate.id] = {case.tier for case in found} - {case.tier for case in sound}
        ways, tiers = sound.values(), sorted({case.tier for case in sound})
        yield from blocked_by(here, gate, ways, directory, tiers, everybody)
        yield from unanswered(here, gate, awaited(gate, ways, directory))
        attested = [
            (case.tier, attesters(gate, steps, members[case.tier], directory))
            for case, steps in sound.items()
        ]
        known = [  # of groups without anybody it is told above
            (
                tier,
                {i: able for i, able in each.items() if able or _has_members(gate, i, directory)},
            )
            for tier, each in attested
        ]
        yield from attester_findings(path, gate, known)
        closed[gate.id].update(tier for tier, each in attested if () in each.values())
        if today is not None:
            yield from leave_findings(here, gate, lasting(gate, ways, directory, today))
    yield from _behind(policy, closed)


def _has_members(gate: Gate, criterion: int, directory: Directory) -> bool:
    return bool(directory.members(gate.criteria[criterion].attested_by or ""))


def _steps(
    gate: Gate, members: Mapping[int, Mapping[str, Sequence[str]]], case: Case
) -> tuple[Step, ...]:
    """The steps of such products, with everybody who may vote at their tier."""
    return steps_of(gate.requires, members[case.tier], tier=case.tier, applying=case.applying)


def _shortages(
    path: DocPath, gate: Gate, seatings: Mapping[Case, tuple[Step, ...]], directory: Directory
) -> Iterator[Finding]:
    """What keeps everybody together from passing a gate."""
    for (problem, where, supposed), tiers in _short_of(gate, seatings, directory).items():
        of = [] if len(tiers) == len(TIERS) else [f"tier {', '.join(map(str, sorted(tiers)))}"]
        told = "; ".join([*of, *([where] if where else [])])
        message = f"{problem} ({told})" if told else problem
        yield Finding("warning" if supposed else "error", path, message)


def _short_of(
    gate: Gate, seatings: Mapping[Case, tuple[Step, ...]], directory: Directory
) -> dict[tuple[str, str, bool], set[int]]:
    """What keeps a gate from passing, of which products, and whether these are only supposed → at
    which tiers. Where fewer requirements are too many already, those that ask for more are not told
    again."""
    short = {
        case: list(shortages(gate, steps, barred_at(directory, case.tier)))
        for case, steps in seatings.items()
        if not can_pass(steps)
    }
    said: dict[tuple[str, str, bool], set[int]] = {}
    for case, problems in short.items():
        others = (set(c.applying) for c in short if c.tier == case.tier and c is not case)
        if any(other < set(case.applying) for other in others):
            continue
        where = _where(gate, case)
        for problem in problems:
            said.setdefault((problem, where, case.like is None), set()).add(case.tier)
    return said


def shortages_told(gate: Gate, directory: Directory, tier: int) -> set[str]:
    """Why a gate can never pass for products of a tier, as it is said of their policy."""
    members = {tier: seated(directory.groups, directory, {}, tier=tier)}
    cases = [case for case in cases_of(gate) if case.tier == tier and case.applying]
    seatings = {case: _steps(gate, members, case) for case in cases if case.like is not None}
    return {problem for problem, _, _ in _short_of(gate, seatings, directory)}


def _where(gate: Gate, case: Case) -> str:
    """Of which products it is told, among those that conditions tell apart."""
    asked = [gate.requires[i].title for i in case.applying if gate.requires[i].when]
    if not asked:
        return ""
    titles = " and ".join(dict.fromkeys(asked))
    if case.like is None:
        return f"if {titles} is ever asked, of which no product was found"
    return f"where {titles} is asked" + (f", as with {case.like}" if case.like else "")


def _behind(policy: Policy, closed: Mapping[str, Collection[int]]) -> Iterator[Finding]:
    """Phases that no Go leads to with this directory, since a gate before them never passes."""
    order = [phase.id for phase in policy.phases]
    usual = set(reach(policy))
    lost: dict[tuple[str, ...], list[int]] = {}
    for tier in TIERS:
        shut = [name for name, tiers in closed.items() if tier in tiers]
        missed = usual - set(reach(policy, shut))
        lost.setdefault(tuple(sorted(missed, key=order.index)), []).append(tier)
    for phases, tiers in lost.items():
        if phases:
            of = "" if len(tiers) == len(TIERS) else f" of tier {', '.join(map(str, tiers))}"
            yield Finding(
                "warning",
                ("phases", order.index(phases[0]), "id"),
                f"with this directory no product{of} comes to {', '.join(phases)}, since a gate "
                "before can never pass; only an override leads on",
            )


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
            seats = "1 seat" if len(step.seats) == 1 else f"{len(step.seats)} seats"
            yield (
                f"gate {gate.id} can never pass: step {step.number} has {seats}, "
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
