"""What an abort would undo, and in which order: what `sunset abort --dry-run` lists."""

from __future__ import annotations

from datetime import UTC, datetime

from phasegate.base import Wire
from phasegate.errors import Rejected
from phasegate.sunset_views import SunsetView, TaskView

DOES_NOTHING = ("gate", "date", "wait")
"""Kinds of task that leave nothing behind."""

_HOW = {
    "manual": "somebody is asked to bring it back, and confirms it",
    "notice": "a withdrawal is announced",
    "mail": "a withdrawal is sent",
}
_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)


class UndoView(Wire):
    """One task that has been done, or is being done. Without `how` nothing brings it back."""

    schema_version: int = 1
    task: str
    title: str
    state: str
    kind: str
    how: str


def undoing(view: SunsetView) -> list[UndoView]:
    """What would be undone, the latest first; what is being done comes to its end before that."""
    begun = [task for task in view.tasks if task.kind not in DOES_NOTHING and _begun(task)]
    order = [task.id for task in view.tasks]
    begun.sort(key=lambda t: (t.done_at is None, t.done_at or _EARLIEST, order.index(t.id)))
    return [
        UndoView(task=t.id, title=t.title, state=t.state, kind=t.kind, how=_how(t))
        for t in reversed(begun)
    ]


def require_way_back(view: SunsetView) -> None:
    """Raise Rejected where the sunset has ended, or its point of no return is passed."""
    what, hint = f"the sunset of {view.product} cannot be aborted", "phasegate sunset show "
    if view.status in ("retired", "aborted", "cancelled"):
        raise Rejected("sunset-ended", what, f"it is {view.status}", hint + view.product)
    if view.beyond_return:
        gates = [task.title for task in view.tasks if task.point_of_no_return]
        why = f"{gates[0] if gates else 'its last gate'} has passed: the rest cannot be undone"
        raise Rejected("point-of-no-return", what, why, hint + view.product)


def _begun(task: TaskView) -> bool:
    return task.state in ("done", "running", "stuck", "unknown")


def _how(task: TaskView) -> str:
    if not task.undo:
        return ""
    return _HOW.get(task.undo, f"undone by phasegate ({task.undo})")
