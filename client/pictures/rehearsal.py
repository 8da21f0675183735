"""A rehearsal as one page of HTML that needs nothing else, on a screen and on paper."""

from __future__ import annotations

from client.pictures.drawing import environment
from client.pictures.retrospective import TONES, is_link, minute
from client.pictures.theme import DARK, LIGHT
from phasegate.rehearsal_chart import AXIS, NAMES, WIDTH, percent, plural
from phasegate.rehearsal_chart_gates import BAND, ROW, gates_chart
from phasegate.rehearsal_chart_launch import BASE, HEIGHT, LEFT, TOP, launch_chart
from phasegate.rehearsal_chart_life import BAR, FOOT, MIDDLE, life_charts, of_clock, shown_lives
from phasegate.rehearsal_chart_outcomes import STACK, outcomes_chart
from phasegate.rehearsal_chart_waits import BAR as WAIT_BAR
from phasegate.rehearsal_chart_waits import LEVELS, waited_for, waits_chart
from phasegate.rehearsal_sums import stops, tried
from phasegate.rehearsal_view import CLOCKS, Rehearsal, StuckAt, StuckShare
from phasegate.roadmap_words import OUTCOMES, day

HEADINGS = {
    "reminder": "Reminders",
    "overdue": "Answers overdue",
    "manager": "Managers' turn",
    "escalation": "Escalated",
    "hold": "Ended with Hold",
    "kill": "Ended with Kill",
}
_SIZES = {
    "width": WIDTH,
    "names": NAMES,
    "axis": AXIS,
    "row": ROW,
    "band": BAND,
    "stack": STACK,
    "left": LEFT,
    "top": TOP,
    "base": BASE,
    "height": HEIGHT,
    "bar": BAR,
    "foot": FOOT,
    "middle": MIDDLE,
    "wait": WAIT_BAR,
    "levels": LEVELS,
}


def rehearsal_html(found: Rehearsal) -> str:
    """One self-contained page: no script, and nothing is loaded from anywhere."""
    before = [gate for gate in found.gates if gate.kind == "phase"]
    later = [gate for gate in found.gates if gate.kind != "phase"]
    panels = [
        ("Gates of the phases", gates_chart(found, before)),
        ("Reviews and the sunset", gates_chart(found, later)),
    ]
    return environment().get_template("rehearsal.html.jinja").render(
        found=found,
        alone=[one for one in found.absences if stops(one, found)],
        launch=launch_chart(found),
        panels=[(title, chart) for title, chart in panels if chart and found.runs > 1],
        outcomes=outcomes_chart(found.gates) if found.runs > 1 else None,
        waits=[
            (title, chart, waited_for(found, kind))
            for title, kind in (("People", "person"), ("Groups", "group"))
            if (chart := waits_chart(found, kind))
        ],
        lives=[(life, life_charts(life)) for life in shown_lives(found)],
        titles={gate.gate: gate.title for gate in found.gates},
        clocks={clock: HEADINGS[clock] for clock in CLOCKS if found.clocks.get(clock)},
        of_clock=of_clock,
        waiting=waiting,
        tried=tried(found),
        size=_SIZES,
        light=LIGHT,
        dark=DARK,
        day=day,
        minute=minute,
        percent=percent,
        plural=plural,
        words=OUTCOMES,
        tones=TONES | {"stuck": "bad"},
        is_link=is_link,
    )  # fmt: skip


def waiting(stuck: StuckAt | StuckShare) -> str:
    """Whom it waits for: people if they are known, else their groups; unless `why` says it."""
    if stuck.why.startswith("waits for "):
        return ""
    return ", ".join(stuck.waits_for or stuck.groups)
