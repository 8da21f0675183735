"""Plans: whether the time that a gate may take fits between the milestones before and after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from phasegate.conditions import asked_of
from phasegate.directory import Directory
from phasegate.gate import Gate, TimeoutAction
from phasegate.lint.clocks import resolve_due
from phasegate.lint.findings import Finding, walk_from_start
from phasegate.policy import Policy
from phasegate.product import Product
from phasegate.seats import seated, steps_of


@dataclass(frozen=True)
class _Waiting:
    """The gates that come between two phases with dates: when the first opens by the plan, and by
    when the last has decided if each takes its time."""

    gates: tuple[Gate, ...]
    opens: datetime
    since: str
    due: datetime


def plan_findings(
    product: Product, policy: Policy, directory: Directory | None
) -> Iterator[Finding]:
    """Milestones that are due before the gate ahead of them has to have decided.

    A gate that opens with its milestones opens, by the plan, when the last of them is due. One that
    the owner submits opens when they like, and is not judged. Without a directory, and for people
    it does not know, Monday to Friday are business days.
    """
    waiting: _Waiting | None = None
    for name in walk_from_start(policy)[0]:
        phase = policy.phase(name)
        dated = sorted(
            (milestone.due, i)
            for i, milestone in enumerate(product.milestones)
            if milestone.phase == name and milestone.due
        )
        if dated and waiting and waiting.opens <= dated[0][0] < waiting.due:
            yield _finding(product, dated[0][1], waiting)
        if dated:
            last = product.milestones[dated[-1][1]].id
            waiting = _Waiting((), dated[-1][0], last, dated[-1][0])
        if waiting and phase.gate:
            waiting = _on(waiting, phase.gate, product, directory)


def _on(
    before: _Waiting, gate: Gate, product: Product, directory: Directory | None
) -> _Waiting | None:
    """With this gate's time; None where nobody knows when it opens."""
    if gate.opens != "milestones":
        return None
    due = resolve_due(gate, _seated(gate, product, directory), directory, before.due)
    return _Waiting((*before.gates, gate), before.opens, before.since, due) if due else None


def _seated(gate: Gate, product: Product, directory: Directory | None) -> list[str]:
    if directory is None:
        return []
    asked = asked_of(gate.requires, product.tier, product.model_dump(mode="json"))
    chosen, owner = product.approvers.get(gate.id, {}), [product.owner]
    members = seated(directory.groups, directory, chosen, tier=product.tier, barred=owner)
    steps = steps_of(
        gate.requires, members, tier=product.tier, excluded=owner, applying=asked.applying
    )
    return [person for step in steps for person in step.people]


def _finding(product: Product, index: int, waiting: _Waiting) -> Finding:
    milestone = product.milestones[index]
    assert milestone.due is not None
    names = ", ".join(gate.id for gate in waiting.gates)
    which = f"gate {names} comes" if len(waiting.gates) == 1 else f"gates {names} come"
    spans = " and ".join(gate.clocks.resolve.words for gate in waiting.gates)
    longer = any(g.clocks.on_timeout is TimeoutAction.escalate for g in waiting.gates)
    return Finding(
        "warning",
        ("milestones", index, "due"),
        f"{milestone.id} is due on {milestone.due:%Y-%m-%d}, and {which} before it: opened when "
        f"{waiting.since} is due ({waiting.opens:%Y-%m-%d}), with {spans} to decide, that may take "
        f"until {waiting.due:%Y-%m-%d}{', and longer where it escalates' if longer else ''}; plan "
        "it later, what comes before it earlier, or give the gate less time",
    )
