"""What another policy means for a product, in words for people."""

from __future__ import annotations

from collections.abc import Iterator

from phasegate.gate import Gate
from phasegate.migration_ports import MigrationPlan, Standing
from phasegate.policy import Phase, Policy
from phasegate.policy_diff import diff_policies

MOST_SHOWN = 8


def notes_of(
    plan: MigrationPlan,
    old: Policy,
    new: Policy,
    here: Phase,
    standing: Standing,
) -> Iterator[str]:
    """First what changes where it is, then what else the two policies ask differently."""
    yield from _notes_of_now(plan, new, here, standing)
    ahead = [change.text for change in diff_policies(old, new).changes if change.what != "policy"]
    ahead = [text for text in ahead if text not in plan.notes]
    yield from ahead[:MOST_SHOWN]
    if len(ahead) > MOST_SHOWN:
        more = len(ahead) - MOST_SHOWN
        named = f"{new.policy}@{new.version}"  # which the name alone may not mean
        yield f"and {more} more: phasegate policy diff {plan.from_digest} {named}"


def _notes_of_now(
    plan: MigrationPlan, new: Policy, here: Phase, standing: Standing
) -> Iterator[str]:
    if plan.to_phase != plan.phase:
        leap = ""
        if any(phase.id == plan.phase for phase in new.phases):
            leap = f", though the new policy has {plan.phase}, too: gates in between are left out"
        yield f"its phase {plan.phase} is {plan.to_phase}{leap}"
    if plan.fate == "goes-on":
        yield f"round {plan.round} of {plan.gate} goes on with its votes"
    elif plan.fate == "stopped":
        then = here.review.gate.id if standing.kind == "review" and here.review else ""
        then = then or (here.gate.id if here.gate and standing.kind == "phase" else "")
        opens = f", and {then} is convened anew" if then else ""
        yield f"round {plan.round} of {plan.gate} is stopped, its votes are void{opens}"
    for name in plan.anew:
        yield f"milestone {name} has another check, and is open again"
    for name in plan.new:
        yield f"milestone {name} joins"
    for name, state in plan.gone.items():
        yield f"milestone {name}, which is {state}, goes"
    if plan.review_anew:
        yield "its review is reckoned anew" if here.review else "it is not reviewed any more"
    if plan.plan_dropped:
        yield "the sunset that its owner planned is dropped"
    yield from _at_once(plan, here.gate, standing)


def _at_once(plan: MigrationPlan, gate: Gate | None, standing: Standing) -> Iterator[str]:
    """What follows as soon as it is done, since nothing holds it back."""
    states = {milestone.id: milestone.state for milestone in standing.milestones}
    waits = bool(plan.new or plan.anew) or not all(states[name].settled for name in plan.kept)
    free = standing.status == "active" and not standing.gate and not standing.needs_submit
    if free and not waits and gate is not None and gate.opens == "milestones":
        yield f"{gate.id} opens at once: its milestones are settled"
