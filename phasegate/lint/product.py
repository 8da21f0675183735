"""A product under its policy: names that must exist, people who must be able to vote, dates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from difflib import get_close_matches

from phasegate.conditions import asked_of
from phasegate.directory import Directory
from phasegate.expressions import compile_error, evaluate, facts
from phasegate.lint.checks import check_findings
from phasegate.lint.findings import Finding, gates_at, or_meant, twice, walk_from_start
from phasegate.lint.own_gates import own_gate_findings
from phasegate.lint.plans import plan_findings
from phasegate.lint.values import value_findings
from phasegate.policy import Policy
from phasegate.problems import DocPath
from phasegate.product import Product
from phasegate.sunset import CUSTOMERS_SETTLED


def product_findings(
    product: Product,
    policy: Policy,
    directory: Directory | None,
    today: date | None = None,
    *,
    told: bool = False,
) -> Iterator[Finding]:
    """Unknown names, approvers outside their groups, gates nobody can pass, dates out of order."""
    yield from _milestones(product, policy, directory)
    yield from _dates(product, policy)
    yield from plan_findings(product, policy, directory)
    yield from _criteria(product, policy)
    yield from _conditions(product, policy)
    yield from value_findings(product, policy)
    yield from _approvers(product, policy, directory)
    yield from _team(product, directory)
    if directory is None:
        return
    if product.owner not in directory.people:
        hint = or_meant(product.owner, directory.people)
        name = f"directory {directory.directory}"
        yield Finding("error", ("owner",), f"{product.owner} is not in {name}{hint}")
        return  # most likely it is another directory that was meant: its gates say nothing
    for _, gate in gates_at(policy):
        yield from own_gate_findings(product, gate, directory, today, told=told)


def _milestones(product: Product, policy: Policy, directory: Directory | None) -> Iterator[Finding]:
    phases = [phase.id for phase in policy.phases]
    home = {m.id: phase.id for phase in policy.phases for m in phase.milestones}
    yield from twice(
        ((("milestones", i, "id"), m.id) for i, m in enumerate(product.milestones)), "milestone"
    )
    for i, milestone in enumerate(product.milestones):
        here: DocPath = ("milestones", i)
        if milestone.id == CUSTOMERS_SETTLED:
            message = f"every sunset has a milestone {CUSTOMERS_SETTLED} of its own; rename this"
            yield Finding("error", (*here, "id"), message)
        if milestone.phase not in phases:
            message = f"policy {policy.policy} has no phase {milestone.phase}"
            hint = or_meant(milestone.phase, phases)
            yield Finding("error", (*here, "phase"), message + hint)
        elif home.get(milestone.id, milestone.phase) != milestone.phase:
            yield Finding(
                "error",
                (*here, "phase"),
                f"policy {policy.policy} has milestone {milestone.id} in phase "
                f"{home[milestone.id]}; name that phase, or choose another id",
            )
        elif near := _nearly(milestone.id, set(home) - {m.id for m in product.milestones}):
            yield Finding(
                "warning",
                (*here, "id"),
                f"policy {policy.policy} has no milestone {milestone.id}; did you mean {near}? As "
                "it is, both are to be met: the policy's, and one of this product's own",
            )
        if milestone.check and milestone.id in home:
            message = f"policy {policy.policy} says how {milestone.id} is checked; leave it out"
            yield Finding("error", (*here, "check"), message)
        elif milestone.check:
            yield from check_findings((*here, "check"), milestone.check, directory)


def _nearly(name: str, known: Iterable[str]) -> str | None:
    """One of these that was most likely meant: spelt nearly the same, and not the next of a row."""
    plain = name.rstrip("0123456789")
    others = [other for other in sorted(known) if other.rstrip("0123456789") != plain]
    return next(iter(get_close_matches(name, others, n=1, cutoff=0.85)), None)


def _dates(product: Product, policy: Policy) -> Iterator[Finding]:
    latest: tuple[datetime, str] | None = None
    order, _ = walk_from_start(policy)
    for phase in order:
        dated = [
            (i, milestone.id, milestone.due)
            for i, milestone in enumerate(product.milestones)
            if milestone.phase == phase and milestone.due
        ]
        for i, name, due in dated:
            if latest and due < latest[0]:
                yield Finding(
                    "warning",
                    ("milestones", i, "due"),
                    f"{name} ({due:%Y-%m-%d}) is due before {latest[1]} ({latest[0]:%Y-%m-%d}), "
                    "which is in an earlier phase",
                )
        for _, name, due in dated:
            if latest is None or due > latest[0]:
                latest = due, name


def _criteria(product: Product, policy: Policy) -> Iterator[Finding]:
    known = {m.id for phase in policy.phases for m in phase.milestones}
    known |= {CUSTOMERS_SETTLED, *(milestone.id for milestone in product.milestones)}
    definition = product.model_dump(mode="json")
    for _, gate in gates_at(policy):
        for criterion in gate.criteria:
            # What asks of evidence, too, can be judged when there is some.
            if criterion.expression and not compile_error(criterion.expression, "product"):
                problem = evaluate(criterion.expression, facts(definition)).problem
                if problem:
                    yield Finding(
                        "error",
                        _blame(product, criterion.expression),
                        f"criterion {criterion.id} of gate {gate.id} can never be met: "
                        f"{criterion.expression} {problem}; {_MEND}",
                    )
            if criterion.milestone and criterion.milestone not in known:
                yield Finding(
                    "error",
                    ("milestones",),
                    f"gate {gate.id} asks for milestone {criterion.milestone}, which neither the "
                    "policy nor this product has; add it here with a due date",
                )


_MEND = "give the product what it asks for, or mend the policy's expression"


def _blame(product: Product, expression: str) -> DocPath:
    """Where in the product's file to look: at the figures it has, if it is they that are asked."""
    return ("figures",) if product.figures and "figures" in expression else ("key",)


def _conditions(product: Product, policy: Policy) -> Iterator[Finding]:
    """Requirements of which it cannot be known whether they are asked of this product."""
    definition = product.model_dump(mode="json")
    for _, gate in gates_at(policy):
        asked = asked_of(gate.requires, product.tier, definition)
        for i, problem in asked.problems.items():
            requirement = gate.requires[i]
            yield Finding(
                "error",
                _blame(product, requirement.when or ""),
                f"gate {gate.id} cannot know whether to ask {requirement.title}: "
                f"{requirement.when} {problem}; {_MEND}",
            )


def _team(product: Product, directory: Directory | None) -> Iterator[Finding]:
    for i, person in enumerate(product.team):
        path: DocPath = ("team", i)
        if person == product.owner:
            yield Finding(
                "warning", path, f"{person} owns the product already; leave them out of the team"
            )
        elif person in product.team[:i]:
            yield Finding("warning", path, f"{person} is listed twice; keep one")
        elif directory and person not in directory.people:
            hint = or_meant(person, directory.people)
            message = f"{person} is not in directory {directory.directory}{hint}"
            yield Finding("error", path, message)


def _approvers(product: Product, policy: Policy, directory: Directory | None) -> Iterator[Finding]:
    gates = {gate.id: gate for _, gate in gates_at(policy)}
    for gate_id, groups in product.approvers.items():
        here: DocPath = ("approvers", gate_id)
        if gate_id not in gates:
            message = f"policy {policy.policy} has no gate {gate_id}{or_meant(gate_id, gates)}"
            yield Finding("error", here, message)
            continue
        asked = {group for r in gates[gate_id].requires for group in r.groups}
        for group, people in groups.items():
            if group not in asked:
                hint = or_meant(group, asked)
                yield Finding(
                    "error", (*here, group), f"gate {gate_id} asks no group {group}{hint}"
                )
            if not people:
                yield Finding(
                    "error",
                    (*here, group),
                    f"leaves nobody of {group} to vote; name members, or remove the line",
                )
            for i, person in enumerate(people):
                if person == product.owner:
                    yield Finding(
                        "warning",
                        (*here, group, i),
                        f"{person} owns the product and has no vote in its gates; name another",
                    )
                if directory and group in asked and person not in directory.members(group):
                    yield Finding(
                        "error",
                        (*here, group, i),
                        f"{person} is not a member of {group} in the directory; approvers can "
                        "narrow a group, never add to it",
                    )
