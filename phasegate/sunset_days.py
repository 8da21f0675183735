"""The day of every task of a sunset, as it follows from the notice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from phasegate.adjusting import Adjustments
from phasegate.span import Span
from phasegate.sunset import DateTask, Maturity, SunsetPlan
from phasegate.sunset_expand import Expanded
from phasegate.sunset_flaws import Flaw

_SEE = "phasegate sunset plan KEY --dry-run"


class End(NamedTuple):
    """Before when a product may not reach its end of life, and why."""

    at: datetime
    why: str


def required_end(
    plan: SunsetPlan,
    maturity: Maturity,
    notice: datetime,
    contracts: tuple[datetime | None, ...],
    public: datetime | None = None,
) -> End:
    """The earliest end of life: after the notice that is owed, contracts, and what is public."""
    owed = plan.notice_for(maturity)
    ends = [End(day_after(owed, notice), f"a product of maturity {maturity} owes {owed.words}")]
    ends += [End(at, "a contract runs until then") for at in contracts if at]
    ends += [End(public, "that day is public")] if public else []
    return max(ends, key=lambda end: end.at)


def day_after(span: Span, instant: datetime) -> datetime:
    """The instant this span after another. Raises Flaw where no calendar has it."""
    try:
        return span.after(instant)
    except (OverflowError, ValueError):
        why = f"{span.words} from {instant:%Y-%m-%d} is beyond the calendar"
        raise Flaw("too-far", "a day of the sunset is out of reach", why, _SEE) from None


@dataclass
class Days:
    """Reckons days, each once. `moves` keeps what has to change for the end of life to be there."""

    found: Expanded
    adjustments: Adjustments
    notice: datetime
    of: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dates = {t.task.id for t in self.found.leaves if isinstance(t.task, DateTask)}
        for name in self.found.days:
            self._day(name)

    def _day(self, name: str) -> datetime:
        if name not in self.of:
            anchor = self.found.days[name]
            span: Span | date = self.adjustments.dates.get(name, anchor.at)
            if isinstance(span, Span):
                start = self._day(anchor.relative_to) if anchor.relative_to else self.notice
                self.of[name] = day_after(span, start)
            else:
                self.of[name] = instant_of(span, ends=name in self.dates)
        return self.of[name]

    def floats(self, name: str) -> bool:
        """Whether a day follows from the notice, and not from a day that the owner gave."""
        at: str | None = name
        while at is not None:
            if not isinstance(self.adjustments.dates.get(at, Span()), Span):
                return False
            at = self.found.days[at].relative_to
        return True


def instant_of(day: date, *, ends: bool) -> datetime:
    """A plain date as an instant: its end or its beginning, UTC."""
    if isinstance(day, datetime):
        return day
    return datetime.combine(day, time(23, 59, 59) if ends else time(0), tzinfo=UTC)


def is_today(day: datetime, now: datetime) -> bool:
    """Whether a plain date means today: what is planned for it begins now."""
    return day == now.replace(hour=0, minute=0, second=0, microsecond=0)


def earliest_notice(found: Expanded, adjustments: Adjustments, now: datetime) -> datetime:
    """The earliest notice that leaves no task in the past whose day follows from it."""
    notice = now
    while True:
        days = Days(found, adjustments, notice)
        skipped = skips(found, adjustments)
        floating = [
            days.of[leaf.task.id]
            for leaf in found.leaves
            if leaf.task.id not in skipped and days.floats(leaf.task.id)
        ]
        # A month back from a month ahead can be a day early: 31 March, 30 April, 30 March.
        late = now - min(floating, default=now)
        if late <= timedelta(0):
            return notice
        notice += late


def skips(found: Expanded, adjustments: Adjustments) -> dict[str, str]:
    """The tasks that are left out, each with the reason."""
    reasons: dict[str, str] = {}
    for name, reason in adjustments.skip.items():
        for task_id in found.groups.get(name, [name]):
            reasons.setdefault(task_id, reason)
    return reasons


def reckon(
    found: Expanded, adjustments: Adjustments, notice: datetime, end: End
) -> tuple[dict[str, datetime], list[str]]:
    """The day of every task, and what was moved.

    Where the policy alone gives the end of life, it is moved to `end` if that is later. Wherever it
    is not where the policy has it, what counts from it and what comes after it moves along.
    """
    eol = next((t.task.id for t in found.leaves if _ends(t.task)), None)
    if eol is None:
        return Days(found, adjustments, notice).of, []
    given = adjustments.dates.get(eol)
    others = {name: day for name, day in adjustments.dates.items() if name != eol}
    old = Days(found, adjustments.model_copy(update={"dates": others}), notice)
    if given is not None:
        target, why = Days(found, adjustments, notice).of[eol], "its owner gives the day"
    else:
        target, why = max((End(old.of[eol], ""), end), key=lambda end: end.at)
    if target == old.of[eol]:
        return old.of, []
    moved = _moved(found, others, old.of, eol, target)
    text = f"{eol} is on {target:%Y-%m-%d} instead of {old.of[eol]:%Y-%m-%d}, since {why}"
    if any(moved[t.task.id] != old.of[t.task.id] for t in found.leaves if t.task.id != eol):
        text += "; what counts from it, or comes after it, moved along"
    return moved, [text]


def _ends(task: object) -> bool:
    return isinstance(task, DateTask) and task.marks == "end-of-life"


def _moved(
    found: Expanded,
    given: Mapping[str, object],
    old: Mapping[str, datetime],
    eol: str,
    target: datetime,
) -> dict[str, datetime]:
    """All days with the end of life at `target`. Days that the owner gave stay."""
    new = {eol: target}
    delta = Span(exact=target - old[eol])

    def day(name: str) -> datetime:
        if name not in new:
            anchor = found.days[name]
            start = anchor.relative_to
            span = given.get(name, anchor.at)
            if not isinstance(span, Span):
                new[name] = old[name]
            elif start and day(start) != old[start]:
                new[name] = day_after(span, new[start])
            elif name in given or old[name] < old[eol]:
                new[name] = old[name]
            else:
                new[name] = day_after(delta, old[name])
            # What came after it does so still, however long the months are in between.
            if name not in given and old[name] >= old[eol]:
                new[name] = max(new[name], target)
        return new[name]

    for name in found.days:
        day(name)
    return new
