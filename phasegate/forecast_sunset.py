"""The way out of the market in a forecast: its timetable says when it ends."""

from __future__ import annotations

from datetime import datetime

from phasegate.forecast_past import days_late, latest
from phasegate.forecast_view import Forecast, GateForecast, MilestoneForecast
from phasegate.views import SunsetView, TaskView

SUNSET = "sunset"


def with_sunset(found: Forecast, sunset: SunsetView, now: datetime) -> Forecast:
    """The forecast with the timetable of the sunset: public dates as milestones, and its gates.

    A task that is overdue is expected now. The sunset ends with its last task.
    """
    for task in sunset.tasks:
        done = task.state == "done"
        expected = None if done else max(task.at, now)
        at = task.done_at if done else expected
        slip = days_late(at, task.at, done=done)
        if task.kind == "gate":
            found.gates.append(_gate(task, expected, slip))
        elif task.kind == "date":
            found.milestones.append(_date(task, expected, slip, now))
    undone = [max(task.at, now) for task in sunset.tasks if task.state != "done"]
    plan = latest(task.at for task in sunset.tasks)
    for phase in found.phases[-1:]:  # one before it was aborted
        if phase.phase == SUNSET:
            phase.planned_start, phase.planned_end = phase.start, plan
            if phase.end is None:
                phase.expected_end = latest(undone)
                phase.slip = found.slip = days_late(phase.expected_end, plan)
    coming = [gate for gate in found.gates if gate.expected]
    if coming:
        found.next_gate, found.next_gate_expected = coming[0].gate, coming[0].expected
    return found


def _gate(task: TaskView, expected: datetime | None, slip: int | None) -> GateForecast:
    done = task.state == "done"
    return GateForecast(
        gate=task.id,
        title=task.title,
        phase=SUNSET,
        kind="sunset",
        state="decided" if done else "open" if task.state == "running" else "expected",
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
