"""Whom a round waited for, step by step: how long, who was late, and whose answer would have moved
it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from phasegate.events import Announcement
from phasegate.figures import days
from phasegate.rehearsal_cast import steady
from phasegate.rehearsal_view import Waited

NOTHING = timedelta(0)


@dataclass
class Asked:
    """Somebody who was asked in a step."""

    groups: tuple[str, ...]
    since: datetime
    answered_at: datetime | None = None
    late: bool = False
    overdue: bool = False
    """Late by the time they have now: of that which they had before, only `late` stays."""
    before: timedelta = NOTHING
    """How long they were waited for when they were asked before."""


@dataclass
class Step:
    """People who were asked together: what they say counts until the next step is asked."""

    since: datetime
    asked: dict[str, Asked] = field(default_factory=dict)


def steps_of(events: Sequence[Announcement]) -> dict[tuple[str, int], list[Step]]:
    """Round → its steps, in the order in which they were asked; one that is asked again, as its
    votes were voided, is told again."""
    rounds: dict[tuple[str, int], list[Step]] = {}
    for event in events:
        gate, number = event.data.get("gate"), event.data.get("round")
        if not isinstance(gate, str) or not isinstance(number, int):
            continue
        steps, at = rounds.setdefault((gate, number), []), steady(event.at)
        if event.type == "gate.step" or not steps:
            steps.append(Step(at))
        _tell(steps[-1].asked, event, at)
    return rounds


def _tell(asked: dict[str, Asked], event: Announcement, at: datetime) -> None:
    match event.type:
        case "gate.opened" | "gate.step" | "gate.seats":
            seats: dict[str, Any] = event.data.get("seats") or {}
            for person, groups in seats.items():
                asked.setdefault(person, Asked(tuple(groups), at))
        case "gate.changed":
            for person in event.data.get("voided") or ():
                if (seat := asked.get(person)) and seat.answered_at:
                    seat.before += seat.answered_at - seat.since
                    seat.since, seat.answered_at, seat.overdue = at, None, False
        case "gate.dates":  # as new evidence gives everybody their time again
            for person, due in (event.data.get("respond") or {}).items():
                if (seat := asked.get(person)) and datetime.fromisoformat(due) > at:
                    seat.overdue = False
        case "gate.overdue":
            for person in event.data.get("pending") or ():
                if seat := asked.get(person):
                    seat.late = seat.overdue = True
        case "gate.vote":
            holder = event.data.get("on_behalf_of") or event.actor
            if seat := asked.get(holder):
                seat.answered_at = at
        case _:
            pass


def waited(
    steps: Sequence[Step],
    end: datetime,
    *,
    is_open: bool,
    in_vain: bool,
    needed: Collection[str] | None = None,
) -> list[Waited]:
    """How long each was waited for, in all steps. Nobody waits for who is left of a step once the
    next one is asked. `is_open` and `in_vain` are of the last step; `needed` are those without whom
    it did not go on, None where it waits for everybody, or nobody knows for whom."""
    found: dict[str, list[Waited]] = {}
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        last = after is None
        for one in _of_step(
            step.asked,
            end if after is None else after.since,
            is_open=is_open and last,
            in_vain=in_vain and last,
            needed=needed,
        ):
            found.setdefault(one.who, []).append(one)
    return [_by_group(found[person]) for person in sorted(found)]


def missing_of(asked: Mapping[str, Asked], needed: Collection[str] | None) -> list[str]:
    """Whose answer did not come; only those without whom it did not go on, where that is known.
    There may be none: it may wait for what is no vote, as an attestation or an open condition."""
    silent = [person for person, seat in asked.items() if seat.answered_at is None]
    return [person for person in silent if needed is None or person in needed]


def _of_step(
    asked: Mapping[str, Asked],
    end: datetime,
    *,
    is_open: bool,
    in_vain: bool,
    needed: Collection[str] | None,
) -> Iterable[Waited]:
    """Critical is the last wait before the end: of those who never answered where the step is open
    or a deadline ended it, else of the last to answer."""
    answers = sorted(seat.answered_at for seat in asked.values() if seat.answered_at)
    missing = missing_of(asked, needed)
    critical: dict[str, timedelta] = {}
    if is_open and missing:
        for person in missing:  # each alone would not have moved it, so they share it
            since = max([asked[person].since, *answers[-1:]])
            critical[person] = max(end - since, NOTHING) / len(missing)
    elif answers:
        last = [person for person, seat in asked.items() if seat.answered_at == answers[-1]]
        earlier = [at for at in answers if at < answers[-1]]
        for person in last:
            since = max([asked[person].since, *earlier[-1:]])
            critical[person] = (answers[-1] - since) / len(last)
    for person, seat in asked.items():
        no_answer = seat.answered_at is None
        yield Waited(
            who=person,
            groups=list(seat.groups),
            days=days(seat.before + max((seat.answered_at or end) - seat.since, NOTHING)),
            critical=days(critical.get(person, NOTHING)),
            answered=not no_answer,
            late=seat.late,
            silent=no_answer and (seat.overdue or (in_vain and person in missing)),
        )


def _by_group(times: Sequence[Waited]) -> Waited:
    """One person, who was perhaps asked in several steps, and not for the same groups in each."""
    whole = _together(times)
    if len(times) > 1:
        for group in whole.groups:
            own = _together([one for one in times if group in one.groups])
            whole.by_group[group] = own.model_copy(update={"groups": [group]})
    return whole


def _together(times: Sequence[Waited]) -> Waited:
    """Several steps as one. Whether an answer came is said of the last; and nobody is silent, late
    as they were before, who gave one there."""
    return Waited(
        who=times[-1].who,
        groups=sorted({group for one in times for group in one.groups}),
        days=round(sum(one.days for one in times), 4),
        critical=round(sum(one.critical for one in times), 4),
        answered=times[-1].answered,
        late=any(one.late for one in times),
        silent=any(one.silent for one in times) and not times[-1].answered,
    )
