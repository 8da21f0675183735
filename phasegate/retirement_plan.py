"""Laying out a sunset when it begins, and again when its plan is changed on the way."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from phasegate.adjusting import Adjustments, require_bounded
from phasegate.errors import Rejected
from phasegate.requests import PlanSunsetRequest
from phasegate.retirement import Retirement
from phasegate.retirement_tasks import TaskRecord, TaskState
from phasegate.sunset import DateTask
from phasegate.sunset_expand import MOST
from phasegate.sunset_layout import Layout, Placed, lay_out
from phasegate.sunset_rules import require_sound

NO_LONGER = "it is not planned any more"

_STILL_OPEN = (TaskState.planned, TaskState.skipped)


def begin(state: Retirement, now: datetime) -> None:
    """Lay out the plan as the sunset begins.

    Between the planning and the decision time has passed. Where that breaks a rule, the notice is
    given as early as can be; where another date of the owner's breaks it, `needs_plan` says so.
    """
    assert state.plan is not None
    state.needs_plan = ""
    try:
        _take(state, _sound(state, state.adjustments, now))
        return
    except Rejected as flaw:
        state.needs_plan = str(flaw)
    planned = state.adjustments.notice
    if planned is not None:
        early = state.adjustments.model_copy(update={"notice": None})
        try:
            layout = _sound(state, early, now)
        except Rejected:
            pass  # what was wrong at first is what its owner has to know
        else:
            days = f"{planned:%Y-%m-%d} to {layout.notice_at:%Y-%m-%d}"
            layout.moved.insert(0, f"the public notice from {days}: {state.needs_plan}")
            state.adjustments, state.needs_plan = early, ""
            _take(state, layout)
            return
    with suppress(Rejected):  # a policy that nobody linted may have no layout at all
        _take(state, _placed(state, Adjustments(), now))  # to be seen; nothing begins by it


def _sound(state: Retirement, adjustments: Adjustments, now: datetime) -> Layout:
    """The layout, which keeps every rule. Raises Rejected."""
    layout = _placed(state, adjustments, now)
    _check(state, layout, adjustments, now)
    return layout


def follow_contracts(state: Retirement, now: datetime) -> tuple[list[str], str]:
    """Move an end of life that a contract outlives, as customers have become known on the way.

    Returns what was moved, and why it could not be where its owner gave the day.
    """
    end, until = state.date("end-of-life"), _contracts(state)
    if end is None or until is None or until <= end or end <= now or state.needs_plan:
        return [], ""
    try:
        layout = _sound(state, state.adjustments, now)
    except Rejected as flaw:
        return [], str(flaw)
    return replan(state, state.adjustments, layout), ""


def check_plan(state: Retirement, request: PlanSunsetRequest, now: datetime) -> Layout:
    """The sunset as it would be with these adjustments. Raises Rejected."""
    key = state.product.key
    what, hint = f"the sunset of {key} cannot be planned anew", f"phasegate sunset show {key}"
    if state.aborting:
        raise Rejected("aborting", what, "it is being aborted", hint)
    if state.plan is None:
        raise Rejected("not-planned-yet", what, "its plan is being read; ask again", hint)
    require_bounded(key, request.adjustments)
    _require_ahead(state, request.adjustments, what, hint)
    layout = _sound(state, request.adjustments, now)
    for record in _begun(state):  # a plan within the plan may be left out by its own name, too
        placed = layout.placed(record.task.id)
        if placed and placed.skipped and record.state.under_way:
            why = f"{record.task.id} is {record.state} already"
            raise Rejected("task-begun", what, why, hint)
    kept = [r for r in _left(state, layout) if r.state not in _STILL_OPEN]
    if len(layout.tasks) + len(kept) > MOST:
        why = f"with {len(kept)} that have begun it would have more than {MOST} tasks"
        raise Rejected("too-many-tasks", what, why, hint)
    return layout


def _left(state: Retirement, layout: Layout) -> list[TaskRecord]:
    """What a product had added, and does not plan any more."""
    planned = frozenset(placed.task.id for placed in layout.tasks)
    return [record for record in state.tasks if record.task.id not in planned]


def _require_ahead(state: Retirement, wanted: Adjustments, what: str, hint: str) -> None:
    """Raise Rejected where what has begun would be moved or left out."""
    had = state.adjustments
    for record in _begun(state):
        name = record.task.id
        moved = wanted.dates.get(name) != had.dates.get(name)
        if moved or wanted.skip.get(name) != had.skip.get(name):
            raise Rejected("task-begun", what, f"{name} is {record.state} already", hint)


def _begun(state: Retirement) -> list[TaskRecord]:
    """What is done or being done, beside public dates."""
    return [
        record
        for record in state.tasks
        if not isinstance(record.task, DateTask)
        if record.state.under_way or record.state is TaskState.done
    ]


def replan(state: Retirement, adjustments: Adjustments, layout: Layout) -> list[str]:
    """Take another plan; sentences of what it moves. What has begun stays as it is."""
    before = {record.task.id: record for record in state.tasks}
    state.adjustments, state.needs_plan = adjustments, ""
    changed: list[str] = []
    if state.notice_at and state.notice_at != layout.notice_at:
        changed.append(f"the public notice to {layout.notice_at:%Y-%m-%d}")
    records: list[TaskRecord] = []
    for placed in layout.tasks:
        record = before.pop(placed.task.id, None)
        if record is None:
            changed.append(f"{placed.task.title} is added, on {placed.at:%Y-%m-%d}")
            records.append(_record(placed))
            continue
        records.append(record)
        changed += _move(record, placed)
    over = len(records) + len(before) - MOST
    for record in before.values():
        if record.state in _STILL_OPEN:
            changed += [] if record.state is TaskState.skipped else [f"{record.task.title} is left"]
            record.state, record.why = TaskState.skipped, NO_LONGER
            over -= 1
            if over >= 0:
                continue  # nothing ever came of it, and the state has no room for it
        records.append(record)
    state.tasks, state.notice_at, state.moved = records, layout.notice_at, layout.moved
    return changed


def _move(record: TaskRecord, placed: Placed) -> list[str]:
    """Give a task that has not begun its new place."""
    if record.state not in _STILL_OPEN and not record.state.under_way:
        return []
    record.needs = placed.needs
    said: list[str] = []
    if placed.at != record.at:
        said = [f"{record.task.title} to {placed.at:%Y-%m-%d}"]
        record.at = placed.at
    if placed.overdue_at != record.overdue_at:
        record.overdue_at, record.overdue_told = placed.overdue_at, False
    if record.state in _STILL_OPEN:
        if placed.skipped and record.state is TaskState.planned:
            said = [f"{record.task.title} is left out: {placed.skipped}"]
        if record.state is TaskState.skipped and not placed.skipped:
            said = [f"{record.task.title} is taken up again"]
        record.task = placed.task
        record.state = TaskState.skipped if placed.skipped else TaskState.planned
        record.why = placed.skipped
    return said


def _placed(state: Retirement, adjustments: Adjustments, now: datetime) -> Layout:
    assert state.plan is not None
    before = _public(state)
    layout = lay_out(
        state.plan,
        adjustments,
        maturity=state.maturity,
        now=now,
        notice=adjustments.notice or (before.notice_at if before else None),
        contracts_until=_contracts(state),
        before=before,
        product=state.product.key,
    )
    for record in _begun(state):
        if placed := layout.placed(record.task.id):
            placed.at, placed.overdue_at = record.at, record.overdue_at
    return layout


def _check(state: Retirement, layout: Layout, adjustments: Adjustments, now: datetime) -> None:
    """Raise Rejected for a rule that the layout breaks."""
    assert state.plan is not None
    require_sound(
        layout,
        state.plan,
        adjustments,
        maturity=state.maturity,
        now=now,
        contracts_until=_contracts(state),
        before=_public(state),
        product=state.product.key,
    )


def _contracts(state: Retirement) -> datetime | None:
    return state.customers.contracts_until if state.customers else None


def _public(state: Retirement) -> Layout | None:
    """What holds so far; nothing does while the sunset waits for another plan."""
    return None if state.needs_plan else layout_of(state)


def layout_of(state: Retirement) -> Layout | None:
    """The sunset as it is laid out now."""
    if state.notice_at is None:
        return None
    tasks = [
        Placed(
            task=record.task,
            at=record.at,
            overdue_at=record.overdue_at,
            needs=record.needs,
            skipped=record.why if record.state is TaskState.skipped else "",
        )
        for record in state.tasks
    ]
    return Layout(notice_at=state.notice_at, tasks=tasks, moved=state.moved)


def _take(state: Retirement, layout: Layout) -> None:
    state.notice_at, state.moved = layout.notice_at, layout.moved
    state.tasks = [_record(placed) for placed in layout.tasks]


def _record(placed: Placed) -> TaskRecord:
    return TaskRecord(
        task=placed.task,
        at=placed.at,
        overdue_at=placed.overdue_at,
        needs=list(placed.needs),
        state=TaskState.skipped if placed.skipped else TaskState.planned,
        why=placed.skipped,
    )


def public_dates(state: Retirement) -> dict[str, str]:
    """The dates that the public was told, by what they mark or by the task's name."""
    return {
        record.task.marks or record.task.id: record.at.isoformat()
        for record in state.tasks
        if isinstance(record.task, DateTask) and record.state is not TaskState.skipped
    }
