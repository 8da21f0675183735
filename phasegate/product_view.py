"""How a product shows itself: the JSON of `product show`, and its page in the Temporal UI."""

from __future__ import annotations

from phasegate.dues import next_due
from phasegate.legal_hold import LegalHold
from phasegate.lifecycle import Lifecycle, Status
from phasegate.markdown import day, line, said, section
from phasegate.milestone_view import ahead_of, milestone_view
from phasegate.views import ProductView


def product_view(state: Lifecycle, workflow_id: str) -> ProductView:
    """The product as `product show` gives it."""
    sitting = state.sittings.open
    ending = state.brief.phase.gate if state.brief else None
    gate = sitting.gate if sitting else state.sunset.gate if state.sunset else None
    return ProductView(
        key=state.key,
        name=state.product.name,
        owner=state.product.owner,
        tier=state.product.tier,
        maturity=state.product.maturity,
        status=state.status.value,
        phase=state.phase_shown,
        gate=gate,
        round=sitting.round if sitting else None,
        policy=f"{state.policy.name} {state.policy.version}",
        policy_digest=state.policy.digest,
        directory=state.directory,
        definition_digest=state.definition_digest,
        milestones=[milestone_view(milestone) for milestone in state.milestones],
        conditions=state.conditions,
        gates=state.sittings.closed,
        next_due=next_due(state),
        invested_from=state.invested_from,
        revision=state.revision(),
        waiting_for=waiting_for(state),
        ends_with=ending.id if ending else "",
        ends_within=ending.clocks.resolve.approximate if ending else None,
        ahead=ahead_of(state.product, state.milestones, state.first_dates),
        gate_since=sitting.since if sitting else None,
        review_due=state.review_due,
        held_since=state.held_since if state.status is Status.on_hold else None,
        entered_at=state.entered_at,
        started_at=state.started_at,
        ended_at=state.ended_at,
        workflow_id=workflow_id,
        adjustments=state.adjustments,
        sunsets=state.sunsets,
        sunset_state=state.sunset.state if state.sunset and not state.sunset.ended else "",
        past_sunsets=state.past_sunsets,
        legal_holds=[hold.matter for hold in legal_holds(state)],
        beyond_return=bool(state.sunset and state.sunset.beyond_return),
    )


def legal_holds(state: Lifecycle) -> list[LegalHold]:
    """Those that are placed. While a sunset is under way, they are placed there."""
    under_way = state.sunset is not None and not state.sunset.ended
    return state.sunset.legal_holds if state.sunset and under_way else state.legal_holds


def waiting_for(state: Lifecycle) -> str:
    """What moves the product next, and who can do it, in one sentence."""
    key, owner = state.key, state.product.owner
    if state.status.is_final:
        return ""
    if state.status is Status.on_hold:
        because = f", which {state.held_by} holds" if state.held_by else ""
        return f"{owner} to resume it{because}: phasegate product resume {key} --as {owner}"
    if state.status is Status.sunsetting:
        if state.sunset and state.sunset.waiting_for:
            return state.sunset.waiting_for
        step = state.sunset.text if state.sunset else "its sunset to be planned"
        return f"{step}: phasegate sunset show {key}"
    if sitting := state.sittings.open:
        return f"gate {sitting.gate} to decide: phasegate gate show {key}/{sitting.gate}"
    if state.brief is None:
        return "its policy to be read"
    gate = state.brief.phase.gate
    if gate and (state.needs_submit or gate.opens == "submit"):
        return f"{owner} to submit {gate.id}: phasegate gate submit {key}/{gate.id} --as {owner}"
    if gate is None and state.needs_submit and state.brief.phase.review is None:
        return f"{owner} to end {state.phase_id}: phasegate gate submit {key} --as {owner}"
    if open_goals := [m.id for m in state.here() if not m.state.settled]:
        return f"milestones {', '.join(open_goals)}: phasegate milestone list {key}"
    return f"its review on {day(state.review_due)}" if state.review_due else "nothing"


def product_page(view: ProductView, summary: str) -> str:
    """The product as Markdown for somebody on call."""
    phase = f", {view.phase}" if view.phase else ""
    lines = [f"### {line(view.name)}: {view.status.upper()}{phase}"]
    if summary:
        lines.append(f"*{line(summary)}*")
    lines.append(f"Owner **{view.owner}** · tier {view.tier} · policy {view.policy}")
    if view.waiting_for:
        head, command, rest = view.waiting_for.partition(": phasegate ")
        lines.append(f"Waits for {line(head)}." + (f" `phasegate {rest}`" if command else ""))
    if view.next_due:
        lines.append(f"Next date: {day(view.next_due)}")
    goals = [m for m in view.milestones if m.phase == view.phase]
    lines.append(
        section(
            "Milestones",
            (f"{line(m.title)}: **{m.state}**, due {day(m.due)}" + said(m.why) for m in goals),
        )
    )
    lines.append(
        section(
            "Legal holds, for which nothing is deleted",
            (f"`{matter}`" for matter in view.legal_holds),
        )
    )
    lines.append(
        section(
            "Aborted sunsets",
            (
                f"Sunset {past.number}, on {day(past.ended_at)} by {line(past.by)}" + said(past.why)
                for past in view.past_sunsets
            ),
        )
    )
    lines.append(
        section(
            "Gates",
            (
                f"{g.gate}, round {g.round}: **{g.outcome}** on {day(g.decided_at)}"
                for g in view.gates[-12:]
            ),
        )
    )
    open_conditions = [c for c in view.conditions if c.state == "open"]
    lines.append(
        section(
            "Open conditions",
            (
                f"`{c.id}` ({c.owner}{', overdue' if c.overdue else ''}), due {day(c.due)}: "
                f"{line(c.text)}"
                for c in open_conditions
            ),
        )
    )
    return "\n\n".join(filter(None, lines))
