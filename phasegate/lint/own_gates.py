"""The gates of one product, with the people who may vote on it: without its owner, at its tier."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from phasegate.conditions import asked_of
from phasegate.directory import Directory
from phasegate.gate import Gate
from phasegate.lint.blocking import attesters, awaited, blocked_by, blockers, unanswered
from phasegate.lint.findings import Finding
from phasegate.lint.helping import way_round
from phasegate.lint.leave import lasting, leave_findings
from phasegate.lint.people import barred_at, shortages, shortages_told
from phasegate.problems import DocPath
from phasegate.product import Product
from phasegate.seats import Step, can_pass, seated, steps_of


def own_gate_findings(
    product: Product,
    gate: Gate,
    directory: Directory,
    today: date | None = None,
    *,
    told: bool = False,
) -> Iterator[Finding]:
    """Why a gate cannot pass for this product, who can block it because of this owner, whom of the
    team it cannot do without; with `today`, also when leave keeps it from passing. `told`: errors
    that are said of the policy are not said again."""
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
    repeated = shortages_told(gate, directory, product.tier) if told and short else set()
    for problem in short:
        if problem not in repeated:
            why = f"for a product of tier {product.tier} owned by {product.owner}"
            yield Finding("error", here, f"{problem}; counted {why}")
    if short:
        return
    # Who blocks whoever owns the product is told of the policy, unless this file chose approvers,
    # or it is another way round them that this owner leaves.
    anybodys, owner, tier = without(), product.owner, product.tier
    known = {
        person
        for person in set(blockers(anybodys))
        if gate.id not in product.approvers
        and way_round(gate, anybodys, directory, tier, person, None)
        == way_round(gate, steps, directory, tier, person, owner)
    }
    yield from blocked_by(here, gate, [steps], directory, [tier], members, known, owner)
    owned = awaited(gate, [steps], directory, owner)
    yield from unanswered(here, gate, owned - awaited(gate, [anybodys], directory), owner)
    everyone = seated(directory.groups, directory, {}, tier=tier)
    usual = steps_of(gate.requires, everyone, tier=tier, applying=asked.applying)
    if today is not None:
        said = lasting(gate, [usual], directory, today)  # of the policy
        anyway = lasting(gate, [anybodys], directory, today)
        for still, due in lasting(gate, [steps], directory, today, owner).items():
            if not still.within(said):
                since = None if still.within(anyway) else owner
                yield from leave_findings(here, gate, {still: due}, since)
    able = attesters(gate, steps, members, directory, [owner])
    everybody = attesters(gate, usual, everyone, directory)
    for i, people in able.items():
        criterion = gate.criteria[i]
        if everybody[i] and not people:
            yield Finding(
                "warning",
                ("owner",),
                f"gate {gate.id} can never pass: nobody but {owner}, who owns the product, "
                f"could attest {criterion.id}; a second member of "
                f"{criterion.attested_by} lets it go on",
            )
        elif len(people) == 1 < len(everybody[i]):
            since = f", since {owner} owns it" if owner in everybody[i] else ""
            yield Finding(
                "warning",
                here,
                f"{people[0]} alone can attest {criterion.id} for this product{since}, and nobody "
                f"acts for who attests: gate {gate.id} waits while they are away, and cannot pass "
                f"if they submit it; one more of {criterion.attested_by} lets it go on",
            )
    needed = False
    for i, person in enumerate(product.team):
        hands = (product.owner, person)
        lost = [c for c, people in able.items() if people and set(people) <= {person}]
        if not can_pass(without(*hands)) or lost:
            needed = True
            yield Finding(
                "warning",
                ("team", i),
                f"gate {gate.id} cannot pass if {person} submits it or brings evidence for it: "
                "nobody votes on their own work, and too few others are left; leave that to "
                "somebody else, or add people",
            )
    if len(product.team) > 1 and not needed and not can_pass(without(product.owner, *product.team)):
        yield Finding(
            "warning",
            ("team",),
            f"gate {gate.id} cannot pass if all of {', '.join(product.team)} submit it or bring "
            "evidence for it: nobody votes on their own work, and too few others are left; leave "
            "that to some of them, or add people",
        )
