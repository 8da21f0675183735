"""The way through a policy's phases: names, order, ends."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from phasegate.lint.checks import check_findings
from phasegate.lint.findings import Finding, or_meant, twice, walk
from phasegate.policy import Phase, Policy


def flow_findings(policy: Policy) -> Iterator[Finding]:
    """Duplicate ids, broken `next`, cycles, phases nobody reaches, phases that cannot end."""
    yield from twice((((*_at(i), "id"), p.id) for i, p in enumerate(policy.phases)), "phase")
    yield from twice(
        (
            ((*_at(i), "milestones", j, "id"), milestone.id)
            for i, phase in enumerate(policy.phases)
            for j, milestone in enumerate(phase.milestones)
        ),
        "milestone",
    )
    known = [phase.id for phase in policy.phases]
    reached, last, cycles = _ways(policy)
    lost = astray(policy, reached)
    for cycle in cycles:
        index = known.index(cycle[-2])
        way = " → ".join(cycle)
        yield Finding(
            "error",
            (*_at(index), "next"),
            f"the phases go round in a circle: {way}; a product would never end",
        )
    for i, phase in enumerate(policy.phases):
        yield from _invest(policy, i, phase)
        if phase.next and phase.next not in known:
            hint = or_meant(phase.next, known)
            yield Finding("error", (*_at(i), "next"), f"there is no phase {phase.next}{hint}")
        if phase.id not in reached and not lost:
            yield Finding(
                "error",
                (*_at(i), "id"),
                f"no product ever reaches phase {phase.id}: make it another's next, or remove it",
            )
        ends_here = phase.id in last or (lost and policy.following(phase.id) is None)
        yield from _phase(policy, i, phase, last=ends_here)
    out = cycles or lost or any(_leads_out(policy, name) for name in reached)
    if policy.sunset and not out:
        yield Finding(
            "warning",
            ("sunset",),
            "no product comes to this sunset: no phase in the market has a gate or a review whose "
            "kill leads there, and the last phase never ends; set in_market: true where it is sold",
        )


def astray(policy: Policy, names: Iterable[str]) -> bool:
    """Whether one of these phases leads to one that there is not. Until that is mended, nobody
    knows what comes after it."""
    known = {phase.id for phase in policy.phases}
    for phase in map(policy.phase, names):
        targets = [phase.next, phase.review.invest if phase.review else None]
        if any(target is not None and target not in known for target in targets):
            return True
    return False


def _leads_out(policy: Policy, name: str) -> bool:
    """Whether the sunset begins from this phase: by a kill, or since no phase comes after it."""
    phase = policy.phase(name)
    if phase.in_market and (phase.gate or phase.review):
        return True
    return policy.following(name) is None and (phase.gate is not None or phase.review is None)


def _ways(policy: Policy) -> tuple[set[str], set[str], list[list[str]]]:
    """The phases that products reach, those that ways end with, and the circles.

    A review that invests opens a way of its own, which may go through phases no Go leads to.
    """
    known = {phase.id for phase in policy.phases}
    reached: set[str] = set()
    last: set[str] = set()
    cycles: list[list[str]] = []
    todo = [policy.phases[0].id]
    while todo:
        order, cycle = walk(policy, todo.pop())
        last.add(order[-1])
        if cycle and not any(set(cycle) == set(other) for other in cycles):
            cycles.append(cycle)
        for name in order:
            review = policy.phase(name).review
            if name not in reached and review and review.invest in known:
                todo.append(review.invest)
            reached.add(name)
    return reached, last, cycles


def reach(policy: Policy, shut: Collection[str] = (), start: str | None = None) -> list[str]:
    """The phases that products come to, by Go or by an investment, where the `shut` gates never
    come to a Go; from the first phase on, or from `start`."""
    known = {phase.id for phase in policy.phases}
    reached: list[str] = []
    todo = [start or policy.phases[0].id]
    while todo:
        name = todo.pop()
        if name in reached or name not in known:
            continue
        reached.append(name)
        phase = policy.phase(name)
        if phase.review and phase.review.invest:
            todo.append(phase.review.invest)
        following = policy.following(name)
        if following and not (phase.gate and phase.gate.id in shut):
            todo.append(following)
    return reached


def _invest(policy: Policy, i: int, phase: Phase) -> Iterator[Finding]:
    """What a review invests in must be another phase, and must lead back to a market."""
    target = phase.review.invest if phase.review else None
    if target is None:
        return
    path = (*_at(i), "review", "invest")
    markets = {other.id for other in policy.phases if other.in_market}
    if target == phase.id:
        yield Finding(
            "error",
            path,
            f"a recycle of the review would begin phase {phase.id} again, with nothing to build; "
            "name the phase that builds the next generation",
        )
    elif target not in (known := [other.id for other in policy.phases]):
        hint = or_meant(target, known)
        yield Finding("error", path, f"there is no phase {target}{hint}")
    elif not {phase.id, *markets} & set(way := walk(policy, target)[0]) and not astray(policy, way):
        yield Finding(
            "error",
            path,
            f"the way from {target} never comes to a phase in the market: the product would end "
            f"there; lead it back to {phase.id}",
        )


def _at(index: int) -> tuple[str, int]:
    return ("phases", index)


def _phase(policy: Policy, i: int, phase: Phase, *, last: bool) -> Iterator[Finding]:
    if phase.review and not phase.in_market:
        yield Finding(
            "warning",
            (*_at(i), "review"),
            f"phase {phase.id} is reviewed but not in the market; set in_market: true, "
            "or use the phase's gate",
        )
    if phase.gate is None and phase.review and (not last or policy.sunset is None):
        yield Finding(
            "error",
            (*_at(i), "review"),
            f"phase {phase.id} never ends with a Go: it has a review and no gate, so only a kill "
            "ends it; give it a gate (opens: submit)",
        )
    elif phase.gate is None and not phase.milestones and not phase.review:
        if phase.in_market:
            yield Finding(
                "error",
                (*_at(i), "in_market"),
                f"phase {phase.id} leaves the market as soon as it enters it: it has no gate, no "
                "milestones and no review; add one",
            )
        elif not last:
            yield Finding(
                "warning",
                (*_at(i), "id"),
                f"phase {phase.id} has neither gate nor milestones and ends as soon as it begins",
            )
    if phase.in_market and policy.sunset is None:
        yield Finding(
            "warning",
            (*_at(i), "in_market"),
            f"a kill in phase {phase.id} leads to the sunset, but the policy plans none",
        )
    for j, milestone in enumerate(phase.milestones):
        yield from check_findings((*_at(i), "milestones", j, "check"), milestone.check, None)
