"""Products whose workflow Temporal keeps no longer, as the ledger remembers them."""

from __future__ import annotations

from typing import Any

from client.engine import Engine
from ledger import Entry
from phasegate.errors import EngineError
from phasegate.events import Announcement
from phasegate.ids import product_id
from phasegate.lifecycle import Lifecycle
from phasegate.migrated import MIGRATED, Renamings
from phasegate.milestones import roadmap_of
from phasegate.policy import Policy
from phasegate.product import Product
from phasegate.product_view import product_view
from phasegate.state_version import NewerState
from phasegate.views import GateSummaryView, GateView, MilestoneView, ProductView

ENDINGS = ("product.killed", "product.completed", "product.retired", "product.cancelled")
TOLD = (
    "product.started",
    "product.updated",
    "product.handed-over",
    "product.phase-entered",
    MIGRATED,
    "gate.decided",
    "gate.abandoned",
    "milestone.met",
    "milestone.waived",
    *ENDINGS,
)


def remembered(engine: Engine, key: str) -> ProductView | None:
    """An ended product as its record has it; None if there is no record of its end.

    A killed product left its whole state there. Of others it is put together from what was
    announced: phases, rounds and milestones with the dates of the last definition. Raises
    LedgerError, and EngineError for a state that a newer release wrote.
    """
    told = engine.ledger.events(key, types=TOLD)
    # A gate that was open may say its own end after the product has.
    own = [e.announcement for e in told if e.announcement.type.startswith("product.")]
    if not own or own[-1].type not in ENDINGS:
        return None
    last = own[-1]
    if "lifecycle" in last.data:
        view = product_view(state_left(key, last), product_id(key))
        view.ended_at = view.ended_at or last.at
        return view
    return _pieced_together(engine, key, told, last)


def state_left(key: str, end: Announcement) -> Lifecycle:
    """The state that a killed product left in its record. Raises EngineError."""
    try:
        return Lifecycle.model_validate(end.data["lifecycle"])
    except NewerState as error:
        raise EngineError(
            f"the state of {key} cannot be read here",
            str(error),
            "phasegate doctor  # in an installation of that release",
        ) from None


def _pieced_together(
    engine: Engine, key: str, told: list[Entry], last: Announcement
) -> ProductView | None:
    events = [entry.announcement for entry in told]
    started = next((event for event in events if event.type == "product.started"), None)
    if started is None or "policy_digest" not in started.data:
        return None
    documents = engine.ledger.documents
    definition = Product.model_validate(started.data["product"])
    if current := documents.current("product", key):
        definition = documents.read_product(current.digest)
    digest = [e.data["policy_digest"] for e in events if "policy_digest" in e.data][-1]
    policy = documents.read_policy(digest)
    entered = _entered(events)
    return ProductView(
        key=key,
        name=definition.name,
        owner=definition.owner,
        tier=definition.tier,
        status=last.type.removeprefix("product."),
        phase=None if last.type == "product.retired" else entered[-1] if entered else None,
        gate=None,
        round=None,
        policy=f"{policy.policy} {policy.version}",
        policy_digest=digest,
        milestones=_milestones(policy, definition, entered, events),
        conditions=[],
        gates=_rounds(events),
        next_due=None,
        started_at=started.at,
        ended_at=last.at,
        workflow_id=product_id(key),
    )


def _entered(events: list[Announcement]) -> list[str]:
    """The phases it was in, as its last policy calls them."""
    names, found = Renamings(events), []
    for event in events:
        names.passes(event)
        if event.type == "product.phase-entered":
            found.append(names.called(str(event.data.get("phase"))))
    return found


def _milestones(
    policy: Policy, definition: Product, entered: list[Any], events: list[Announcement]
) -> list[MilestoneView]:
    settled = {
        event.data["milestone"]: event
        for event in events
        if event.type in ("milestone.met", "milestone.waived") and "milestone" in event.data
    }
    found = []
    for phase in policy.phases:
        for milestone in roadmap_of(phase, definition) if phase.id in entered else ():
            event = settled.get(milestone.id)
            state = event.type.removeprefix("milestone.") if event else milestone.state.value
            found.append(
                MilestoneView(
                    id=milestone.id,
                    title=milestone.title,
                    phase=phase.id,
                    state=state,
                    due=milestone.due,
                    planned=milestone.due,
                    met_at=event.at if event and state == "met" else None,
                    waits_for=milestone.waits_for,
                )
            )
    return found


def _rounds(events: list[Announcement]) -> list[GateSummaryView]:
    """The last word of every round: what is said again after a reset replaces what was said."""
    rounds: dict[tuple[str, int], GateSummaryView] = {}
    for event in events:
        if "view" not in event.data:
            continue
        view = GateView.model_validate(event.data["view"])
        rounds[(view.gate, view.round)] = GateSummaryView(
            gate=view.gate,
            round=view.round,
            outcome=view.outcome or "abandoned",
            decided_at=view.decided_at or event.at,
            votes={},
            why=view.why,
            opened_at=view.opened_at,
        )
    return sorted(rounds.values(), key=lambda held: held.decided_at)
