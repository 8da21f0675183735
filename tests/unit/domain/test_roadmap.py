"""Roadmaps: what is said, where it is drawn, as text and as Mermaid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from portfolio import NOW, portfolio

from phasegate import sunset_layout
from phasegate.adjusting import Adjustments
from phasegate.forecast_sunset import with_plan, with_sunset
from phasegate.forecast_view import Forecast, GateForecast, MilestoneForecast, PhaseForecast
from phasegate.mermaid import mermaid, safe
from phasegate.roadmap import Missing, Roadmap, RoadmapProduct, roadmap_of
from phasegate.roadmap_chart import COMFORTABLE, COMPACT, GROUP
from phasegate.roadmap_layout import lay_out
from phasegate.roadmap_scale import Scale, scale_of
from phasegate.roadmap_text import lines
from phasegate.roadmap_words import day, of_gate, of_milestone, of_phase, slip_words
from phasegate.sunset import SunsetPlan
from phasegate.sunset_views import SunsetView, TaskView
from phasegate.text_width import fit, width_of

DAY = timedelta(days=1)
NEVER = datetime(9999, 12, 31, tzinfo=UTC)


def at(days: float) -> datetime:
    return NOW + days * DAY


def phase(**more: Any) -> PhaseForecast:
    return PhaseForecast(**{"phase": "build", "title": "Build", "state": "current", **more})


def gate(**more: Any) -> GateForecast:
    fields = {"gate": "launch", "title": "Launch", "phase": "build", "state": "expected"}
    return GateForecast(**{**fields, **more})


def goal(id: str = "done", **more: Any) -> MilestoneForecast:
    fields = {"title": id.title(), "phase": "build", "state": "planned"}
    return MilestoneForecast(**{"id": id, **fields, **more})


def product(key: str = "kettle", **found: Any) -> RoadmapProduct:
    fields = {"name": key.title(), "owner": "olga", "policy": "p 1", "status": "active"}
    forecast = Forecast(product=key, as_of=NOW, **found)
    return RoadmapProduct(**{"key": key, **fields, "forecast": forecast})


def road(*products: RoadmapProduct) -> Roadmap:
    return roadmap_of(NOW, products)


# -- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slip", "words"), [(None, ""), (0, ""), (1, "1 day late"), (-3, "3 days early")]
)
def test_slips_in_words(slip: int | None, words: str) -> None:
    assert slip_words(slip) == words


def test_phases_in_words() -> None:
    assert of_phase(phase(state="done", start=at(-9), end=at(-2), planned_end=at(-4), slip=2)) == (
        "started 2027-06-06, ended 2027-06-13, planned to end 2027-06-11, 2 days late"
    )
    said = of_phase(
        phase(state="ahead", expected_start=at(1), expected_end=at(2), at_earliest=True)
    )
    assert said == ("expected to start 2027-06-16, expected to end 2027-06-17 at the earliest")
    assert of_phase(phase(start=at(-1))) == "started 2027-06-14, no end in sight"


def test_gates_in_words() -> None:
    held = gate(state="decided", outcome="conditional-go", round=2, actual=at(0), planned=at(-1))
    assert of_gate(held) == "round 2, Conditional Go on 2027-06-15, planned 2027-06-14"
    sits = gate(state="open", round=1, expected=at(3), basis="its deadline", slip=4)
    assert of_gate(sits) == ("round 1, open, decides until 2027-06-18, 4 days late, its deadline")
    assert of_gate(gate(expected=at(1))) == "expected 2027-06-16"
    assert of_gate(gate(state="unplanned", basis="once it is submitted")) == (
        "not planned, once it is submitted"
    )


def test_milestones_in_words() -> None:
    moved = goal(planned=at(0), due=at(5), expected=at(9), slip=9, at_risk=True, waits_for="x/y")
    assert of_milestone(moved) == (
        "planned, planned 2027-06-15, due 2027-06-20, expected 2027-06-24, 9 days late, at risk, "
        "waits for x/y"
    )
    assert of_milestone(goal(state="missed", at_risk=True)) == "missed, without a date"
    met = goal(state="met", planned=at(1), due=at(1), actual=at(0), slip=-1)
    assert of_milestone(met) == "met, planned 2027-06-16, met on 2027-06-15, 1 day early"


# -- dependencies ---------------------------------------------------------------------------------


def test_dependencies_know_when_what_they_wait_for_comes() -> None:
    motor = product(
        "motor",
        gates=[
            gate(state="decided", outcome="recycle", actual=at(-9)),
            gate(state="decided", outcome="go", actual=at(-3)),
            gate(state="expected", expected=at(50)),
            gate(gate="screen", state="decided", outcome="kill", actual=at(-1)),
        ],
        milestones=[goal("late", expected=at(4)), goal("came", state="met", actual=at(-2))],
    )
    waits = [
        goal(f"m{n}", waits_for=step)
        for n, step in enumerate(
            ("motor/launch", "motor/late", "motor/came", "motor/screen", "motor/none", "gone/x", "")
        )
    ]
    found = road(product(milestones=waits), motor).dependencies
    assert [(d.on, d.at, d.met) for d in found] == [
        ("launch", at(-3), True),
        ("late", at(4), False),
        ("came", at(-2), True),
        ("screen", at(-1), False),
        ("none", None, False),
        ("x", None, False),
    ]


def test_products_come_in_the_order_of_their_keys() -> None:
    found = roadmap_of(
        NOW, [product("b"), product("a")], [Missing(key="z", why=""), Missing(key="c", why="")]
    )
    assert [p.key for p in found.products] == ["a", "b"]
    assert [m.key for m in found.missing] == ["c", "z"]


# -- the sunset -----------------------------------------------------------------------------------


def task(id: str, kind: str, state: str, when: float, done: float | None = None) -> TaskView:
    return TaskView(
        id=id,
        title=id.title(),
        kind=kind,
        state=state,
        at=at(when),
        done_at=at(done) if done is not None else None,
    )


def test_a_sunset_is_foreseen_by_its_timetable() -> None:
    sunset = SunsetView(
        product="kettle",
        status="running",
        notice_at=at(-90),
        workflow_id="w",
        tasks=[
            task("told", "notice", "done", -90, -90),
            task("eos", "date", "done", -30, -30),
            task("ready", "gate", "done", -40, -38),
            task("late", "date", "waiting", -1),
            task("eol", "date", "planned", 90),
            task("down", "gate", "running", 91),
            task("last", "gate", "planned", 92),
        ],
    )
    stay = phase(phase="sunset", title="Sunset", start=at(-91))
    before = phase(state="done", start=at(-200), end=at(-91))
    found = with_sunset(Forecast(product="kettle", as_of=NOW, phases=[before, stay]), sunset, NOW)
    assert found.phases[1].expected_end == found.phases[1].planned_end == at(92)
    assert (found.slip, found.next_gate, found.next_gate_expected) == (0, "down", at(91))
    assert [(g.gate, g.state, g.slip) for g in found.gates] == [
        ("ready", "decided", 2),
        ("down", "open", 0),
        ("last", "expected", 0),
    ]
    assert [bool(g.basis) for g in found.gates] == [False, True, True]
    assert [m.due for m in found.milestones] == [at(-30), at(-1), at(90)]
    assert [(m.id, m.state, m.expected, m.at_risk) for m in found.milestones] == [
        ("eos", "met", None, False),
        ("late", "missed", NOW, True),
        ("eol", "planned", at(90), False),
    ]
    over = phase(phase="sunset", state="done", start=at(-91), end=at(-1))
    ended = sunset.model_copy(update={"tasks": sunset.tasks[:3]})
    found = with_sunset(Forecast(product="kettle", as_of=NOW, phases=[over]), ended, NOW)
    assert found.phases[0].expected_end is found.next_gate is None
    back = with_sunset(Forecast(product="kettle", as_of=NOW, phases=[before]), ended, NOW)
    assert back.phases == [before], "a sunset that was aborted says nothing of where it is now"


def test_what_waits_for_something_late_is_expected_no_earlier() -> None:
    tasks = [
        task("late", "manual", "running", -5),
        task("left", "gate", "skipped", -3),
        task("ready", "gate", "waiting", -2).model_copy(update={"needs": ["late", "left"]}),
        task("far", "manual", "planned", 40),
        task("down", "gate", "planned", 1).model_copy(update={"needs": ["ready", "far"]}),
        task("eol", "date", "dropped", 2),
    ]
    sunset = SunsetView(
        product="kettle", status="sunsetting", notice_at=at(-9), workflow_id="w", tasks=tasks
    )
    stay = phase(phase="sunset", title="Sunset", start=at(-9))
    found = with_sunset(Forecast(product="kettle", as_of=NOW, phases=[stay]), sunset, NOW)
    assert [(g.gate, g.state, g.expected) for g in found.gates] == [
        ("ready", "open", NOW),
        ("down", "expected", at(40)),
    ]
    assert found.milestones == []


def test_a_sunset_that_is_planned_is_a_phase_to_come() -> None:
    plan = SunsetPlan.model_validate(
        {
            "tasks": [
                {"id": "brief", "kind": "notice", "title": "B", "at": "-30 days"},
                {"id": "eol", "kind": "date", "title": "End", "at": "90 days"},
                {"id": "gone", "kind": "date", "title": "Gone", "at": "95 days"},
                {
                    "id": "off",
                    "kind": "gate",
                    "title": "Off",
                    "at": "91 days",
                    "gate": {"id": "off", "title": "Off", "requires": [{"group": "sre"}]},
                },
            ]
        }
    )
    adjustments = Adjustments(notice=at(50), skip={"gone": "no need"})
    layout = sunset_layout.lay_out(plan, adjustments, maturity="ga", now=NOW)
    market = phase(state="current", start=at(-200))
    found = with_plan(Forecast(product="kettle", as_of=NOW, phases=[market]), layout)
    stay = found.phases[-1]
    assert (stay.phase, stay.state) == ("sunset", "ahead")
    assert stay.title == "Sunset"
    assert (stay.expected_start, stay.expected_end) == (at(20), layout.tasks[-1].at)
    assert (stay.planned_start, stay.planned_end) == (stay.expected_start, stay.expected_end)
    assert [one.planned for one in (*found.gates, *found.milestones)] == [at(141), at(140)]
    assert [(m.id, m.expected, m.ahead) for m in found.milestones] == [("eol", at(140), True)]
    assert [(g.gate, g.state, g.expected) for g in found.gates] == [("off", "expected", at(141))]
    assert found.next_gate is None


# -- the axis -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "first"),
    [
        (10, "15 Jun"),
        (80, "21 Jun"),
        (500, "Jul 2027"),
        (1200, "Q3 2027"),
        (3000, "2028"),
        (30000, "2030"),
    ],
)
def test_ticks_have_room(days: int, first: str) -> None:
    scale = Scale(NOW.replace(hour=0), at(days), 1200)
    ticks = scale.ticks()
    assert ticks[0].label == first
    gaps = [b.x - a.x for a, b in pairwise(ticks)]
    assert min(gaps) >= 62  # February is shorter than a twelfth of a year
    assert len(ticks) < 20


def test_the_span_is_what_there_is_and_today() -> None:
    scale = scale_of(road(), 100)
    assert scale.end - scale.start == 14 * DAY * 1.08
    assert scale.shows(NOW)
    long = product(phases=[phase(start=at(-100), expected_end=at(100))])
    scale = scale_of(road(long), 100)
    assert scale.start == at(-108)
    assert scale.x(at(-200)) == 0
    assert scale.x(at(200)) == 100
    forever = product(milestones=[goal(due=NEVER, expected=NEVER)])
    assert scale_of(road(forever), 100).end < at(365 * 23)


def test_the_span_can_be_cut() -> None:
    long = product(phases=[phase(start=at(-100), expected_end=at(100), slip=9, planned_end=at(91))])
    scale = scale_of(road(long), 100, start=at(-10), end=at(10))
    assert (scale.start, scale.end) == (at(-10), at(10))
    scale = scale_of(road(long), 100, start=at(100))
    assert scale.start == at(100)
    assert scale.end > at(114)


# -- the layout -----------------------------------------------------------------------------------


def test_rows_and_headings_follow_each_other() -> None:
    chart = lay_out(portfolio(7), group_by="owner")
    assert [(h.title, h.count) for h in chart.headings] == [
        ("ines.duarte", 2),
        ("jonas.lind", 2),
        ("maya.okafor", 1),
        ("olga", 1),
        ("wei.zhang", 1),
    ]
    assert chart.density is COMFORTABLE
    assert chart.height == 5 * GROUP + 7 * COMFORTABLE.row
    assert [row.y for row in chart.rows][:3] == [30, 82, 164]
    assert lay_out(portfolio(21)).density is COMPACT
    assert lay_out(portfolio(1), density=COMPACT).height == COMPACT.row


def test_nothing_lies_outside_the_chart() -> None:
    chart = lay_out(portfolio(60))
    for row in chart.rows:
        for bar in row.bars:
            assert 0 <= bar.x <= bar.x + bar.width <= chart.width + 1.5
            assert 0 <= bar.room <= bar.width
        for ghost in row.ghosts:
            assert 0 <= ghost.x <= ghost.x + ghost.width <= chart.width
        for mark in (*row.diamonds, *row.dots):
            assert 0 <= mark.x <= chart.width
            assert mark.tail is None or mark.tail < mark.x


def test_marks_never_lie_on_each_other() -> None:
    chart = lay_out(portfolio(60))
    for row in chart.rows:
        for marks, room in ((row.diamonds, 1.5 * 7), (row.dots, 1.0 * 4)):
            for one, other in pairwise(marks):
                assert other.x - one.x >= room


def test_marks_at_one_place_become_one_that_tells_of_all_and_shows_the_worst() -> None:
    goals = [
        goal("a", state="met", actual=at(0)),
        goal("b", state="missed", expected=at(0.1), planned=at(-20), slip=20),
        goal("c", expected=at(90), at_risk=True),
    ]
    gates = [
        gate(state="decided", outcome="recycle", actual=at(-90)),
        gate(state="decided", outcome="go", actual=at(-89.5)),
        gate(state="unplanned"),
    ]
    (row,) = lay_out(road(product(milestones=goals, gates=gates))).rows
    first, second = row.dots
    assert (first.state, first.count, first.label) == ("missed", 2, "2 milestones")
    assert "A: met" in first.text
    assert "B: missed" in first.text
    assert first.tail is not None
    assert (second.state, second.count, second.label) == ("at-risk", 1, "C")
    (diamond,) = row.diamonds
    assert (diamond.state, diamond.label) == ("go", "2 gates, last Launch")


def test_what_a_window_leaves_out_is_not_drawn() -> None:
    found = road(
        product(
            phases=[
                phase(state="done", start=at(-90), end=at(-50)),
                phase(start=at(-50)),
                phase(state="ahead", expected_start=at(60), expected_end=at(70)),
                phase(),
            ],
            milestones=[goal(expected=at(-80)), goal("b")],
        )
    )
    (row,) = lay_out(found, start=at(-20), end=at(20)).rows
    assert [(bar.x, bar.width, bar.open) for bar in row.bars] == [(0, 1200, True)]
    assert row.dots == ()


def test_ghosts_show_what_a_slip_costs() -> None:
    found = road(
        product(
            phases=[
                phase(state="done", start=at(-90), end=at(-50), planned_end=at(-60), slip=10),
                phase(state="done", start=at(-90), end=at(-50), planned_end=at(-40), slip=-10),
                phase(start=at(-50), planned_end=at(50), slip=10),
                phase(start=at(-50), expected_end=at(50), slip=10),
                phase(start=at(-50), planned_end=at(49.99), expected_end=at(50), slip=1),
            ]
        )
    )
    (row,) = lay_out(found).rows
    assert len(row.ghosts) == 1
    assert row.ghosts[0].width > 50


def test_arrows_lead_from_what_is_waited_for_to_what_waits() -> None:
    motor = product(
        "motor",
        gates=[gate(expected=at(30))],
        milestones=[goal("came", state="met", actual=at(-5))],
    )
    kettle = product(
        milestones=[
            goal("a", expected=at(30), due=at(10), waits_for="motor/launch"),
            goal("b", expected=at(9), due=at(9), waits_for="motor/came"),
            goal("c", waits_for="motor/came"),
            goal("d", expected=at(9), waits_for="gone/x"),
            goal("e", expected=at(9), waits_for="motor/none"),
        ]
    )
    late, kept = lay_out(road(kettle, motor)).arrows
    assert (late.late, kept.late) == (True, False)
    assert late.ends == ("motor", "kettle")
    assert late.text == "kettle/a waits for motor/launch"
    assert late.y1 == COMFORTABLE.row + COMFORTABLE.bar_top + COMFORTABLE.bar / 2
    assert kept.y1 == COMFORTABLE.row + COMFORTABLE.dot
    assert late.y2 == COMFORTABLE.dot
    assert lay_out(road(kettle, motor), start=at(40), end=at(60)).arrows == ()


def test_the_same_roadmap_is_laid_out_the_same_way() -> None:
    assert lay_out(portfolio(30), group_by="policy") == lay_out(portfolio(30), group_by="policy")


# -- text -----------------------------------------------------------------------------------------


def plain(found: Roadmap, **more: Any) -> list[str]:
    more.setdefault("columns", 80)
    return ["".join(piece.text for piece in line) for line in lines(found, **more)]


def test_a_terminal_of_80_columns_holds_it() -> None:
    drawn = plain(portfolio(40), names=24, group_by="status")
    assert max(map(len, drawn)) <= 80
    assert drawn[0].startswith("PRODUCT")
    assert drawn[1].strip() == "▼"
    assert any(line.startswith("on-hold (") for line in drawn)
    assert any("✗" in line and "killed" in line for line in drawn)
    assert any("◈" in line for line in drawn)
    assert any(line.endswith(" d") for line in drawn)


def test_long_keys_are_cut_for_a_terminal_only() -> None:
    long = road(product("k" * 40, milestones=[goal(state="missed", expected=at(0))]))
    assert plain(long, names=10)[2].startswith("kkkkkkkkk…  ")
    assert plain(long)[2].startswith("k" * 40)
    assert "!" in plain(long)[2]


def test_what_a_window_leaves_out_is_not_written() -> None:
    found = road(
        product(
            phases=[phase(state="done", start=at(-90), end=at(-50)), phase()],
            milestones=[goal(state="missed", expected=at(-80))],
            gates=[gate(actual=at(-50)), gate()],
        )
    )
    assert plain(found, start=at(-10), end=at(10))[2].split() == ["kettle", "│"]


# -- Mermaid --------------------------------------------------------------------------------------


def test_mermaid_says_what_the_chart_shows() -> None:
    found = road(
        product(
            phases=[
                phase(state="done", start=at(-90), end=at(-50)),
                phase(start=at(-50), expected_end=at(10), slip=3),
                phase(state="ahead", expected_start=at(10)),
                phase(),
            ],
            gates=[
                gate(state="decided", outcome="go", actual=at(-50), slip=2),
                gate(expected=at(10), slip=3),
                gate(),
            ],
            milestones=[
                goal(state="met", actual=at(-60)),
                goal(expected=at(9), at_risk=True),
                goal(),
            ],
        )
    )
    assert mermaid(found, start=at(-100), end=at(20)).splitlines() == [
        "gantt",
        "    title Roadmap as of 2027-06-15",
        "    dateFormat YYYY-MM-DD",
        "    axisFormat %Y-%m",
        "    section Kettle",
        "    Phase Build :done, 2027-03-17, 40d",
        "    Phase Build :active, crit, 2027-04-26, 60d",
        "    Phase Build :2027-06-25, 10d",
        "    Gate Launch (Go) :milestone, done, 2027-04-26, 0d",
        "    Gate Launch :milestone, crit, 2027-06-25, 0d",
        "    Milestone Done :milestone, done, 2027-04-16, 0d",
        "    Milestone Done :milestone, crit, 2027-06-24, 0d",
    ]


@given(st.text(max_size=200))
def test_no_name_is_mermaid_syntax(name: str) -> None:
    found = safe(name)
    assert len(found) <= 80
    assert not set(':;#,%<>"\\\n\r\t') & set(found)
    assert found.isprintable()


def test_a_name_of_nothing_is_its_key() -> None:
    blank = product().model_copy(update={"name": "\u200b \x00"})
    assert "    section kettle" in mermaid(road(blank))
    assert safe("x" * 90) == "x" * 79 + "…"


# -- width ----------------------------------------------------------------------------------------


@given(st.text(max_size=60), st.floats(0, 400), st.sampled_from([9.5, 12.0]))
def test_what_fits_is_no_wider_than_its_room(text: str, pixels: float, size: float) -> None:
    assert width_of(fit(text, pixels, size), size) <= pixels + 0.01


def test_texts_are_cut_where_they_do_not_fit() -> None:
    assert fit("Development", 200, 12) == "Development"
    assert fit("Development", 60, 12) == "Develop…"
    assert fit("Development", 8, 12) == ""
    assert width_of("漢字", 10) > width_of("ab", 10)
    assert width_of("e\u0301", 10) == width_of("e", 10)
    assert width_of("m", 10) > width_of("i", 10)
    assert day(None) == ""
