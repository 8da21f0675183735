"""A sunset as people read it at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from commands.output import Fields, Grid, dense

if TYPE_CHECKING:
    from commands.output import Block
    from phasegate.sunset_ports import CustomersSummary
    from phasegate.sunset_views import SunsetView, TaskView
    from phasegate.undoing_view import UndoView

_DATES = ("end-of-sales", "end-of-security-support", "end-of-life")


def sunset_blocks(view: SunsetView) -> Iterable[Block]:
    """Where it stands: dates, what it waits for, and the tasks up to each gate."""
    if view.needs_plan:
        command = f"phasegate sunset plan {view.product} FILE --as WHO"
        yield Fields([("waits for a plan", view.needs_plan), ("plan it", command)], loud=True)
    yield Fields(
        [
            ("sunset of", view.product),
            ("number", view.number if view.number > 1 else ""),
            ("status", view.status),
            ("waits for", view.waiting_for),
            ("public notice", view.notice_at),
            *((mark.replace("-", " "), view.dates.get(mark)) for mark in _DATES),
            ("moved", view.moved),
            ("customers", counted(view.customers)),
            ("legal holds", [f"{h.matter} (by {h.by}): {h.reason}" for h in view.legal_holds]),
            ("aborted by", f"{view.aborting.by}: {view.aborting.reason}" if view.aborting else ""),
            ("can be aborted", _way_back(view)),
            ("Temporal", view.ui_url),
        ]
    )
    yield Grid(
        ("task", "state", "who can", "answer with"),
        [(t.id, t.state, _who(t), answer(view, t)) for t in asking(view)],
        "Waits for people",
    )
    for title, tasks in sections(view):
        yield dense(
            (*("task", "kind", "state", "on", "done", "overdue", "by"), "title", "what shows it"),
            [
                (
                    t.id,
                    t.kind,
                    t.state,
                    t.at,
                    t.done_at,
                    "overdue" if t.overdue and t.done_at is None else "",
                    t.by,
                    t.title,
                    t.why,
                )
                for t in tasks
            ],
            title,
        )


def undo_blocks(found: list[UndoView]) -> Iterable[Block]:
    """What an abort would do, and what it could not."""
    undone = [one for one in found if one.how]
    yield Grid(
        ("", "task", "state", "title", "how"),
        [(str(n), u.task, u.state, u.title, u.how) for n, u in enumerate(undone, start=1)],
        "Would be undone, in this order",
    )
    yield Grid(
        ("task", "kind", "title"),
        [(u.task, u.kind, u.title) for u in found if not u.how],
        "Would stay as it is: nothing is known that brings it back",
    )


def sections(view: SunsetView) -> Iterator[tuple[str, list[TaskView]]]:
    """The tasks in the plan's order, up to each gate."""
    found: list[TaskView] = []
    for task in view.tasks:
        found.append(task)
        if task.kind == "gate":
            last = ", the point of no return" if task.point_of_no_return else ""
            yield f"Up to gate {task.gate or task.id}{last}", found
            found = []
    yield "After the last gate" if len(found) < len(view.tasks) else "Tasks", found


def asking(view: SunsetView) -> list[TaskView]:
    """The tasks that go on when somebody says or does something."""
    return [
        task
        for task in view.tasks
        if task.waits_for
        or task.state == "stuck"
        or task.undo_state == "stuck"
        or (task.kind == "gate" and task.state == "waiting")
    ]


def answer(view: SunsetView, task: TaskView) -> str:
    """The command that brings it on."""
    key, confirm = view.product, f"phasegate sunset confirm {view.product} {task.id}"
    if task.kind == "gate":
        gate = f"{key}/{task.gate or task.id}"
        again = f"phasegate gate submit {gate} --as WHO"
        return again if task.waits_for else f"phasegate gate show {gate}"
    if "unknown" in (task.state, task.undo_state):
        return f"{confirm} --note TEXT --as WHO  # with --not-done if it was not done"
    if "stuck" in (task.state, task.undo_state):
        return f"mend it, and it goes on by itself: {task.why}"
    facts = task.asks_for if task.state != "undoing" else []
    return " ".join([f"{confirm} --note TEXT --as WHO", *(f"--proof {f}=VALUE" for f in facts)])


def _who(task: TaskView) -> object:
    if task.waits_for:
        return task.waits_for
    return "its voters" if task.kind == "gate" else "whoever can mend it"


def counted(customers: CustomersSummary | None) -> str:
    """Customers in a line; nothing where nobody has told of any."""
    if customers is None or not customers.total:
        return ""
    counts = {
        "open": customers.open,
        "notified": customers.notified,
        "exported": customers.exported,
        "migrated": customers.migrated,
        "waived": customers.waived,
    }
    told = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    return f"{customers.total}: {told}"


def _way_back(view: SunsetView) -> str:
    if view.beyond_return:
        gates = [t.title for t in view.tasks if t.point_of_no_return]
        return f"no: {gates[0] if gates else 'the point of no return'} has passed"
    return ""
