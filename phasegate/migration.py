"""What another policy means for a product: a pure function of both policies and where it stands.

Called by the command that only looks, and by the worker when it is done: what the one says, the
other does, unless the product has moved meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from phasegate.directory import Directory
from phasegate.errors import Refusal
from phasegate.lint import lint_product
from phasegate.migration_notes import notes_of
from phasegate.migration_ports import Blocker, MigrationPlan, MigrationTerms, Standing
from phasegate.milestones import roadmap_of
from phasegate.policy import Phase, Policy
from phasegate.policy_diff import diff_policies
from phasegate.policy_meaning import gate_of, goals_of, same_gate
from phasegate.product import Product
from phasegate.sunset_layout import lay_out
from phasegate.sunset_rules import require_sound

ENDED = ("retired", "completed", "killed", "cancelled", "terminated")


def plan_migration(
    old: Policy,
    new: Policy,
    standing: Standing,
    terms: MigrationTerms,
    directory: Directory | None,
    *,
    to: str,
    now: datetime,
) -> MigrationPlan:
    """What changes for the product, or why it cannot be migrated. `to` is the digest of `new`."""
    plan = MigrationPlan(
        key=standing.key,
        from_digest=standing.policy_digest,
        to_digest=to,
        policy=new.policy,
        version=new.version,
        phase=standing.phase,
        gate=standing.gate,
        round=standing.round,
    )
    if standing.policy_digest == to:
        plan.already = True
        return plan
    plan.blockers = list(_not_now(standing))
    if plan.blockers or standing.phase is None:
        return plan
    here = _phase(new, terms.called(standing.phase))
    if here is None:
        plan.blockers.append(_no_counterpart(old, new, standing, terms))
    else:
        plan.to_phase = here.id
        _milestones(plan, old, here, standing, terms)
        _review(plan, old, here, standing)
    product = terms.renamed(standing.product)
    if product != standing.product:
        plan.definition = product
    plan.blockers += _invested(new, standing, terms)
    plan.blockers += _round(plan, old, new, here, standing, terms)
    plan.blockers += _unfit(product, new, directory, standing)
    plan.blockers += _sunset(plan, new, standing, terms, now)
    if here is not None and not plan.blockers:
        plan.notes += notes_of(plan, old, new, here, standing)
    return plan


def _phase(policy: Policy, name: str) -> Phase | None:
    return next((phase for phase in policy.phases if phase.id == name), None)


# -- why not --------------------------------------------------------------------------------------


def _not_now(standing: Standing) -> Iterator[Blocker]:
    show = f"phasegate product show {standing.key}"
    if standing.status in ENDED:
        yield Blocker(code="product-ended", text=f"it is {standing.status}", hint=show)
    elif standing.status == "sunsetting":
        yield Blocker(
            code="sunset-under-way",
            text="its sunset is under way, by the plan of its policy that was made public",
            hint=f"phasegate sunset show {standing.key}",
        )
    elif standing.busy or standing.phase is None:
        text = standing.busy or "its policy is being read"
        yield Blocker(code="on-its-way", text=text, hint=f"{show}  # then ask again")


def _again(standing: Standing, option: str) -> str:
    """The command that would migrate it."""
    return f"phasegate policy migrate TO {standing.key} {option} --as WHO --reason WHY"


def _no_counterpart(old: Policy, new: Policy, standing: Standing, terms: MigrationTerms) -> Blocker:
    phase = standing.phase or ""
    to = terms.called(phase)
    why = f"{new.policy} {new.version} has no phase {to}, and it is in {phase}"
    meant = diff_policies(old, new).phases.get(phase) or new.phases[0].id
    return Blocker(
        code="no-counterpart",
        text=why,
        hint=_again(standing, f"--phase {phase}={meant}"),
    )


def _invested(new: Policy, standing: Standing, terms: MigrationTerms) -> Iterator[Blocker]:
    back = standing.invested_from
    if back is not None and _phase(new, terms.called(back)) is None:
        yield Blocker(
            code="no-counterpart",
            text=f"it comes back to {back} after its investment, which the new policy has not",
            hint=_again(standing, f"--phase {back}={new.phases[-1].id}"),
        )


def _round(
    plan: MigrationPlan,
    old: Policy,
    new: Policy,
    here: Phase | None,
    standing: Standing,
    terms: MigrationTerms,
) -> Iterator[Blocker]:
    """The open round goes on where its gate asks the same, in the same place."""
    if not standing.gate:
        return
    if here is not None and _goes_on(plan, old, new, here, standing):
        plan.fate = "goes-on"
        return
    plan.fate = "stopped"
    if standing.status == "on-hold":
        yield Blocker(
            code="round-held",
            text=f"round {standing.round} of {standing.gate} is held with the product, and "
            f"{_why_stopped(plan, old, new, standing)}",
            hint=f"phasegate product resume {standing.key} --as {standing.product.owner}",
        )
    elif not terms.reopen:
        yield Blocker(
            code="round-open",
            text=f"round {standing.round} of {standing.gate} is open, and "
            f"{_why_stopped(plan, old, new, standing)}",
            hint=_again(standing, "--reopen"),
        )


def _goes_on(
    plan: MigrationPlan, old: Policy, new: Policy, here: Phase, standing: Standing
) -> bool:
    gate = here.review.gate if standing.kind == "review" and here.review else here.gate
    stands = gate is not None and gate.id == standing.gate
    return stands and same_gate(old, new, standing.gate) and plan.definition is None


def _why_stopped(plan: MigrationPlan, old: Policy, new: Policy, standing: Standing) -> str:
    if plan.definition is not None and same_gate(old, new, standing.gate):
        return "its product's definition, which voters see, names phases that are renamed"
    if gate_of(new, standing.gate) is None:
        return "the new policy has no such gate"
    return "the new policy asks something else there"


def _unfit(
    product: Product, new: Policy, directory: Directory | None, standing: Standing
) -> Iterator[Blocker]:
    """What would have kept it from starting under the new policy."""
    if directory is None:
        yield Blocker(
            code="directory-unknown",
            text=f"its directory {standing.directory} is not published here",
            hint="phasegate directory publish FILE --as WHO",
        )
    for finding in lint_product(product, new, directory):
        if finding.severity == "error":
            yield Blocker(
                code="unfit",
                text=finding.message,
                hint=f"phasegate product update FILE  # or mend policy {new.policy}",
            )


def _sunset(
    plan: MigrationPlan, new: Policy, standing: Standing, terms: MigrationTerms, now: datetime
) -> Iterator[Blocker]:
    """The owner's plan fits the new policy's, or is dropped on purpose."""
    adjustments, key = standing.adjustments, standing.key
    if adjustments is None:
        return
    why = "the new policy plans no sunset"
    if new.sunset is not None:
        plan.uncertain.append("contracts of customers are looked at when the sunset begins")
        maturity = standing.product.maturity
        try:
            layout = lay_out(new.sunset, adjustments, maturity=maturity, now=now, product=key)
            require_sound(layout, new.sunset, adjustments, maturity=maturity, now=now, product=key)
        except Refusal as refusal:
            why = f"{refusal.what}: {refusal.why}"
        else:
            return
    plan.plan_dropped = True
    if not terms.drop_plan:
        yield Blocker(
            code="sunset-unfit",
            text=f"the sunset that its owner planned does not fit: {why}",
            hint=_again(standing, "--drop-plan"),
        )


# -- what changes ---------------------------------------------------------------------------------


def _milestones(
    plan: MigrationPlan, old: Policy, here: Phase, standing: Standing, terms: MigrationTerms
) -> None:
    """Those of the phase it is in, by their ids. One whose check is another is open again."""
    before = {milestone.id: milestone for milestone in standing.milestones}
    was, now = goals_of(old), {goal.id: goal for goal in here.milestones}
    for milestone in roadmap_of(here, terms.renamed(standing.product)):
        name, goal = milestone.id, now.get(milestone.id)
        asked = was[name][1].check if name in was else None
        if name not in before:
            plan.new.append(name)
        elif asked == (goal.check if goal else None):  # none of both: the product's own
            plan.kept.append(name)
        else:
            plan.anew.append(name)
    there = {*plan.new, *plan.anew, *plan.kept}
    for known in standing.milestones:
        if terms.called(known.phase) == here.id and known.id not in there:
            plan.gone[known.id] = known.state.value


def _review(plan: MigrationPlan, old: Policy, here: Phase, standing: Standing) -> None:
    assert standing.phase is not None
    before = _phase(old, standing.phase)
    was = before.review if before else None
    clocks = [(r.first, r.every, r.gate.id) if r else None for r in (was, here.review)]
    plan.review_anew = clocks[0] != clocks[1]
