"""What a sunset waits for, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from phasegate.retirement import Retirement
from phasegate.retirement_tasks import Doing, TaskRecord, TaskState, Undoing
from phasegate.sunset import GateTask

NAMED = 3
"""What is named of all that it waits for; the rest is counted."""


def waits_for(state: Retirement) -> str:
    """What it waits for: who has to do something first, then what is tried, then the next day."""
    if state.ended_at:
        return ""
    if state.needs_plan:
        return f"{state.product.owner} to plan it anew: {state.needs_plan}"
    found = [*_of_people(state), *_of_the_world(state)]
    if not found:
        return _next_day(state)
    more = f", and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return "; ".join(found[:NAMED]) + more


def asked_of_people(state: Retirement) -> str:
    """Who has to do something now, and the command: empty where nobody has."""
    key, owner = state.product.key, state.product.owner
    if state.needs_plan:
        return f"{owner} to plan it anew: phasegate sunset plan {key} FILE --as {owner}"
    for record, doing in in_hand(state):
        task = record.task
        if isinstance(task, GateTask) and state.needs_submit:
            command = f"phasegate gate submit {key}/{task.gate.id} --as {owner}"
            return f"{owner} to submit {task.gate.id} again: {command}"
        if isinstance(task, GateTask) or doing.confirmation is not None:
            continue
        if doing.state in (TaskState.waiting, TaskState.unknown):
            what = "to confirm" if doing.state is TaskState.waiting else "to find out about"
            command = f"phasegate sunset confirm {key} {task.id} --note 'what shows it' --as WHO"
            return f"{people_of(state, record)} {what} {task.title}: {command}"
    return ""


def in_hand(state: Retirement) -> Iterator[tuple[TaskRecord, Doing]]:
    """Every task that is under way, and what of it is: itself, or what undoes it."""
    for record in state.tasks:
        if record.state.under_way:
            yield record, record
    for undoing in state.undos or ():
        if undoing.state.under_way:
            yield state.record(undoing.task), undoing


def people_of(state: Retirement, record: TaskRecord) -> str:
    return record.task.by or state.product.owner


def _of_people(state: Retirement) -> Iterator[str]:
    for record, doing in in_hand(state):
        task = record.task
        undoing = "the undoing of " if isinstance(doing, Undoing) else ""
        if isinstance(task, GateTask) and doing is record:
            yield _of_gate(state, task)
        elif doing.state is TaskState.waiting:
            yield f"{people_of(state, record)} to confirm {undoing}{task.title}"
        elif doing.state is TaskState.unknown:
            yield f"{people_of(state, record)} to find out whether {undoing}{task.title} was done"


def _of_gate(state: Retirement, task: GateTask) -> str:
    if state.needs_submit and state.sittings.open is None:
        return f"{state.product.owner} to submit {task.gate.id} again"
    return f"votes on {task.gate.id}"


def _of_the_world(state: Retirement) -> Iterator[str]:
    matters = ", ".join(hold.matter for hold in state.legal_holds)
    for record, doing in in_hand(state):
        undoing = "the undoing of " if isinstance(doing, Undoing) else ""
        match doing.state:
            case TaskState.held:
                yield f"the legal hold {matters}, before {record.task.title}"
            case TaskState.stuck:
                yield f"{undoing}{record.task.title}, which is stuck: {doing.why}"
            case TaskState.running:
                yield f"{undoing}{record.task.title}"


def _next_day(state: Retirement) -> str:
    coming = [record for record in state.tasks if record.state is TaskState.planned]
    if not coming:
        return ""
    first = min(coming, key=lambda record: record.at)
    return f"{first.task.title} on {first.at:%Y-%m-%d %H:%M} UTC"
