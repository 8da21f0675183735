"""The sunset as Markdown, for its page in the Temporal UI."""

from __future__ import annotations

from phasegate.markdown import day, line, said, section
from phasegate.views import SunsetView


def sunset_page(view: SunsetView, product: str) -> str:
    """Where every task stands, the running ones in bold."""
    lines = [f"### {line(product)}: {view.status}", f"Public notice: {day(view.notice_at)}"]
    lines.append(
        section(
            "Tasks",
            (
                f"{_shown(task.state)}, {day(task.at)}: {line(task.title)}" + said(task.why)
                for task in view.tasks
            ),
        )
    )
    if waiting := [t for t in view.tasks if t.state == "waiting" and t.kind == "manual"]:
        command = f"phasegate sunset confirm {view.product} {waiting[0].id} --as WHO --note TEXT"
        lines.append(f"Confirm with `{command}`.")
    return "\n\n".join(lines)


def _shown(state: str) -> str:
    return f"**{state}**" if state in ("waiting", "running") else state
