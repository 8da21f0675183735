"""Clocks: those that end only when another has ended the gate, and gates longer than their room."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from phasegate.calendars import Calendar, CalendarError
from phasegate.directory import Directory, Person
from phasegate.gate import Clocks, Gate, TimeoutAction
from phasegate.lint.findings import Finding, gates_at
from phasegate.lint.gates import TIERS
from phasegate.policy import Policy
from phasegate.problems import DocPath
from phasegate.seats import in_force
from phasegate.sunset import DateTask, GateTask
from phasegate.sunset_expand import Expanded
from phasegate.within import BusinessDays, Length

MIXED = "; counted as seven days for five business days"


def clock_findings(policy: Policy) -> Iterator[Finding]:
    """Clocks of a gate that do not go together, whoever sits at it."""
    for path, gate in gates_at(policy):
        here: DocPath = (*path, "clocks")
        yield from _escalation(here, gate)
        yield from _reminders(here, gate.clocks)
        yield from _steps(here, gate)


def _escalation(path: DocPath, gate: Gate) -> Iterator[Finding]:
    """Managers who would act only when the gate has decided. Where a timeout escalates, they act at
    the resolve deadline at the latest."""
    clocks = gate.clocks
    if clocks.on_timeout is TimeoutAction.escalate:
        return
    if _total([clocks.respond, clocks.escalate]) >= _total([clocks.resolve]):
        yield Finding(
            "warning",
            (*path, "escalate"),
            f"no manager ever acts at gate {gate.id}: they may act {clocks.escalate.words} after "
            f"the answer is due ({clocks.respond.words}), and the gate is decided "
            f"{clocks.on_timeout} after {clocks.resolve.words}; make resolve longer, or escalate "
            "shorter" + _mixed(clocks.respond, clocks.escalate, clocks.resolve),
        )


def _reminders(path: DocPath, clocks: Clocks) -> Iterator[Finding]:
    """Reminders of before anybody is asked; those that nobody wrote down are no mistake."""
    if "remind" not in clocks.model_fields_set:
        return
    for i, within in enumerate(clocks.remind):
        reminder, due = _total([within]), _total([clocks.respond])
        # In business days a reminder comes at nine: on the day of asking it may still be in time.
        early = reminder > due if isinstance(within, BusinessDays) else reminder >= due
        if early:
            yield Finding(
                "warning",
                (*path, "remind", i),
                f"{within.words} before the answer is due is before anybody is asked "
                f"({clocks.respond.words} before): this reminder is never sent; give a shorter one"
                + _mixed(within, clocks.respond),
            )


def _steps(path: DocPath, gate: Gate) -> Iterator[Finding]:
    """Steps that cannot all have the time to answer before the gate has to be decided."""
    clocks = gate.clocks
    asked = ({gate.requires[i].step for i in in_force(gate.requires, tier)} for tier in TIERS)
    most = max(len(steps) for steps in asked)
    if most > 1 and _total([clocks.respond] * most) > _total([clocks.resolve]):
        yield Finding(
            "warning",
            (*path, "resolve"),
            f"gate {gate.id} asks in {most} steps, each with {clocks.respond.words} to answer, and "
            f"is to be decided within {clocks.resolve.words}: where each step takes its time, the "
            "last has less; make resolve longer, or respond shorter"
            + _mixed(clocks.respond, clocks.resolve),
        )


def public_date_findings(found: Expanded, days: Mapping[str, datetime]) -> Iterator[Finding]:
    """Gates of the sunset that may sit beyond a public date which waits for them. `days` are the
    plan's, from whatever notice; people are taken to work from Monday to Friday."""
    for i, leaf in enumerate(found.leaves):
        if not isinstance(leaf.task, GateTask):
            continue
        gate, opens = leaf.task.gate, days[leaf.task.id]
        due = resolve_due(gate, (), None, opens)
        below = [other.task.id for other in found.leaves[i:] if isinstance(other.task, DateTask)]
        early = [name for name in below if opens <= days[name] < (due or opens)]
        if early:
            first = min(early, key=days.__getitem__)
            room = (days[first] - opens).days
            yield Finding(
                "warning",
                ("sunset", *leaf.path, "gate", "clocks"),
                f"gate {gate.id} may take {gate.clocks.resolve.words}, and {first}, a public date "
                f"that waits for it, comes {room} days after it opens; open the gate earlier, or "
                "give it less time",
            )


def _total(lengths: Collection[Length]) -> timedelta:
    """A sum to compare by. Of business days alone it is exact for people of one calendar."""
    return sum((length.approximate for length in lengths), timedelta(0))


def _mixed(*lengths: Length) -> str:
    return MIXED if len({type(length) for length in lengths}) > 1 else ""


def resolve_due(
    gate: Gate, people: Iterable[str], directory: Directory | None, since: datetime
) -> datetime | None:
    """When a round that opens at `since` has to be decided, as the engine counts it: by the
    calendar of everybody who sits there. None where a calendar cannot be used."""
    known = directory.people if directory else {}
    entries = [known.get(person, Person()) for person in sorted(set(people))] or [Person()]
    try:
        calendars = [Calendar.of(entry) for entry in entries]
        lengths = (gate.clocks.resolve, gate.clocks.respond)
        return max(calendar.due(since, within) for calendar in calendars for within in lengths)
    except CalendarError:
        return None  # the directory's own findings say what is wrong with it
