"""The way out of the market in a forecast: its timetable says when it ends."""

from __future__ import annotations

from datetime import datetime

from phasegate.forecast_past import days_late, latest
from phasegate.forecast_view import Forecast, GateForecast, MilestoneForecast, PhaseForecast
from phasegate.sunset import DateTask, GateTask
from phasegate.sunset_graph import in_order
from phasegate.sunset_layout import Layout
from phasegate.sunset_views import SunsetView, TaskView

SUNSET = "sunset"

NEVER = ("skipped", "dropped", "undoing", "undone")
"""States of tasks of which nothing is expected any more."""


def with_sunset(found: Forecast, sunset: SunsetView, now: datetime) -> Forecast:
    """The forecast with the timetable of the sunset: public dates as milestones, and its gates.

    What is overdue is expected now, and what waits for it no earlier. The sunset ends with its last
    task.
    """
    tasks = [task for task in sunset.tasks if task.state not in NEVER]
    expected = _expected(tasks, now)
    for task in tasks:
        done = task.state == "done"
        at = task.done_at if done else expected[task.id]
        slip = days_late(at, task.at, done=done)
        if task.kind == "gate":
            found.gates.append(_gate(task, expected.get(task.id), slip))
        elif task.kind == "date":
            found.milestones.append(_date(task, expected.get(task.id), slip, now))
    plan = latest(task.at for task in tasks)
    for phase in found.phases[-1:]:  # one before it was aborted
        if phase.phase == SUNSET:
            phase.planned_start, phase.planned_end = phase.start, plan
            if phase.end is None:
                phase.expected_end = latest(expected.values())
                phase.slip = found.slip = days_late(phase.expected_end, plan)
    coming = [gate for gate in found.gates if gate.expected]
    if coming:
        found.next_gate, found.next_gate_expected = coming[0].gate, coming[0].expected
    return found


def with_plan(found: Forecast, layout: Layout) -> Forecast:
    """The forecast with a sunset that is planned and not decided yet, as a phase still to come."""
    for placed in layout.tasks:
        task, at = placed.task, placed.at
        if isinstance(task, GateTask):
            found.gates.append(
                GateForecast(
                    gate=task.id,
                    title=task.title,
                    phase=SUNSET,
                    kind="sunset",
                    state="expected",
                    planned=at,
                    expected=at,
                    basis="the plan of the sunset, which is not decided yet",
                )
            )
        elif isinstance(task, DateTask) and not placed.skipped:
            found.milestones.append(
                MilestoneForecast(
                    id=task.id,
                    title=task.title,
                    phase=SUNSET,
                    state="planned",
                    planned=at,
                    due=at,
                    expected=at,
                    ahead=True,
                )
            )
    days = [placed.at for placed in layout.tasks if not placed.skipped]
    start, end = min([layout.notice_at, *days]), latest(days)
    found.phases.append(
        PhaseForecast(
            phase=SUNSET,
            title="Sunset",
            state="ahead",
            planned_start=start,
            planned_end=end,
            expected_start=start,
            expected_end=end,
        )
    )
    return found


def _expected(tasks: list[TaskView], now: datetime) -> dict[str, datetime]:
    """When each task that is not done is to be expected: on its day, and after what it needs."""
    undone = {task.id: task for task in tasks if task.state != "done"}
    needs = {name: [n for n in task.needs if n in undone] for name, task in undone.items()}
    expected: dict[str, datetime] = {}
    for name in in_order(needs):
        expected[name] = max([undone[name].at, now, *(expected[other] for other in needs[name])])
    return expected


_OPEN = ("running", "waiting")


def _gate(task: TaskView, expected: datetime | None, slip: int | None) -> GateForecast:
    done = task.state == "done"
    return GateForecast(
        gate=task.id,
        title=task.title,
        phase=SUNSET,
        kind="sunset",
        state="decided" if done else "open" if task.state in _OPEN else "expected",
        outcome="go" if done else None,
        planned=task.at,
        expected=expected,
        actual=task.done_at,
        slip=slip,
        basis="" if done else "its day in the timetable",
    )


def _date(
    task: TaskView, expected: datetime | None, slip: int | None, now: datetime
) -> MilestoneForecast:
    done = task.state == "done"
    return MilestoneForecast(
        id=task.id,
        title=task.title,
        phase=SUNSET,
        state="met" if done else "missed" if now > task.at else "planned",
        planned=task.at,
        due=task.at,
        expected=expected,
        actual=task.done_at,
        slip=slip,
        at_risk=not done and now > task.at,
    )
