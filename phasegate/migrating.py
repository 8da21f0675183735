"""A product is put under another policy: who may, what is checked again, and what it then has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from phasegate.base import digest_of
from phasegate.directory import Permission
from phasegate.errors import Forbidden, Rejected
from phasegate.impartial import require_impartial
from phasegate.lifecycle import Lifecycle, PolicyRef
from phasegate.migration_ports import (
    LastMigration,
    MigrateRequest,
    MigrationBrief,
    MigrationPlan,
    MigrationTerms,
    Standing,
)
from phasegate.milestones import Milestone, roadmap_of
from phasegate.stewardship import require_permission

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from phasegate.policy import Phase
    from phasegate.ports import Authority
    from phasegate.sittings import GateReport


def standing_of(state: Lifecycle, *, opening: bool = False) -> Standing:
    """Where the product stands. `opening`: a round is being started, and cannot be told yet."""
    sitting = state.sittings.open
    busy = ""
    if state.brief is None or state.entering:
        busy = "it is on its way into a phase"
    elif opening or state.reopening:
        busy = "its gate is being convened"
    elif state.verdict is not None or (sitting and sitting.report is not None):
        busy = "a gate of it has been decided, and it has not followed yet"
    return Standing(
        key=state.key,
        status=state.word,
        policy_digest=state.policy.digest,
        directory=state.directory,
        product=state.product,
        phase=state.phase_id,
        busy=busy,
        milestones=state.milestones,
        gate=sitting.gate if sitting else "",
        round=sitting.round if sitting else 0,
        kind=sitting.kind if sitting else "phase",
        needs_submit=state.needs_submit,
        invested_from=state.invested_from,
        adjustments=state.adjustments,
        migrations=state.migrations,
        last=state.migrated,
    )


def check_migrate(state: Lifecycle, request: MigrateRequest) -> None:
    """Raise Rejected where it is under that policy, or not under the one that is meant."""
    what = f"{state.key} cannot be put under policy {request.to[:19]}"
    show = f"phasegate product show {state.key}"
    if request.to == state.policy.digest:
        raise Rejected("same-policy", what, "it is under it already", show)
    if request.from_ not in ("", state.policy.digest):
        why = f"it is under {state.policy.name} {state.policy.version}, not the policy named"
        raise Rejected("not-under-it", what, why, show)


def require_migrator(
    state: Lifecycle, request: MigrateRequest, found: Authority, told: Mapping[str, str]
) -> None:
    """Raise Forbidden unless they have the permission: nobody chooses the rules for their own.

    `told` are hands in it that the record or its round knows of: who submits a gate again tells
    only the round, and the product hears of that when the round is over.
    """
    what = f"put {state.key} under another policy"
    require_impartial(state, request.actor, what, told)
    require_permission(state, request.actor, found, Permission.migrate, what)


def may_migrate(
    state: Lifecycle, request: MigrateRequest, found: Authority, told: Mapping[str, str]
) -> bool:
    try:
        require_migrator(state, request, found, told)
    except Forbidden:
        return False
    return True


def require_judged(
    state: Lifecycle, plan: MigrationPlan, before: Standing, report: GateReport | None
) -> None:
    """Raise Rejected where it cannot be, or has moved since it was judged.

    `report` is that of the round that was stopped for it.
    """
    what, show = f"{state.key} cannot be migrated", f"phasegate product show {state.key}"
    if plan.blockers:
        first = plan.blockers[0]
        why = "; ".join(blocker.text for blocker in plan.blockers)
        raise Rejected("cannot-migrate", what, why, first.hint)
    if report is not None and report.outcome is not None:
        why = f"{report.gate} decided {report.outcome} before it could be stopped"
        raise Rejected("changed-meanwhile", what, why, f"{show}  # then ask again")
    now = standing_of(state)
    if plan.fate == "stopped":
        now.busy = ""
    if _told(now) != _told(before):
        raise Rejected(
            "changed-meanwhile", what, "it moved while it was judged", f"{show}  # then ask again"
        )


def _told(standing: Standing) -> tuple[Any, ...]:
    """What a plan rests on. What becomes of milestones meanwhile is no other plan."""
    names = [(milestone.id, milestone.phase) for milestone in standing.milestones]
    return (standing.model_dump(mode="json", exclude={"milestones"}), names)


def migrate(
    state: Lifecycle,
    request: MigrateRequest,
    brief: MigrationBrief,
    report: GateReport | None,
    now: datetime,
) -> dict[str, Any]:
    """Put it under the new policy; what is to be announced of that."""
    plan, before, terms = brief.plan, state.policy, request.terms
    assert brief.phase is not None
    told: dict[str, Any] = {
        "migration": request.migration,
        "from": before.digest,
        "from_policy": f"{before.name} {before.version}",
        "policy": f"{plan.policy} {plan.version}",
        "policy_digest": plan.to_digest,
        "phases": dict(terms.phases),
        "reason": request.reason,
        "milestones": {"new": plan.new, "anew": plan.anew, "gone": plan.gone},
        "plan_dropped": plan.plan_dropped,
    }
    if sitting := state.sittings.open:
        told[plan.fate.replace("-", "_")] = {"gate": sitting.gate, "round": sitting.round}
        if plan.fate == "goes-on" and not sitting.policy_digest:
            sitting.policy, sitting.policy_digest = before.name, before.digest
    if plan.fate == "stopped":
        told["voided"] = report.votes if report else {}
        state.reopening = True
    if plan.definition is not None:
        told |= {"before": state.definition_digest, "digest": digest_of(plan.definition)}
        told["product"] = plan.definition.model_dump(mode="json")
        state.product, state.definition_digest = plan.definition, told["digest"]
    state.first_dates = {_renamed(name, terms): at for name, at in state.first_dates.items()}
    state.milestones = _merged(state, brief.phase.phase, plan, terms)
    if plan.review_anew:
        state.review_due = _review_due(state, brief.phase.phase, now)
    if plan.plan_dropped:
        state.adjustments = None
    if state.invested_from is not None:
        state.invested_from = terms.called(state.invested_from)
    told["review_due"] = state.review_due.isoformat() if state.review_due else None
    state.policy = PolicyRef(name=plan.policy, version=plan.version, digest=plan.to_digest)
    state.brief = brief.phase
    state.migrations += 1
    return told


def remember_migration(state: Lifecycle, request: MigrateRequest, text: str) -> None:
    """So that the same migration, begun again, knows that this product is done."""
    state.migrated = LastMigration(migration=request.migration, to=request.to, text=text)


def convene_anew(state: Lifecycle, kind: str, now: datetime) -> None:
    """The round that a migration stopped is over: its gate comes again as the next one."""
    assert state.brief is not None
    phase, state.reopening = state.brief.phase, False
    if kind == "review":
        state.review_due = now if phase.review else None
    elif phase.gate:
        state.submitted_by = state.sittings.closed[-1].submitter or state.product.owner
        state.needs_submit = False


def _renamed(name: str, terms: MigrationTerms) -> str:
    phase, _, rest = name.partition("/")
    return f"{terms.called(phase)}/{rest}"


def _merged(
    state: Lifecycle, phase: Phase, plan: MigrationPlan, terms: MigrationTerms
) -> list[Milestone]:
    """The milestones, with those of this phase as the plan has them; dates stay as they are."""
    before = {milestone.id: milestone for milestone in state.milestones}
    here: list[Milestone] = []
    for fresh in roadmap_of(phase, state.product, state.first_dates):
        known = before.get(fresh.id)
        if known is None:
            here.append(fresh)
        elif fresh.id in plan.anew:
            fresh.due, fresh.planned = known.due, known.planned
            here.append(fresh)
        else:
            known.title, known.phase, known.at_risk = fresh.title, phase.id, fresh.at_risk
            here.append(known)
    gone = {*plan.gone, *(milestone.id for milestone in here)}
    others = [milestone for milestone in state.milestones if milestone.id not in gone]
    for milestone in others:
        milestone.phase = terms.called(milestone.phase)
    return [*others, *here]


def _review_due(state: Lifecycle, phase: Phase, now: datetime) -> datetime | None:
    """Counted from the last review of this stay, else from entering the phase."""
    review, entered = phase.review, state.entered_at or now
    if review is None:
        return None
    held = [
        summary.decided_at
        for summary in state.sittings.closed
        if summary.gate == review.gate.id and summary.decided_at >= entered
    ]
    return review.every.after(held[-1]) if held else review.first.after(entered)
