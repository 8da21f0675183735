"""What a gate asks, for telling whether two policies ask the same at it.

Titles are words for people, and the order of requirements and criteria says nothing. A milestone
that a criterion names is part of what is asked: by the check that says whether it is met.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from phasegate.base import canonical
from phasegate.gate import Gate, Requirement
from phasegate.policy import MilestoneGoal, Phase, Policy
from phasegate.sunset import GateTask


def goals_of(policy: Policy) -> dict[str, tuple[Phase, MilestoneGoal]]:
    """The policy's milestones by id, each with its phase."""
    return {goal.id: (phase, goal) for phase in policy.phases for goal in phase.milestones}


def gates_by_place(policy: Policy) -> Iterator[tuple[str, Gate]]:
    """Every gate with the phase it ends or reviews, or the sunset."""
    for phase in policy.phases:
        if phase.review:
            yield f"the review of {phase.id}", phase.review.gate
        if phase.gate:
            yield f"the end of {phase.id}", phase.gate
    for task in policy.sunset.tasks if policy.sunset else ():
        if isinstance(task, GateTask):
            yield "the sunset", task.gate


def gate_of(policy: Policy, gate_id: str) -> Gate | None:
    """The gate of that id, wherever it stands."""
    return next((gate for _, gate in gates_by_place(policy) if gate.id == gate_id), None)


def meaning_of(policy: Policy, gate: Gate) -> dict[str, Any]:
    """What the gate asks, as JSON: two gates that ask the same have the same."""
    said = gate.model_dump(mode="json", exclude={"title"})
    goals = goals_of(policy)
    said["requires"] = _sorted(map(_asked, gate.requires))
    said["criteria"] = sorted(said["criteria"], key=lambda criterion: str(criterion["id"]))
    said["reviewers"] = sorted(said["reviewers"])
    said["checks"] = {
        criterion.milestone: goals[criterion.milestone][1].check.model_dump(mode="json")
        for criterion in gate.criteria
        if criterion.milestone in goals
    }
    return said


def same_gate(old: Policy, new: Policy, gate_id: str) -> bool:
    """Whether both policies have the gate, and ask the same at it."""
    before, after = gate_of(old, gate_id), gate_of(new, gate_id)
    if before is None or after is None:
        return False
    return meaning_of(old, before) == meaning_of(new, after)


def _asked(requirement: Requirement) -> dict[str, Any]:
    """A requirement, where neither the order of its groups nor how one is written matters."""
    said = requirement.model_dump(mode="json", exclude={"group", "any_of"})
    said["groups"] = sorted(requirement.groups)
    return {**said, "include": sorted(said["include"]), "tiers": sorted(said["tiers"])}


def _sorted(found: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(found, key=lambda one: canonical(dict(one)))
