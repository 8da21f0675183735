"""A sunset as it would be: its calendar and its gates, before anything starts."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from phasegate.adjusting import Adjustments
from phasegate.base import Instant, Wire
from phasegate.sunset import ActingTask, DateTask, GateTask, Maturity, SunsetPlan
from phasegate.sunset_flaws import Flaw
from phasegate.sunset_layout import Layout, Placed


class PlannedTask(Wire):
    """A task, or a reminder of a public date (`reminds` says of which)."""

    id: str
    title: str
    kind: str
    at: Instant
    overdue_at: Instant | None = None
    by: str = Field("", description="the group that answers for it; empty means the owner")
    needs: list[str] = Field([], description="the tasks that it waits for, beside its day")
    marks: str = Field("", description="of a public date: what it is in the words of OpenEoX")
    effect: str = Field("", description="reversible, irreversible or deletion, of what it does")
    undo: str = Field("", description="how an abort undoes it: http, manual …; or empty")
    skipped: str = Field("", description="why it is left out")
    added: bool = Field(False, description="the product's own, and not its policy's")
    reminders: list[Instant] = []


class PlannedGate(Wire):
    task: str
    gate: str
    title: str
    at: Instant
    requires: list[str]
    voters: dict[str, list[str]] = Field({}, description="group → who may vote there today")
    criteria: list[str] = []
    point_of_no_return: bool = False


class PlanProblem(Wire):
    """A rule that the plan breaks, with its stable code."""

    code: str
    what: str
    why: str
    where: str = Field("", description="file, line and column, of a file that was given")


class PlanView(Wire):
    """What `phasegate sunset plan` shows. `problems` are empty where it may be carried out."""

    schema_version: int = 1
    product: str
    policy: str
    policy_digest: str
    maturity: str
    number: int = Field(1, description="the how-manieth sunset of the product")
    running: bool = Field(False, description="it is under way, and would be planned anew")
    notice_at: Instant
    minimum_notice: str
    contracts_until: Instant | None = None
    dates: dict[str, Instant] = Field({}, description="public dates, by what each marks")
    decided_by: str = Field("", description="the gate that decides on the sunset, if one does")
    tasks: list[PlannedTask]
    gates: list[PlannedGate] = []
    moved: list[str] = Field([], description="what is not where the policy has it, and why")
    problems: list[PlanProblem] = []


def planned_tasks(layout: Layout, adjustments: Adjustments) -> list[PlannedTask]:
    """The tasks in the order of the plan."""
    added = {task.id for task in adjustments.add}
    return [_task(placed, layout, placed.task.id in added) for placed in layout.tasks]


def _task(placed: Placed, layout: Layout, added: bool) -> PlannedTask:
    task = placed.task
    acting = task if isinstance(task, ActingTask) else None
    date = task if isinstance(task, DateTask) else None
    ahead = [span.before(placed.at) for span in date.remind] if date else []
    return PlannedTask(
        id=task.id,
        title=task.title,
        kind=task.kind,
        at=placed.at,
        overdue_at=placed.overdue_at,
        by=task.by or "",
        needs=placed.needs,
        marks=(date.marks or "") if date else "",
        effect=acting.effect if acting else "",
        undo=acting.undo.kind if acting and acting.undo else "",
        skipped=placed.skipped,
        added=added,
        reminders=sorted(at for at in ahead if at >= layout.notice_at),
    )


def planned_gates(layout: Layout) -> list[PlannedGate]:
    """The gates on the way out, without who votes there."""
    return [
        PlannedGate(
            task=placed.task.id,
            gate=placed.task.gate.id,
            title=placed.task.gate.title,
            at=placed.at,
            requires=[requirement.title for requirement in placed.task.gate.requires],
            criteria=[criterion.text for criterion in placed.task.gate.criteria],
            point_of_no_return=placed.task.point_of_no_return,
        )
        for placed in layout.tasks
        if isinstance(placed.task, GateTask)
    ]


def dates_of(layout: Layout) -> dict[str, Instant]:
    """Public dates by what each marks, in the order of their days."""
    marked = [
        (placed.at, placed.task.marks)
        for placed in layout.tasks
        if isinstance(placed.task, DateTask) and placed.task.marks
    ]
    return {mark: at for at, mark in sorted(marked)}


def owed(plan: SunsetPlan, maturity: Maturity) -> str:
    """What the public is owed, in words."""
    return plan.notice_for(maturity).words


def problems_of(flaws: Sequence[Flaw]) -> list[PlanProblem]:
    """Broken rules as they are shown."""
    return [PlanProblem(code=flaw.code, what=flaw.what, why=flaw.why) for flaw in flaws]
