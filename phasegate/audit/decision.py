"""A decision, derived again: who sat, what the criteria said, what the votes come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from phasegate.assembly import Reassignment
from phasegate.audit import criteria
from phasegate.audit.context import Place
from phasegate.audit.past import Past, approvers
from phasegate.audit.seating import Asking, assembly
from phasegate.audit.telling import Telling, Told
from phasegate.casting import CastVote
from phasegate.directory import Directory
from phasegate.facts import ProductFacts, revision_of
from phasegate.gate import Gate
from phasegate.grounds import Grounds, judged_again
from phasegate.rules import Ballot
from phasegate.seats import in_force
from phasegate.views import GateView

OWNS = "owns the product"


@dataclass(frozen=True)
class Facts:
    """A decided round, as far as it is known. `votes` are those that the decision counted."""

    place: Place
    gate: Gate
    view: GateView
    grounds: Grounds | None
    past: Past
    telling: Telling
    given: Sequence[Reassignment]
    acting: Sequence[str]
    votes: Sequence[CastVote]

    @property
    def opened_at(self) -> datetime:
        opened = self.telling.of("gate.opened")
        return opened[-1].at if opened else self.telling.said[0].at


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
    _check_barred(facts, grounds, end)
    _check_people(facts, grounds, end)
    _check_applying(facts, grounds, end)
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


# -- who had a say --------------------------------------------------------------------------------


def _check_barred(facts: Facts, grounds: Grounds, end: Told) -> None:
    """Owner, submitter and whoever brought evidence had none, and no vote of theirs counts."""
    place, barred = facts.place, grounds.barred
    opened = facts.telling.of("gate.opened")
    hands = {one["by"]: "brought evidence" for one in facts.view.evidence if one.get("by")}
    if opened:
        hands[opened[-1].actor] = "submitted it"
    for person, why in hands.items():
        if person and person not in barred:
            place.differ(end, f"{person} {why}, and is not among those without a say", person)
    owners = [one.owner for one in facts.past.during(facts.opened_at, end.at)]
    named = [person for person, why in barred.items() if why == OWNS]
    if owners and not set(named) & set(owners):
        text = f"{owners[0]} owned the product, and is not among those without a say"
        place.differ(end, text, owners[0])
    for vote in facts.votes:
        for person in (vote.holder, vote.approver):
            if person in barred and not vote.vote.is_no:
                text = f"{person}'s {vote.vote} counts, and {person} {barred[person]}"
                place.fault(end, text, person)


def _check_people(facts: Facts, grounds: Grounds, end: Told) -> None:
    """Who sat in each step is what the directory, the product and given seats make of it."""
    place = facts.place
    directory = place.context.directory(grounds.directory_digest)
    if directory is None:
        text = f"the directory {grounds.directory_digest} is not in the record"
        place.unchecked(end.seq, text)
        return
    if directory.directory != facts.past.directory:
        text = f"it was decided by the directory {directory.directory}, not {facts.past.directory}"
        place.fault(end, text)
        return
    if facts.past.defined and grounds.tier not in {
        one.tier for one in facts.past.during(facts.opened_at, end.at)
    }:
        place.differ(end, f"it was decided as of tier {grounds.tier}, which the product was not")
    recorded = {seated.step: seated.people for seated in grounds.steps}
    first = ""
    for narrowed in _choices(facts):
        found = _steps(facts, grounds, directory, narrowed)
        if found == recorded:
            return
        first = first or _difference(found, recorded)
    if facts.given and any(r.when for r in facts.gate.requires):
        place.unchecked(end.seq, f"who sat: {first}, and seats were given while requirements moved")
    else:
        place.differ(end, first)


def _choices(facts: Facts) -> list[Mapping[str, Sequence[str]]]:
    """The approvers that the product may have chosen as the round began; none of its own where
    the record does not tell."""
    defined = facts.past.during(facts.opened_at, facts.opened_at)
    found: list[Mapping[str, Sequence[str]]] = [approvers(one, facts.gate.id) for one in defined]
    return found or [{}]


def _steps(
    facts: Facts, grounds: Grounds, directory: Directory, narrowed: Mapping[str, Sequence[str]]
) -> dict[int, dict[str, list[str]]]:
    asking = Asking(facts.gate, grounds.tier, grounds.applying, narrowed)
    people = assembly(asking, directory, grounds.barred, facts.given, facts.votes, facts.acting)
    return {
        step.number: {person: sorted(of) for person, of in step.people.items()}
        for step in people.steps()
    }


def _difference(
    found: Mapping[int, Mapping[str, list[str]]], recorded: Mapping[int, Mapping[str, list[str]]]
) -> str:
    for number in sorted({*found, *recorded}):
        ours, theirs = found.get(number, {}), recorded.get(number, {})
        for person in sorted({*ours, *theirs}):
            if person not in ours:
                return f"{person} sits in step {number}, and the directory gives them no seat there"
            if person not in theirs:
                return f"{person} does not sit in step {number}, and does by the directory"
            if ours[person] != theirs[person]:
                groups = ", ".join(theirs[person])
                return f"{person} sits in step {number} for {groups}, and not by the directory"
    return "who sat is not what the directory says"


def _check_applying(facts: Facts, grounds: Grounds, end: Told) -> None:
    """The requirements that asked this product: by its tier, and by what `when` says of it."""
    asked = in_force(facts.gate.requires, grounds.tier)
    definitions = facts.past.during(facts.opened_at, end.at)
    judge = facts.place.context.judge
    for index in asked:
        condition = facts.gate.requires[index].when
        if index in grounds.applying:
            continue
        title = facts.gate.requires[index].title
        if condition is None:
            facts.place.fault(end, f"the requirement {title} was not asked, and always is")
        elif definitions and all(
            judge(condition, {"product": dict(one.definition)}) for one in definitions
        ):
            facts.place.fault(end, f"the requirement {title} was not asked: {condition} is true")
    for index in grounds.applying:
        if index not in asked:
            title = facts.gate.requires[index].title
            facts.place.differ(end, f"the requirement {title} is for other tiers, and was asked")


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
