"""What a start would do: the phases and gates ahead, and who would vote on each."""

from __future__ import annotations

from collections.abc import Sequence

from phasegate.base import Wire, digest_of
from phasegate.conditions import asked_of
from phasegate.directory import Directory
from phasegate.gate import Gate
from phasegate.ids import product_id
from phasegate.policy import Policy
from phasegate.product import Product
from phasegate.seats import seated, steps_of


class GatePlan(Wire):
    gate: str
    title: str
    after: str
    opens: str
    when: str
    requires: list[str]
    voters: dict[str, list[str]]
    assurance: str = "claimed"


class StartPlan(Wire):
    """A start that was only rehearsed."""

    schema_version: int = 1
    key: str
    name: str
    owner: str
    tier: int
    policy: str
    policy_digest: str
    directory: str
    directory_digest: str
    workflow_id: str
    phases: list[str]
    gates: list[GatePlan]
    warnings: list[str] = []


def plan_start(product: Product, policy: Policy, directory: Directory) -> StartPlan:
    """The way of a product through its policy, in the order it will meet the gates."""
    return StartPlan(
        key=product.key,
        name=product.name,
        owner=product.owner,
        tier=product.tier,
        policy=f"{policy.policy} {policy.version}",
        policy_digest=digest_of(policy),
        directory=directory.directory,
        directory_digest=digest_of(directory),
        workflow_id=product_id(product.key),
        phases=[phase.id for phase in policy.phases],
        gates=[_gate_plan(gate, product, policy, directory) for gate in policy.gates()],
    )


def _gate_plan(gate: Gate, product: Product, policy: Policy, directory: Directory) -> GatePlan:
    return GatePlan(
        gate=gate.id,
        title=gate.title,
        after=_home(gate, policy),
        opens=gate.opens,
        when=policy.opening(gate),
        requires=[
            r.title + (f" (step {r.step})" if r.step > 1 else "")
            for r in (gate.requires[i] for i in _asked(gate, product))
        ],
        voters=voters_of(gate, product, directory),
        assurance=gate.assurance,
    )


def voters_of(gate: Gate, product: Product, directory: Directory) -> dict[str, list[str]]:
    """Who may vote on that product at that gate: group → people."""
    chosen = product.approvers.get(gate.id, {})
    members = seated(directory.groups, directory, chosen, tier=product.tier, barred=[product.owner])
    steps = steps_of(
        gate.requires,
        members,
        tier=product.tier,
        excluded=[product.owner],
        applying=_asked(gate, product),
    )
    voters: dict[str, list[str]] = {}
    for step in steps:
        for person, groups in step.people.items():
            for group in sorted(groups):
                voters.setdefault(group, []).append(person)
    return {group: sorted(set(people)) for group, people in sorted(voters.items())}


def _asked(gate: Gate, product: Product) -> Sequence[int]:
    """Which of the gate's requirements apply to that product."""
    return asked_of(gate.requires, product.tier, product.model_dump(mode="json")).applying


def _home(gate: Gate, policy: Policy) -> str:
    for phase in policy.phases:
        if phase.gate is gate:
            return phase.id
        if phase.review and phase.review.gate is gate:
            return f"{phase.id} (review)"
    return "sunset"
