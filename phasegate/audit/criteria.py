"""What the criteria of a decision were, derived again as far as the record tells."""

from __future__ import annotations

from collections.abc import Sequence

from phasegate.audit.context import Place
from phasegate.audit.past import Past
from phasegate.audit.telling import Telling, Told
from phasegate.casting import Attestation, CastVote
from phasegate.gate import Criterion, Gate
from phasegate.grounds import Grounds
from phasegate.milestones import MilestoneStatus
from phasegate.ports import CriterionFinding
from phasegate.scorecard import Scorecard
from phasegate.sunset import CUSTOMERS_SETTLED
from phasegate.views import CriterionView, GateView
from phasegate.votes import Outcome

ATTESTED_AND_VOIDED = ("gate.attested", "gate.opened", "gate.changed", "gate.key-revoked")


def check(
    place: Place,
    gate: Gate,
    view: GateView,
    grounds: Grounds,
    past: Past,
    telling: Telling,
    votes: Sequence[CastVote],
) -> None:
    """The criteria of a decision are those of its gate, and stand as events say."""
    end = telling.end
    assert end is not None
    shown = {one.id: one for one in view.criteria}
    if [one.id for one in view.criteria] != [one.id for one in gate.criteria]:
        place.fault(end, "its criteria are not those of the policy")
        return
    for criterion in gate.criteria:
        _check_one(place, criterion, shown[criterion.id], view, past, end)
    said = [one for one in _attested(telling, end, shown) if one.actor not in grounds.barred]
    _check_attested(place, gate, shown, said, end)
    _check_sums(place, gate, shown, grounds, said, votes, end)
    if view.outcome and Outcome(view.outcome).is_pass:
        _check_conditions(place, past, end, grounds)


def _check_one(
    place: Place,
    criterion: Criterion,
    shown: CriterionView,
    view: GateView,
    past: Past,
    end: Told,
) -> None:
    name, at = criterion.id, view.decided_at or end.at
    if shown.kind != criterion.kind or shown.milestone != criterion.milestone:
        place.fault(end, f"the criterion {name} is not as the policy has it")
    if criterion.milestone and criterion.milestone != CUSTOMERS_SETTLED:
        wanted = {"met": MilestoneStatus.met.value, "judged": MilestoneStatus.waived.value}
        word = wanted.get(shown.state)
        if word and not past.was(criterion.milestone, word, at):
            text = f"the criterion {name} is {shown.state}, and the milestone {criterion.milestone}"
            place.differ(end, f"{text} had not come to {word}")
    elif criterion.expression:
        _check_expression(place, criterion, shown, view, past, end)
    elif not (criterion.attested_by or criterion.milestone) and shown.state != "judged":
        place.fault(end, f"the criterion {name} is {shown.state}, and is for approvers to judge")


def _check_attested(
    place: Place,
    gate: Gate,
    shown: dict[str, CriterionView],
    said: Sequence[Attestation],
    end: Told,
) -> None:
    """What people have to attest is met only where one who may has said so, and it still stands."""
    met = {one.criterion for one in said if one.state == "met"}
    for criterion in gate.criteria:
        name = criterion.id
        if criterion.attested_by and shown[name].state == "met" and name not in met:
            text = f"the criterion {name} is met, and nobody attested it"
            place.differ(end, f"{text} on the evidence that it was decided on")


def _check_expression(
    place: Place, criterion: Criterion, shown: CriterionView, view: GateView, past: Past, end: Told
) -> None:
    opened = view.opened_at or end.at
    if past.erased:
        place.unchecked(
            end.seq, f"the criterion {criterion.id}: words of the definition were erased"
        )
        return
    assert criterion.expression is not None
    found = [
        place.context.judge(
            criterion.expression, {"product": dict(one.definition), "evidence": dict(view.figures)}
        )
        for one in past.during(opened, end.at)
    ]
    if found and (shown.state == "met") not in found:
        text = f"the criterion {criterion.id} is {shown.state}: {criterion.expression}"
        place.differ(end, f"{text} is {'true' if found[0] else 'not true'} of the recorded figures")


def _check_sums(
    place: Place,
    gate: Gate,
    shown: dict[str, CriterionView],
    grounds: Grounds,
    said: Sequence[Attestation],
    votes: Sequence[CastVote],
    end: Told,
) -> None:
    """Musts that are not met and the score follow from the criteria, attestations and scores."""
    unmet = tuple(c.id for c in gate.criteria if c.kind == "must" and shown[c.id].state == "unmet")
    if unmet != grounds.unmet_musts:
        place.fault(end, "the musts that it counts as not met are not those of its criteria")
    findings = [
        CriterionFinding(id=c.id, kind=c.kind, text=c.text, state=shown[c.id].state, why="")
        for c in gate.criteria
    ]
    card = Scorecard(gate, findings, said, votes)
    if card.weak_shoulds() != grounds.weak_shoulds:
        text = "the score of its should-criteria is not what attestations and votes make of it"
        place.differ(end, text)


def _attested(telling: Telling, end: Told, shown: dict[str, CriterionView]) -> list[Attestation]:
    """The attestations that may count: the latest of each person, as far as they say what the
    criterion came to, and neither other evidence nor a key that was revoked has voided them."""
    end_revision = end.data["view"].get("revision")
    found = []
    for (criterion, actor), said in _standing(telling, end).items():
        state = said.data.get("state")
        stale = state == "met" and said.data.get("revision") != end_revision
        if state not in ("met", "unmet") or stale or criterion not in shown:
            continue
        if state == "unmet" and shown[criterion].state == "met":
            continue  # of somebody who has left the group: nobody's to take back
        score = said.data.get("score")
        found.append(
            Attestation(
                criterion=criterion,
                actor=actor,
                state=state,
                score=score if isinstance(score, int) else None,
                note="",
                at=said.at,
                revision=said.text("revision"),
            )
        )
    return found


def _standing(telling: Telling, end: Told) -> dict[tuple[str, str], Told]:
    """By criterion and person. What was attested as met on other evidence stays void, also where
    that evidence comes back."""
    standing: dict[tuple[str, str], Told] = {}
    revision = ""
    for said in telling.before(end.seq, *ATTESTED_AND_VOIDED):
        if said.type == "gate.attested":
            standing[said.text("criterion"), said.actor] = said
        elif said.type == "gate.key-revoked":
            lost = said.data.get("attested")
            for one in lost if isinstance(lost, list) else ():
                if isinstance(one, dict):
                    standing.pop((str(one.get("criterion")), str(one.get("actor"))), None)
        else:
            now = said.text("revision") or revision
            if revision not in ("", now):
                standing = {k: v for k, v in standing.items() if v.data.get("state") != "met"}
            revision = now
    return standing


def _check_conditions(place: Place, past: Past, end: Told, grounds: Grounds) -> None:
    """Nothing passes over what an earlier Conditional Go has promised."""
    if grounds.open_conditions:
        place.fault(end, f"it passed over the condition {grounds.open_conditions[0]}")
