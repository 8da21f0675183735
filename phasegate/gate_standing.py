"""Why a round stands as it does: what it lacks, its criteria, and who may attest them."""

from __future__ import annotations

from phasegate.gate import Criterion
from phasegate.review import Round
from phasegate.rules import Verdict
from phasegate.views import ConditionView, CriterionView


def why_of(state: Round, verdict: Verdict | None) -> str:
    """Why it stands so. Votes are not all that an open gate may lack, and who reads that votes are
    missing must not learn only later that criteria are, too."""
    if state.why:
        return state.why
    if verdict is None:
        return "the round is being convened"
    if state.status == "on-hold":
        return "the product is on hold"
    if state.status == "waiting-on-owner":
        return f"it waits for {state.product.owner} to submit it again"
    if verdict.ready or verdict.outcome or verdict.cannot_pass:
        return verdict.why
    lacks = [f"criterion {name} is not met" for name in state.scorecard().unmet_musts()]
    lacks += [f"condition {name} is still open" for name in state.open_conditions]
    return "; ".join([verdict.why, *lacks])


def criteria_of(state: Round) -> list[CriterionView]:
    if state.convened is None:
        return []
    asked = {c.id: c for c in state.gate.criteria}
    return [
        CriterionView(
            **standing.model_dump(),
            text=asked[standing.id].text,
            milestone=asked[standing.id].milestone,
            expression=asked[standing.id].expression,
            attested_by=asked[standing.id].attested_by,
            weight=asked[standing.id].weight,
            waits_for=[] if state.closed else attesters(state, asked[standing.id]),
        )
        for standing in state.scorecard().views()
    ]


def attesters(state: Round, criterion: Criterion) -> list[str]:
    """Who may attest it, while nobody has."""
    if any(a.criterion == criterion.id and not a.voided for a in state.attestations):
        return []
    members = state.members().get(criterion.attested_by or "", ())
    return [person for person in members if person not in state.barred]


def promises_of(state: Round) -> list[ConditionView]:
    return [
        ConditionView(
            id=f"{state.gate.id}-{state.round}-{number}",
            text=promise.text,
            owner=promise.owner or state.product.owner,
            due=promise.due,
            state="open",
        )
        for number, (_, promise) in enumerate(state.promises(), start=1)
    ]


def open_conditions_of(state: Round) -> list[ConditionView]:
    """Those of earlier gates that hold this one up. A round knows their names alone."""
    return [
        ConditionView(id=name, text="", owner="", due=None, state="open")
        for name in state.open_conditions
    ]
