"""Who had a say in a decision: by the directory, the product, and the seats that were given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from phasegate.assembly import Reassignment
from phasegate.audit.decided import Facts
from phasegate.audit.past import approvers
from phasegate.audit.seating import Asking, assembly
from phasegate.audit.telling import Told
from phasegate.directory import Directory
from phasegate.grounds import Grounds
from phasegate.hands import OWNS
from phasegate.seats import in_force

MISSED = ", and does by the directory"


def check(facts: Facts, grounds: Grounds, end: Told) -> None:
    """Nobody sat who might not, and nobody was left out."""
    _check_barred(facts, grounds, end)
    _check_people(facts, grounds, end)
    _check_applying(facts, grounds, end)


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
    for given in _given(facts):
        for narrowed in _choices(facts):
            found = _steps(facts, grounds, directory, narrowed, given)
            if found == recorded:
                return
            first = first or _difference(found, recorded)
    if place.context.gone and first.endswith(MISSED):
        place.unchecked(end.seq, f"who sat: {first}, unless they were taken out of the record")
    else:
        place.differ(end, first)


def _given(facts: Facts) -> list[Sequence[Reassignment]]:
    """The seats that were given. A requirement that asks only some products may have begun to ask
    after that: then who had the seat kept the one in its groups."""
    always = {group for r in facts.gate.requires if r.when is None for group in r.groups}
    fewer = [
        one.model_copy(update={"groups": tuple(group for group in one.groups if group in always)})
        for one in facts.given
    ]
    return [facts.given, fewer]


def _choices(facts: Facts) -> list[Mapping[str, Sequence[str]]]:
    """The approvers that the product may have chosen as the round began; none of its own where
    the record does not tell."""
    defined = facts.past.during(facts.opened_at, facts.opened_at)
    found: list[Mapping[str, Sequence[str]]] = [approvers(one, facts.gate.id) for one in defined]
    return found or [{}]


def _steps(
    facts: Facts,
    grounds: Grounds,
    directory: Directory,
    narrowed: Mapping[str, Sequence[str]],
    given: Sequence[Reassignment],
) -> dict[int, dict[str, list[str]]]:
    asking = Asking(facts.gate, grounds.tier, grounds.applying, narrowed)
    people = assembly(asking, directory, grounds.barred, given, facts.votes, facts.acting)
    return {
        step.number: {person: sorted(of) for person, of in step.people.items()}
        for step in people.steps()
    }


def _difference(
    found: Mapping[int, Mapping[str, list[str]]], recorded: Mapping[int, Mapping[str, list[str]]]
) -> str:
    for number in sorted({*found, *recorded}):
        ours, theirs = found.get(number, {}), recorded.get(number, {})
        # First whom the directory does not know by that name: what follows may be due to that.
        for person in sorted({*ours, *theirs}, key=lambda one: (one in ours, one)):
            if person not in ours:
                return f"{person} sits in step {number}, and the directory gives them no seat there"
            if person not in theirs:
                return f"{person} does not sit in step {number}{MISSED}"
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
