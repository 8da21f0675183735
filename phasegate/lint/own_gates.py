"""The gates of one product, with the people who may vote on it: without its owner, at its tier."""

from __future__ import annotations

from collections.abc import Iterator

from phasegate.conditions import asked_of
from phasegate.directory import Directory
from phasegate.gate import Gate
from phasegate.lint.blocking import attesters, awaited, blocked_by, blockers, unanswered
from phasegate.lint.findings import Finding
from phasegate.lint.people import barred_at, shortages
from phasegate.problems import DocPath
from phasegate.product import Product
from phasegate.seats import Step, can_pass, seated, steps_of


def own_gate_findings(product: Product, gate: Gate, directory: Directory) -> Iterator[Finding]:
    """Why a gate cannot pass for this product, who can block it because of this owner, and whom of
    the team it cannot do without."""
    chosen = product.approvers.get(gate.id, {})
    asked = asked_of(gate.requires, product.tier, product.model_dump(mode="json"))
    members = seated(directory.groups, directory, chosen, tier=product.tier, barred=[product.owner])

    def without(*barred: str) -> tuple[Step, ...]:
        return steps_of(
            gate.requires,
            members,
            tier=product.tier,
            excluded=barred,
            applying=asked.applying,
        )

    steps = without(product.owner)
    here: DocPath = ("approvers", gate.id) if gate.id in product.approvers else ("owner",)
    short = list(shortages(gate, steps, barred_at(directory, product.tier)))
    for problem in short:
        why = f"for a product of tier {product.tier} owned by {product.owner}"
        yield Finding("error", here, f"{problem}; counted {why}")
    if short:
        return
    # Who blocks whoever owns the product is told of the policy, unless this file chose approvers.
    known = () if gate.id in product.approvers else set(blockers(without()))
    yield from blocked_by(
        here, gate, [steps], directory, [product.tier], members, known, product.owner
    )
    owned = awaited(gate, [steps], directory, product.owner)
    yield from unanswered(here, gate, owned - awaited(gate, [without()], directory), product.owner)
    able = attesters(gate, steps, members, directory, [product.owner])
    everybody = attesters(gate, steps, members, directory)
    for i, people in able.items():
        if everybody[i] and not people:
            yield Finding(
                "warning",
                ("owner",),
                f"gate {gate.id} can never pass: nobody but {product.owner}, who owns the product, "
                f"could attest {gate.criteria[i].id}; a second member of "
                f"{gate.criteria[i].attested_by} lets it go on",
            )
    alone = False
    for i, person in enumerate(product.team):
        hands = (product.owner, person)
        lost = [c for c, people in able.items() if people and set(people) <= {person}]
        if not can_pass(without(*hands)) or lost:
            alone = True
            yield Finding(
                "warning",
                ("team", i),
                f"gate {gate.id} cannot pass if {person} submits it or brings evidence for it: "
                "nobody votes on their own work, and too few others are left; leave that to "
                "somebody else, or add people",
            )
    if len(product.team) > 1 and not alone and not can_pass(without(product.owner, *product.team)):
        yield Finding(
            "warning",
            ("team",),
            f"gate {gate.id} cannot pass if all of {', '.join(product.team)} submit it or bring "
            "evidence for it: nobody votes on their own work, and too few others are left; leave "
            "that to some of them, or add people",
        )
