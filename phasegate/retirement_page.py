"""The sunset as Markdown, for its page in the Temporal UI."""

from __future__ import annotations

from collections.abc import Iterator

from phasegate.markdown import day, line, said, section
from phasegate.sunset_views import SunsetView, TaskView

LIVE = ("waiting", "running", "stuck", "unknown", "held", "undoing")
"""States of what is under way, in bold."""


def sunset_page(view: SunsetView, product: str) -> str:
    """What it waits for and the commands that answer it, then where every task stands."""
    lines = [f"### {line(product)}: {view.status}", f"Public notice: {day(view.notice_at)}"]
    if view.waiting_for:
        lines.append(f"Waits for {line(view.waiting_for)}.")
    if view.needs_plan:
        lines.append(f"Plan it anew with `phasegate sunset plan {view.product} FILE --as WHO`.")
    if view.aborting:
        lines.append(f"Aborted by {line(view.aborting.by)}" + said(view.aborting.reason))
    elif view.beyond_return:
        lines.append("The point of no return is passed.")
    if view.customers and view.customers.total:
        lines.append(f"Customers: {view.customers.open} of {view.customers.total} are open.")
    held = (f"{line(hold.matter)}" + said(hold.reason) for hold in view.legal_holds)
    lines.append(section("Legal holds: nothing is deleted", held))
    lines.append(section("Moved", (line(moved) for moved in view.moved)))
    lines.append(section("Tasks", (_task(task) for task in view.tasks)))
    lines += _commands(view)
    return "\n\n".join(part for part in lines if part)


def _task(task: TaskView) -> str:
    state = f"**{task.state}**" if task.state in LIVE else task.state
    late = " (overdue)" if task.overdue else ""
    return f"{state}{late}, {day(task.at)}: {line(task.title)}" + said(task.why)


def _commands(view: SunsetView) -> Iterator[str]:
    """One command of each kind that is needed now."""
    for words, states in (
        ("Confirm with", ("waiting",)),
        ("Say whether it was done (or `--not-done`) with", ("unknown",)),
    ):
        for task in view.tasks:
            asked = task.undo_state if task.state == "undoing" else task.state
            if asked in states and task.kind != "gate":
                command = f"phasegate sunset confirm {view.product} {task.id} --as WHO --note TEXT"
                yield f"{words} `{command}`."
                break
