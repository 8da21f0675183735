"""What a product's milestones wait for in other products, and whether that goes round in a circle.

A milestone waits for what it names, and for whatever its phase is entered by: the gate before it,
which waits for the milestones of its own phase. So two products may wait for each other as long as
each step of one comes before the next of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from phasegate.check import ProductCheck
from phasegate.milestones import roadmap_of
from phasegate.policy import Policy
from phasegate.ports import Finding
from phasegate.product import Product
from phasegate.views import ProductView


class Step(NamedTuple):
    """A milestone or a gate of a product."""

    product: str
    id: str

    def __str__(self) -> str:
        return f"{self.product}/{self.id}"


@dataclass(frozen=True)
class Plan:
    """What each step of one product waits for. `gates` are those that may be waited for."""

    product: str
    waits: Mapping[Step, tuple[Step, ...]]
    milestones: tuple[str, ...]
    gates: tuple[str, ...]

    def others(self) -> tuple[str, ...]:
        """The other products it waits for, sorted."""
        found = {to.product for targets in self.waits.values() for to in targets}
        return tuple(sorted(found - {self.product}))


def target_of(check: ProductCheck) -> Step:
    return Step(check.product, check.milestone or check.gate or "")


@dataclass(frozen=True)
class Answer:
    """What another product says of a step that is waited for, and when it is expected there."""

    finding: Finding
    why: str
    expected: datetime | None = None

    @classmethod
    def met(cls, why: str) -> Answer:
        return cls(Finding.met, why)

    @classmethod
    def cannot_tell(cls, why: str) -> Answer:
        return cls(Finding.cannot_tell, why)

    @classmethod
    def never(cls, why: str) -> Answer:
        return cls(Finding.not_met, why)


PASSED = ("go", "conditional-go")
FINAL = ("retired", "completed", "killed", "cancelled")


def answer_of(check: ProductCheck, view: ProductView) -> Answer:
    """What a product's view says. A waived milestone is not met: nobody did what is waited for."""
    target = target_of(check)
    if check.gate:
        rounds = [summary for summary in view.gates if summary.gate == check.gate]
        if rounds and rounds[-1].outcome in PASSED:
            return Answer.met(f"{target} came to {rounds[-1].outcome}")
        state = f"came to {rounds[-1].outcome}" if rounds else "is not decided"
        goals = [m for m in view.milestones if m.phase == view.phase and m.expected]
        ends = check.gate == view.ends_with  # of a later gate nothing is known here
        ready = max((m.expected for m in goals if m.expected and ends), default=None)
        expected = ready + (view.ends_within or timedelta(0)) if ready else None
    else:
        goal = next((m for m in view.milestones if m.id == check.milestone), None)
        if goal and goal.state == "met":
            return Answer.met(f"{target} is met")
        state = f"is {goal.state}" if goal else "belongs to a later phase"
        expected = goal.expected if goal else None
    if view.status in FINAL:
        return Answer.never(f"{target} {state}, and {check.product} is {view.status}")
    when = f", expected {expected:%Y-%m-%d}" if expected else ""
    return Answer(Finding.not_met, f"waits for {target}, which {state}{when}", expected)


def plan_of(product: Product, policy: Policy) -> Plan:
    """The steps of a product in the order of its policy's phases."""
    waits: dict[Step, tuple[Step, ...]] = {}
    milestones: list[str] = []
    entered_by: tuple[Step, ...] = ()
    seen: list[str] = []
    at: str | None = policy.phases[0].id
    while at is not None and at not in seen:
        seen.append(at)
        phase, here = policy.phase(at), list[Step]()
        for milestone in roadmap_of(phase, product):
            step = Step(product.key, milestone.id)
            check = milestone.check
            named = (target_of(check),) if isinstance(check, ProductCheck) else ()
            waits[step] = (*named, *entered_by)
            milestones.append(milestone.id)
            here.append(step)
        if phase.review:
            waits[Step(product.key, phase.review.gate.id)] = entered_by
        if phase.gate:
            gate = Step(product.key, phase.gate.id)
            waits[gate] = (*here, *entered_by)
            here = [gate]
        entered_by = tuple(here) or entered_by
        at = policy.following(at)
    for late in policy.gates():  # those of the sunset, which follows the last phase
        waits.setdefault(Step(product.key, late.id), entered_by)
    return Plan(product.key, waits, tuple(milestones), tuple(gate.id for gate in policy.gates()))


def circle(plans: Mapping[str, Plan], start: str) -> list[Step]:
    """The steps of a circle that a product would be part of, its first one repeated at the end;
    empty if there is none. Products without a plan wait for nothing."""
    done: set[Step] = set()

    def walk(step: Step, way: list[Step]) -> list[Step]:
        if step in way:
            return [*way[way.index(step) :], step]
        if step in done:
            return []
        plan = plans.get(step.product)
        for onward in plan.waits.get(step, ()) if plan else ():
            if found := walk(onward, [*way, step]):
                return found
        done.add(step)
        return []

    for step in plans[start].waits:
        if found := walk(step, []):
            return found
    return []


def unknown(plans: Mapping[str, Plan], start: str) -> Iterator[tuple[Step, Step, tuple[str, ...]]]:
    """Steps that a product waits for and that a known product does not have: who waits, for what,
    and what there is."""
    for step, targets in plans[start].waits.items():
        for target in targets:
            plan = plans.get(target.product)
            there = (*plan.milestones, *plan.gates) if plan else (target.id,)
            if target.id not in there:
                yield step, target, there
