"""A decision, derived again: what it was decided on, and what its votes come to."""

from __future__ import annotations

from datetime import UTC, datetime

from phasegate.audit import criteria, electorate
from phasegate.audit.decided import Facts
from phasegate.audit.telling import Told
from phasegate.facts import ProductFacts, revision_of
from phasegate.grounds import Grounds, judged_again
from phasegate.rules import Ballot


def check(facts: Facts, end: Told) -> None:
    """Check the decision that counts; what does not add up goes to the place."""
    if facts.view.override is not None:
        _check_override(facts, end)
        return
    grounds = facts.grounds
    if grounds is None:
        facts.place.unchecked(end.seq, "it does not say what it rests on: an early release decided")
        return
    if any(index >= len(facts.gate.requires) for index in grounds.applying):
        facts.place.fault(end, "it rests on requirements that its gate does not have")
        return
    electorate.check(facts, grounds, end)
    _check_revision(facts, end)
    criteria.check(
        facts.place, facts.gate, facts.view, grounds, facts.past, facts.telling, facts.votes
    )
    _check_days(facts, grounds, end)
    _check_outcome(facts, grounds, end)


# -- the outcome ----------------------------------------------------------------------------------


def _check_outcome(facts: Facts, grounds: Grounds, end: Told) -> None:
    ballots = [Ballot(vote.holder, vote.vote, vote.step) for vote in facts.votes]
    verdict = judged_again(facts.gate, grounds, ballots)
    found = verdict.outcome.value if verdict.outcome else "no outcome yet"
    if found != facts.view.outcome:
        why = f" ({verdict.why})" if verdict.why else ""
        text = (
            f"it was decided {facts.view.outcome}; by its votes and the policy it is {found}{why}"
        )
        facts.place.fault(end, text)
    else:
        facts.place.context.report.derived += 1


def _check_override(facts: Facts, end: Told) -> None:
    """Somebody decided in the place of the approvers: it is announced, and permitted there."""
    place, done = facts.place, facts.view.override
    assert done is not None
    said = [
        one
        for one in facts.telling.before(end.seq, "gate.overridden")
        if one.actor == done.actor and one.data.get("outcome") == facts.view.outcome
    ]
    if not said:
        text = f"{done.actor} overrode it to {facts.view.outcome}, and the record lacks the entry"
        place.differ(end, text, done.actor)
        return
    place.context.report.overridden += 1
    if facts.grounds and done.actor in facts.grounds.barred:
        text = f"{done.actor} overrode it, who {facts.grounds.barred[done.actor]}"
        place.fault(end, text, done.actor)


# -- what was decided on --------------------------------------------------------------------------


def _check_revision(facts: Facts, end: Told) -> None:
    """The evidence of the decision is what was attached, and makes its revision."""
    place, view = facts.place, facts.view
    if facts.past.erased or end.erased:
        place.unchecked(end.seq, "words of its evidence or definition were erased: its revision")
        return
    attached = [
        (one.event.text.removeprefix("evidence: "), one.text("link"), one.text("digest"), one.actor)
        for one in facts.past.evidence
    ]
    for piece in view.evidence:
        shown = tuple(piece.get(name) or "" for name in ("title", "link", "digest", "by"))
        if shown not in attached and not any(one.shortened for one in facts.past.evidence):
            text = f"it has the evidence {piece.get('title', '')!r}, which nobody attached"
            place.differ(end, text, shown[3])
    for one in facts.past.during(facts.opened_at, end.at):
        known = ProductFacts(
            key="", name="", owner="", tier=1, policy="", policy_digest="", directory="",
            definition=dict(one.definition), evidence=view.evidence, figures=view.figures,
        )  # fmt: skip
        if revision_of(known) == view.revision:
            return
    place.differ(end, f"its evidence and the definition do not make the revision {view.revision}")


def _check_days(facts: Facts, grounds: Grounds, end: Told) -> None:
    """A deadline that had passed lay before the decision."""
    place, decided = facts.place, facts.view.decided_at or end.at
    told = [one for one in facts.telling.said if one.seq < end.seq]
    opened = [one for one in told if one.type == "gate.opened"]
    resolve = opened[-1].instant("resolve_due") if opened else None
    if grounds.resolve_passed and resolve and decided < resolve:
        text = f"it counts its deadline as passed, which is {resolve:%Y-%m-%d %H:%M} UTC"
        place.differ(end, text)
    days = [_instant(due) for one in told for due in _answers(one)]
    known = [day for day in days if day]
    if grounds.late and known and decided < min(known):
        text = f"it counts people as late, and the first was due {min(known):%Y-%m-%d %H:%M} UTC"
        place.differ(end, text)


def _answers(said: Told) -> list[str]:
    respond = said.data.get("respond")
    return list(map(str, respond.values())) if isinstance(respond, dict) else []


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None
