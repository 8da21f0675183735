"""Whom an announcement concerns, and what it asks of them: a pure function of the record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from phasegate.base import Instant, Wire
from phasegate.events import Announcement


class Ask(StrEnum):
    """What somebody is asked to do."""

    vote = "vote"
    stand_in = "stand-in"
    """Vote for somebody who does not answer, or who named them."""
    advise = "advise"
    work = "work"
    """The owner and the team: submit the gate again."""
    confirm = "confirm"
    """Do a task of a sunset, and say what shows it."""
    settle = "settle"
    """Find out whether something was done that nobody can tell of."""
    plan = "plan"
    """Plan a sunset anew."""
    promise = "promise"
    """Close a condition."""
    milestone = "milestone"
    nothing = "nothing"
    """To know."""


class Concern(Wire):
    """One person whom an announcement concerns."""

    person: str
    ask: Ask = Ask.nothing
    urgent: bool = False
    holder: str = ""
    """For whom they may act."""
    due: Instant | None = None
    over: bool = False
    """Nothing is asked of them any more: the date in their calendar goes."""


class Standing(Wire):
    """What the record says of a product, up to some event: who has it, and whose directory."""

    name: str = ""
    owner: str = ""
    team: tuple[str, ...] = ()
    directory: str = "default"

    def after(self, event: Announcement) -> Standing:
        """What it says after this event."""
        data = event.data
        changed: dict[str, Any] = {}
        if product := data.get("product"):
            changed = {name: product[name] for name in ("name", "owner") if product.get(name)}
            changed["team"] = tuple(product.get("team") or ())
        if event.type == "product.handed-over" and data.get("to"):
            changed["owner"] = data["to"]
        if data.get("directory"):
            changed["directory"] = data["directory"]
        return self.model_copy(update=changed)


STANDING = ("product.started", "product.updated", "product.handed-over")
"""The types that change a Standing."""

Rule = Callable[[Announcement, Standing], Iterable[Concern]]


def concerned(event: Announcement, product: Standing) -> list[Concern]:
    """The people an event concerns, each once, and what it asks of each first.

    Who did something is not told that they did it.
    """
    rule = _RULES.get(event.type)
    found: dict[str, Concern] = {}
    for concern in rule(event, product) if rule else ():
        own = concern.ask is Ask.nothing and concern.person == event.actor and not concern.over
        if concern.person and not own:
            found.setdefault(concern.person, concern)
    return list(found.values())


def _people(value: object) -> Sequence[str]:
    return [p for p in value if isinstance(p, str)] if isinstance(value, list | tuple) else ()


def _due(event: Announcement, person: str) -> datetime | None:
    """The person's own day, else that of the last of them; as announcements have had it."""
    own: Mapping[str, str] = event.data.get("respond") or {}
    text = own.get(person) or event.data.get("respond_due")
    return datetime.fromisoformat(text) if text else None


def _know(people: Iterable[str], **more: Any) -> list[Concern]:
    return [Concern(person=person, **more) for person in people]


def _staff(event: Announcement, product: Standing) -> list[Concern]:
    """The owner and the team, to know."""
    return _know([product.owner, *product.team])


def _urgent_staff(event: Announcement, product: Standing) -> list[Concern]:
    return _know([product.owner, *product.team], urgent=True)


def _owner(event: Announcement, product: Standing) -> list[Concern]:
    return _know([product.owner])


def _asked(event: Announcement, product: Standing) -> Iterable[Concern]:
    """Those whose vote is asked, reviewers, and the owner to know."""
    for person in _people(event.data.get("waiting_for")):
        yield Concern(person=person, ask=Ask.vote, due=_due(event, person))
    for group in (event.data.get("reviewers") or {}).values():
        for person in _people(group):
            yield Concern(person=person, ask=Ask.advise, due=_due(event, person))
    if event.type == "gate.opened":
        yield from _owner(event, product)


def _moved(event: Announcement, product: Standing) -> Iterable[Concern]:
    for person in event.data.get("respond") or {}:
        yield Concern(person=person, ask=Ask.vote, due=_due(event, person))


def _seated(event: Announcement, product: Standing) -> Iterable[Concern]:
    for person in _people(event.data.get("joined")):
        yield Concern(person=person, ask=Ask.vote, due=_due(event, person))
    yield from _know(_people(event.data.get("left")), over=True)


def _again(event: Announcement, product: Standing) -> Iterable[Concern]:
    for person in _people(event.data.get("voided")):
        yield Concern(person=person, ask=Ask.vote, due=_due(event, person))


def _late(event: Announcement, product: Standing) -> Iterable[Concern]:
    """Those who have not answered, and those who may act for them."""
    for person in _people(event.data.get("pending")):
        yield Concern(person=person, ask=Ask.vote, urgent=True)
    for holder, others in (event.data.get("acting") or {}).items():
        for person in _people(others):
            yield Concern(person=person, ask=Ask.stand_in, holder=holder, urgent=True)
    if event.type == "gate.escalated":
        yield from _know([product.owner], urgent=True)


def _mandate(event: Announcement, product: Standing) -> Iterable[Concern]:
    """A delegate acts for the actor; whoever is given a seat has it for good."""
    to, holder = event.data.get("to", ""), event.data.get("approver", "")
    if event.type == "gate.delegated":
        yield Concern(person=to, ask=Ask.stand_in, holder=event.actor)
    else:
        yield Concern(person=to, ask=Ask.vote)
        yield Concern(person=holder, over=True)


def _work(event: Announcement, product: Standing) -> list[Concern]:
    return _know([product.owner, *product.team], ask=Ask.work, urgent=True)


def _decided(event: Announcement, product: Standing) -> Iterable[Concern]:
    """The owner and the team, all who voted, and those whose vote is needed no more."""
    view = event.data.get("view") or {}
    voted = [vote.get("approver", "") for vote in view.get("votes") or ()]
    holders = [vote.get("on_behalf_of") or "" for vote in view.get("votes") or ()]
    waited = [pending.get("approver", "") for pending in view.get("pending") or ()]
    # Of a round that is over nobody is pending. Who was asked stands in what a decision rests on;
    # an end without one says it.
    steps = (event.data.get("grounds") or {}).get("steps") or ()
    asked = [p for step in steps if step["step"] <= view.get("step", 1) for p in step["people"]]
    asked += _people(event.data.get("asked"))
    yield from _know([*voted, *holders, *waited, *asked], over=True)
    yield from _staff(event, product)


def _promise(event: Announcement, product: Standing) -> Iterable[Concern]:
    """Whoever promised it; once it is overdue, also those whose next gate it blocks."""
    due = event.data.get("due")
    late = event.type != "condition.reminder"
    yield Concern(
        person=event.data.get("owner", ""),
        ask=Ask.promise,
        urgent=late,
        due=datetime.fromisoformat(due) if due else None,
    )
    if late:
        yield from _know([event.data.get("manager", ""), product.owner], urgent=True)


def _milestone(event: Announcement, product: Standing) -> Iterable[Concern]:
    for person in (product.owner, *product.team):
        yield Concern(person=person, ask=Ask.milestone, urgent=True)


def _handed_over(event: Announcement, product: Standing) -> list[Concern]:
    return _know([product.owner, event.data.get("from", ""), *product.team])


def _migrated(event: Announcement, product: Standing) -> list[Concern]:
    """The owner and the team, and those whose votes are void by it."""
    return _know([product.owner, *product.team, *(event.data.get("voided") or {})])


def _task(event: Announcement, product: Standing) -> Iterable[Concern]:
    """Those who answer for a task of the sunset; the owner knows what is not as it should be."""
    kind, people = event.type, _people(event.data.get("people"))
    waits = kind == "sunset.task-begun" or event.data.get("state") == "waiting"
    ask = Ask.settle if kind == "sunset.task-unknown" else Ask.confirm if waits else Ask.nothing
    urgent = kind not in ("sunset.task-begun", "sunset.task-held")
    due = event.data.get("due")
    when = datetime.fromisoformat(due) if due else None
    yield from _know(people, ask=ask, urgent=urgent, due=when)
    if kind != "sunset.task-begun":
        yield from _know([product.owner], urgent=urgent)


def _plan(event: Announcement, product: Standing) -> Iterable[Concern]:
    yield Concern(person=product.owner, ask=Ask.plan, urgent=True)
    yield from _know(product.team, urgent=True)


_RULES: Mapping[str, Rule] = {
    "gate.opened": _asked,
    "gate.step": _asked,
    "gate.dates": _moved,
    "gate.extended": _moved,
    "gate.seats": _seated,
    "gate.changed": _again,
    "gate.key-revoked": _again,
    "gate.reminder": _late,
    "gate.overdue": _late,
    "gate.escalated": _late,
    "gate.delegated": _mandate,
    "gate.reassigned": _mandate,
    "gate.needs-work": _work,
    "gate.overridden": _urgent_staff,
    "gate.decided": _decided,
    "gate.abandoned": _decided,
    "condition.reminder": _promise,
    "condition.overdue": _promise,
    "condition.escalated": _promise,
    "condition.closed": _owner,
    "condition.waived": _staff,
    "milestone.at-risk": _milestone,
    "milestone.missed": _milestone,
    "milestone.cannot-tell": _owner,
    "milestone.met": _owner,
    "product.started": _staff,
    "product.updated": _staff,
    "product.handed-over": _handed_over,
    "product.migrated": _migrated,
    "product.phase-entered": _staff,
    "product.back-to-work": _work,
    "product.held": _staff,
    "product.resumed": _staff,
    "product.revived": _staff,
    "product.investing": _staff,
    "product.investment-ended": _staff,
    "product.review-planned": _owner,
    "product.sunset-proposed": _urgent_staff,
    "product.sunset-planned": _staff,
    "product.sunsetting": _staff,
    "product.back-in-market": _urgent_staff,
    "product.killed": _staff,
    "product.cancelled": _staff,
    "product.completed": _staff,
    "product.retired": _staff,
    "sunset.planned": _staff,
    "sunset.reminder": _staff,
    "sunset.notice": _staff,
    "sunset.stopped": _urgent_staff,
    "sunset.waiting-for-plan": _plan,
    "sunset.contract-cut-short": _plan,
    "sunset.replanned": _staff,
    "sunset.task-begun": _task,
    "sunset.task-stuck": _task,
    "sunset.task-unknown": _task,
    "sunset.task-held": _task,
    "sunset.task-overdue": _task,
    "sunset.settled": _owner,
    "sunset.legal-hold-placed": _urgent_staff,
    "sunset.legal-hold-lifted": _staff,
    "sunset.abort-begun": _urgent_staff,
    "sunset.withdrawn": _staff,
    "sunset.aborted": _staff,
}

CONCERNING = tuple(_RULES)
"""The types that concern anybody in person. A single vote does not: the decision does."""
