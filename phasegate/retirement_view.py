"""A sunset as it is shown: what `sunset show` gives, and what is made from it."""

from __future__ import annotations

from phasegate.retirement import Retirement
from phasegate.retirement_tasks import Doing, TaskRecord, TaskState
from phasegate.retirement_undo import undo_of
from phasegate.retirement_words import waits_for
from phasegate.sunset import ActingTask, DateTask, GateTask, ManualTask
from phasegate.sunset_views import SunsetView, TaskView


def view_of(state: Retirement, workflow_id: str) -> SunsetView | None:
    """The sunset as `sunset show` gives it; None until it is planned."""
    if state.notice_at is None:
        return None
    undoing = {doing.task: doing for doing in state.undos or ()}
    dates = {
        record.task.marks: record.at
        for record in state.tasks
        if isinstance(record.task, DateTask) and record.task.marks
    }
    return SunsetView(
        product=state.product.key,
        status=state.status,
        notice_at=state.notice_at,
        workflow_id=workflow_id,
        number=state.number,
        adjustments=state.adjustments,
        dates={str(mark): at for mark, at in dates.items()},
        moved=state.moved,
        needs_plan=state.needs_plan,
        customers=state.customers,
        legal_holds=state.legal_holds,
        aborting=state.aborting,
        beyond_return=state.beyond_return,
        waiting_for=waits_for(state),
        tasks=[_task(state, record, undoing.get(record.task.id)) for record in state.tasks],
    )


def _task(state: Retirement, record: TaskRecord, undoing: Doing | None) -> TaskView:
    task = record.task
    shown = undoing if undoing and undoing.state.under_way else record
    undo = undo_of(record)
    return TaskView(
        id=task.id,
        title=task.title,
        kind=task.kind,
        state=record.state.value,
        at=record.at,
        done_at=record.done_at,
        why=shown.why,
        digest=record.digest,
        marks=task.marks or "" if isinstance(task, DateTask) else "",
        effect=record.effect if isinstance(task, ActingTask) else "",
        by=task.by or "",
        needs=record.needs,
        overdue_at=record.overdue_at,
        overdue=record.overdue_told and not record.state.settled,
        begun_at=record.begun_at,
        stuck_since=shown.stuck_since,
        confirmed_by=record.by,
        proof=record.data,
        gate=task.gate.id if isinstance(task, GateTask) else "",
        point_of_no_return=isinstance(task, GateTask) and task.point_of_no_return,
        asks_for=list(task.proof) if isinstance(task, ManualTask) else [],
        undo=undo.kind if undo else "",
        waits_for=_people(state, record, shown),
        undo_state=undoing.state.value if undoing else "",
    )


def _people(state: Retirement, record: TaskRecord, doing: Doing) -> list[str]:
    """Whom it waits for. Of an open gate its own page says that."""
    if isinstance(record.task, GateTask):
        return (
            [state.product.owner]
            if record.state is TaskState.waiting and state.needs_submit
            else []
        )
    asked = doing.state in (TaskState.waiting, TaskState.unknown)
    return list(state.answering(record)) if asked and doing.confirmation is None else []
