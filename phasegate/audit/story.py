"""The story of a product: its phases and its end follow from what its gates decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from phasegate.audit.context import Context, Place
from phasegate.audit.definitions import check_definitions
from phasegate.audit.migrations import check_migration
from phasegate.audit.order import Rounds, check_numbers, check_order, turns_of
from phasegate.audit.past import Past
from phasegate.audit.rights import check_permission
from phasegate.audit.signatures import check_signature, signed_when
from phasegate.audit.telling import Telling, Told
from phasegate.directory import Permission
from phasegate.policy import Phase, Policy
from phasegate.policy_meaning import gate_of
from phasegate.votes import Outcome


@dataclass
class Story:
    """Where the product is, as its events are gone through. `turns` are all outcomes, by time:
    of the gates, and of overrides of gates that had stopped it."""

    place: Place
    past: Past
    turns: list[tuple[datetime, str, str]]
    rounds: Rounds
    plans: list[Told] = field(default_factory=list)
    sunsets: list[Told] = field(default_factory=list)
    phase: str = ""
    invested_from: str = ""
    to: str = ""
    """The phase that an investment, or its end, leads to next."""
    overridden_when: datetime | None = None
    """When the last signed override of a stop was signed: no older one is taken after it."""
    back: Told | None = None
    """Its return to the market: whoever aborted the sunset waives what was promised for it."""

    def last(self, gate: str, at: datetime) -> str:
        """What a gate had last come to by then; empty if to nothing."""
        return next((o for when, g, o in reversed(self.turns) if g == gate and when <= at), "")


def follow(
    context: Context, events: Sequence[Told], product: Telling, rounds: Rounds, past: Past
) -> None:
    """Go through what the product said of itself; `events` are all."""
    place = Place(context, doubt=product.broken_off())
    if product.shortened:
        place.doubt = (
            place.doubt or "the ledger was down, and of some entries only the text is left"
        )
    check_order(place, product)
    check_definitions(place, product)
    check_numbers(place, rounds)
    story = Story(
        place,
        past,
        turns_of(rounds, product),
        rounds,
        plans=[one for one in events if one.type in ("sunset.planned", "sunset.replanned")],
        sunsets=product.of("product.sunsetting"),
    )
    for said in product.said:
        policy = context.documents.policy(past.policy_at(said.at))
        if policy is None:
            place.unchecked(said.seq, f"the policy {past.policy_at(said.at)} is not in the record")
            return
        if said.text("policy_digest") not in ("", past.policy_at(said.at)):
            place.differ(said, "it names another policy than the one that the product is under")
        if not said.shortened:
            _step(story, policy, said)


# -- one event after the other --------------------------------------------------------------------


def _step(story: Story, policy: Policy, said: Told) -> None:
    match said.type:
        case "product.phase-entered":
            _enter(story, policy, said)
        case "product.investing":
            _invest(story, policy, said)
        case "product.investment-ended":
            if story.last(said.text("gate"), said.at) != "kill":
                _differ(story, said, f"{said.text('gate')} did not decide to end the investment")
            story.to, story.invested_from = said.text("to"), ""
        case "product.killed":
            _decided(story, policy, said, "kill")
        case "product.completed":
            if policy.sunset is not None or _following(story, policy) is not None:
                _differ(story, said, "it is completed, and its policy goes on")
            elif _needs_pass(story, policy, said):
                _differ(story, said, f"it is completed, and {_gate(story, policy)} did not pass it")
        case "product.sunsetting":
            _leave(story, policy, said)
        case "product.retired":
            _retire(story, policy, said)
        case "product.migrated":
            _migrate(story, said)
        case "gate.overridden":
            _overrule(story, policy, said)
        case "product.revived":
            check_permission(story.place, said, Permission.override, story.past)
        case "product.back-in-market":
            story.back = said
        case "condition.waived" if not _lapsed(story, said):
            check_permission(story.place, said, Permission.waive, story.past)


def _phase(story: Story, policy: Policy) -> Phase | None:
    return next((phase for phase in policy.phases if phase.id == story.phase), None)


def _following(story: Story, policy: Policy) -> str | None:
    return policy.following(story.phase) if _phase(story, policy) else None


def _gate(story: Story, policy: Policy) -> str:
    here = _phase(story, policy)
    return here.gate.id if here and here.gate else ""


def _needs_pass(story: Story, policy: Policy, said: Told) -> bool:
    """Whether the phase has a gate, and that has not passed the product on."""
    gate = _gate(story, policy)
    return bool(gate) and not _passes(story.last(gate, said.at))


def _passes(outcome: str) -> bool:
    return outcome in (Outcome.go, Outcome.conditional_go)


def _enter(story: Story, policy: Policy, said: Told) -> None:
    wanted = said.text("phase")
    known = [phase.id for phase in policy.phases]
    if wanted not in known:
        story.place.fault(said, f"it enters {wanted}, which its policy does not have")
        return
    if story.to:
        if wanted != story.to:
            _differ(story, said, f"it enters {wanted}, and was to go to {story.to}")
    elif not story.phase:
        if wanted != known[0]:
            _differ(story, said, f"it begins in {wanted}, and its policy in {known[0]}")
    elif wanted != _following(story, policy):
        text = f"it enters {wanted} from {story.phase}"
        _differ(story, said, f"{text}, and its policy leads to {_following(story, policy)}")
    elif _needs_pass(story, policy, said):
        gate = _gate(story, policy)
        came = story.last(gate, said.at) or "nothing yet"
        _differ(story, said, f"it enters {wanted}, and {gate} came to {came}")
    story.phase, story.to = wanted, ""
    if wanted == story.invested_from:
        story.invested_from = ""


def _invest(story: Story, policy: Policy, said: Told) -> None:
    here, gate = _phase(story, policy), said.text("gate")
    review = here.review if here else None
    if review is None or review.gate.id != gate or review.invest != said.text("to"):
        _differ(
            story, said, f"it invests, and no review of {story.phase} leads to {said.text('to')}"
        )
    elif story.last(gate, said.at) != "recycle":
        _differ(story, said, f"it invests, and {gate} did not decide recycle")
    story.invested_from, story.to = story.phase, said.text("to")


def _decided(story: Story, policy: Policy, said: Told, outcome: str) -> None:
    here = _phase(story, policy)
    gates = (
        [g.id for g in (here.gate, here.review.gate if here.review else None) if g] if here else []
    )
    if not any(story.last(gate, said.at) == outcome for gate in gates):
        _differ(story, said, f"it is killed, and no gate of {story.phase} decided {outcome}")


def _leave(story: Story, policy: Policy, said: Told) -> None:
    """A kill in the market leads there, or the end of the last phase."""
    here, gate = _phase(story, policy), _gate(story, policy)
    if policy.sunset is None:
        _differ(story, said, "its sunset begins, and its policy has none")
        return
    reviewed = [here.review.gate.id] if here and here.review else []
    killed = any(story.last(one, said.at) == "kill" for one in [gate, *reviewed] if one)
    over = _following(story, policy) is None and not _needs_pass(story, policy, said)
    if not over and not (killed and here is not None and here.in_market):
        _differ(story, said, f"its sunset begins, and {gate or story.phase} did not lead to it")


def _retire(story: Story, policy: Policy, said: Told) -> None:
    """Every gate of its plan has passed, that was not left out."""
    begun = [one.at for one in story.sunsets if one.at <= said.at]
    if not begun:
        _differ(story, said, "it is retired, and no sunset of it had begun")
        return
    tasks = [one.data["tasks"] for one in story.plans if isinstance(one.data.get("tasks"), dict)]
    for task in policy.sunset.tasks if policy.sunset else ():
        gate = getattr(task, "gate", None)
        if gate is None or not tasks or task.id not in tasks[-1]:
            continue
        passed = [
            when
            for when, of, outcome in story.turns
            if of == gate.id and _passes(outcome) and begun[-1] <= when <= said.at
        ]
        if not passed:
            _differ(story, said, f"it is retired, and {gate.id} of its sunset did not pass")


def _overrule(story: Story, policy: Policy, said: Told) -> None:
    """Another outcome in the place of the one that stopped it, by who may do that."""
    check_permission(story.place, said, Permission.override, story.past)
    gate, number = gate_of(policy, said.text("gate")), said.data.get("round")
    if gate is None or not isinstance(number, int):
        story.place.fault(said, f"it overrides {said.text('gate')}, which its policy does not have")
        return
    place = Place(story.place.context, gate.id, number, story.place.doubt)
    check_signature(place, gate, said, story.past)
    if when := signed_when(said):
        if story.overridden_when and when <= story.overridden_when:
            story.place.differ(said, "it was signed before the last override that was taken")
        story.overridden_when = when
    before = [o for when, g, o in story.turns if g == said.text("gate") and when < said.at]
    if not before or before[-1] != said.text("from"):
        _differ(story, said, f"{said.text('gate')} had not come to {said.text('from')}")


def _migrate(story: Story, said: Told) -> None:
    """Another policy came: who brought it may, and phases go where the new one has them."""
    moved = check_migration(story.place, said, story.past, story.phase, story.turns, story.rounds)
    story.phase = moved.get(story.phase, story.phase)
    story.invested_from = moved.get(story.invested_from, story.invested_from)


def _lapsed(story: Story, said: Told) -> bool:
    """Whether a condition is waived since the sunset that it was promised for was aborted."""
    back = story.back
    if back is None or not any(begun.seq < back.seq for begun in story.sunsets):
        return False
    return (back.at, back.actor) == (said.at, said.actor)


def _differ(story: Story, said: Told, text: str) -> None:
    story.place.differ(said, text)
