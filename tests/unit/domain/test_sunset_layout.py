"""A sunset laid out: days, what waits for what, plans within the plan, and what moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate.adjusting import Adjustments
from phasegate.errors import Rejected
from phasegate.span import Span
from phasegate.sunset import SunsetPlan
from phasegate.sunset_days import is_today
from phasegate.sunset_layout import Layout, lay_out
from phasegate.sunset_rules import problems, require_sound

NOW = datetime(2026, 11, 25, 16, tzinfo=UTC)
GATE = {"title": "Off", "question": "Off?", "requires": [{"group": "sre", "need": 1}]}


def task(task_id: str, kind: str = "manual", **fields: Any) -> dict[str, Any]:
    return {"id": task_id, "kind": kind, "title": task_id.capitalize(), **fields}


def gate(task_id: str, **fields: Any) -> dict[str, Any]:
    return task(task_id, "gate", gate={"id": task_id, **GATE}, **fields)


def plan(*tasks: dict[str, Any], **fields: Any) -> SunsetPlan:
    return SunsetPlan.model_validate({"tasks": tasks, **fields})


def adjust(**fields: Any) -> Adjustments:
    return Adjustments.model_validate(fields)


def laid(the_plan: SunsetPlan, adjustments: Adjustments | None = None, **fields: Any) -> Layout:
    fields = {"maturity": "ga", "now": NOW} | fields
    return lay_out(the_plan, adjustments or Adjustments(), **fields)


def codes(the_plan: SunsetPlan, adjustments: Adjustments | None = None, **fields: Any) -> list[str]:
    adjustments = adjustments or Adjustments()
    fields = {"maturity": "ga", "now": NOW} | fields
    layout = lay_out(the_plan, adjustments, **fields)
    fields.pop("notice", None)
    found = problems(layout, the_plan, adjustments, **fields)
    places = {(field, p.task.id) for p in layout.tasks for field in ("dates", "skip")}
    for flaw in found:
        assert flaw.path in places | {("notice",)}, "where it stands in the owner's plan"
        assert (flaw.path[0] == "skip") is (flaw.code == "not-skippable")
        assert " cannot be " in flaw.what
        assert bool(flaw.hint) or flaw.code != "date-in-the-past"
    return [flaw.code for flaw in found]


def refused(the_plan: SunsetPlan, adjustments: Adjustments | None = None) -> Rejected:
    with pytest.raises(Rejected) as caught:
        laid(the_plan, adjustments)
    return caught.value


def days(layout: Layout) -> dict[str, str]:
    return {p.task.id: f"{p.at:%Y-%m-%d}" for p in layout.tasks}


def needs(layout: Layout) -> dict[str, list[str]]:
    return {p.task.id: p.needs for p in layout.tasks}


YEAR = plan(
    task("briefing", at="-30 days"),
    task("notice", "notice"),
    gate("readiness", at="5 months"),
    task("end-of-sales", "date", at="6 months", marks="end-of-sales"),
    task("read-only", at="-30 days", relative_to="end-of-life"),
    task("end-of-life", "date", at="12 months", marks="end-of-life"),
    gate("decommission", at="12 months", point_of_no_return=True),
    task("shutdown", effect="irreversible"),
    task("delete", at="30 days", relative_to="end-of-life", effect="deletion", after=["shutdown"]),
    task("farewell", "notice", at="15 months", due="7 days"),
)


EOL = task("eol", "date", at="12 months", marks="end-of-life")
CENTURIES = adjust(contracts_until="9999-12-31")


# -- days -----------------------------------------------------------------------------------------


def test_the_notice_is_as_early_as_leaves_nothing_in_the_past() -> None:
    layout = laid(YEAR)
    assert layout.notice_at == NOW + timedelta(days=30)
    assert layout.tasks[0].at == NOW
    assert codes(YEAR) == []


def test_days_count_from_the_notice_or_from_a_date() -> None:
    assert days(laid(YEAR, adjust(notice="2027-01-31"))) == {
        "briefing": "2027-01-01",
        "notice": "2027-01-31",
        "readiness": "2027-06-30",
        "end-of-sales": "2027-07-31",
        "read-only": "2028-01-01",
        "end-of-life": "2028-01-31",
        "decommission": "2028-01-31",
        "shutdown": "2028-01-31",
        "delete": "2028-03-01",
        "farewell": "2028-04-30",
    }


def test_a_plain_date_of_the_notice_is_its_beginning_and_of_a_public_date_its_end() -> None:
    layout = laid(
        YEAR,
        adjust(
            notice="2027-02-01",
            dates={"end-of-sales": "2027-09-30", "readiness": "2027-09-01"},
        ),
    )
    at = {p.task.id: p.at for p in layout.tasks}
    assert layout.notice_at == datetime(2027, 2, 1, tzinfo=UTC)
    assert at["end-of-sales"] == datetime(2027, 9, 30, 23, 59, 59, tzinfo=UTC)
    assert at["readiness"] == datetime(2027, 9, 1, tzinfo=UTC)


def test_a_day_that_the_owner_gives_does_not_push_the_notice() -> None:
    dated = plan(
        task("d", "date"),
        task("before", at="-10 days", relative_to="d"),
        task("brief", at="-5 days"),
    )
    layout = laid(dated, adjust(dates={"d": "2027-06-01"}))
    assert layout.notice_at == NOW + timedelta(days=5)
    assert days(layout)["before"] == "2027-05-22"


def test_what_is_to_be_done_today_is_not_past() -> None:
    assert codes(plan(task("a")), adjust(dates={"a": "2026-11-25"})) == []
    assert codes(plan(task("a")), adjust(dates={"a": "2026-11-24"})) == ["date-in-the-past"]
    assert codes(plan(task("a")), adjust(dates={"a": "2026-11-25T15:00:00Z"})) == [
        "date-in-the-past"
    ]


def test_texts_within_a_plan_keep_what_is_not_text() -> None:
    nested = plan(
        task(
            "r",
            "plan",
            each=["eu"],
            due="3 days",
            tasks=[
                task(
                    "call",
                    "custom",
                    name="end-asset",
                    options={"ids": ["{each}-1", 7, None], "deep": {"{each}": True}},
                ),
                task("own", due="1 day", tasks=[task("x", title="{each}")], kind="plan"),
            ],
        )
    )
    call, inner = (placed.task for placed in laid(nested).tasks)
    assert call.kind == "custom"
    assert call.options == {"ids": ["eu-1", 7, None], "deep": {"{each}": True}}
    assert (call.due, inner.due) == (Span.parse("3 days"), Span.parse("1 day"))
    assert (inner.id, inner.title) == ("r--eu--own--x", "eu")


def test_a_notice_of_today_is_given_now() -> None:
    today = adjust(notice="2026-11-25", skip={"briefing": "everybody knows"})
    assert laid(YEAR, today).notice_at == NOW
    assert codes(YEAR, today) == []


def test_a_span_moves_a_day_from_where_the_policy_counts_it() -> None:
    layout = laid(YEAR, adjust(notice="2027-01-31", dates={"read-only": "-60 days"}))
    assert days(layout)["read-only"] == "2027-12-02"


def test_a_task_has_no_earlier_day_than_what_it_waits_for() -> None:
    steps = plan(task("a", at="20 days"), task("b", after=["a"], due="3 days"))
    b = laid(steps, adjust(notice="2027-01-01")).tasks[1]
    assert b.at == datetime(2027, 1, 21, tzinfo=UTC)
    assert b.overdue_at == datetime(2027, 1, 24, tzinfo=UTC)
    assert laid(steps).point_of_no_return is None


# -- what waits for what --------------------------------------------------------------------------


def test_gates_are_where_everything_above_comes_together() -> None:
    assert needs(laid(YEAR)) == {
        "briefing": [],
        "notice": [],
        "readiness": ["briefing", "notice"],
        "end-of-sales": ["readiness"],
        "read-only": ["readiness"],
        "end-of-life": ["readiness"],
        "decommission": ["readiness", "end-of-sales", "read-only", "end-of-life"],
        "shutdown": ["decommission"],
        "delete": ["decommission", "shutdown"],
        "farewell": ["decommission"],
    }


def test_what_waits_for_a_task_left_out_waits_for_what_that_one_waited_for() -> None:
    chain = plan(task("a"), task("b", after=["a"]), task("c", after=["b"]), task("d", after=["c"]))
    layout = laid(chain, adjust(skip={"b": "not needed", "c": "nor this"}))
    assert needs(layout)["d"] == ["a"]
    assert [p.skipped for p in layout.tasks] == ["", "not needed", "nor this", ""]


def test_a_circle_is_spelt_out() -> None:
    error = refused(plan(task("a", after=["c"]), task("b", after=["a"]), task("c", after=["b"])))
    assert error.code == "cycle"
    assert "a waits for c waits for b waits for a" in error.why


def test_a_task_cannot_wait_for_what_is_below_the_gate_that_waits_for_it() -> None:
    error = refused(plan(task("a", after=["b"]), gate("off"), task("b")))
    assert error.code == "cycle"
    assert "a waits for b waits for off waits for a" in error.why


def test_dates_that_count_from_each_other_are_refused() -> None:
    error = refused(
        plan(task("a", "date", relative_to="b"), task("b", "date", relative_to="a")),
        adjust(dates={"a": "2028-01-01"}),
    )
    assert error.code == "cycle"
    assert "a counts from b counts from a" in error.why


@pytest.mark.parametrize(
    ("code", "why", "tasks"),
    [
        (
            "unknown-task",
            "did you mean shutdown?",
            [task("a", after=["shutdwn"]), task("shutdown")],
        ),
        ("unknown-task", "no date of that name", [task("a", relative_to="b")]),
        ("not-a-date", "kind manual", [task("a", relative_to="b"), task("b")]),
        ("given-twice", "first as sunset.tasks.0", [task("a"), task("a")]),
        ("given-twice", "`each`", [task("a", "plan", each=["x", "x"], tasks=[task("b")])]),
        (
            "given-twice",
            "first as sunset.tasks.0",
            [task("a", "plan", tasks=[task("b")]), task("a--b")],
        ),
        (
            "given-twice",
            "first as sunset.tasks.0",
            [task("a", "plan", tasks=[task("b")]), task("a")],
        ),
        ("unfit-task", "63", [task("a" * 60, "plan", tasks=[task("bcdef")])]),
        (
            "unfit-task",
            "at most 200 char",
            [
                task(
                    "p",
                    "plan",
                    each=["a" * 50],
                    tasks=[task("m", "mail", subject="{each}" * 10, text="T")],
                )
            ],
        ),
        (
            "given-twice",
            "first as sunset.tasks.0",
            [task("p", "plan", tasks=[task("x")]), task("p", "plan", tasks=[task("y")])],
        ),
    ],
)
def test_what_cannot_be_laid_out_says_why(code: str, why: str, tasks: list[Any]) -> None:
    error = refused(plan(*tasks))
    assert error.code == code
    assert why in error.why
    assert error.hint


def test_adjustments_name_tasks_that_there_are() -> None:
    error = refused(YEAR, adjust(dates={"end-of-sale": "1 month"}, skip={"nothing": "gone"}))
    assert error.code == "unknown-task"
    assert "did you mean end-of-sales?" in error.why
    assert "nothing cannot be left out" in error.why


def test_a_day_beyond_the_calendar_is_refused() -> None:
    assert refused(YEAR, adjust(notice="9999-06-01")).code == "too-far"
    assert refused(YEAR, adjust(contracts_until="9999-12-31")).code == "too-far"
    assert refused(plan(EOL, task("after", at="15 months")), CENTURIES).code == "too-far"


# -- plans within the plan ------------------------------------------------------------------------

REGIONS = plan(
    task("prepare"),
    task(
        "regions",
        "plan",
        each=["eu", "us"],
        at="10 days",
        after=["prepare"],
        by="sre",
        tasks=[
            task("drain", title="Drain {each}"),
            task("stop", "http", at="5 days", after=["drain"], url="https://ops.test/{each}/stop"),
            task("checks", "plan", tasks=[task("look", by="security", after=["stop", "prepare"])]),
        ],
    ),
    task("report", after=["regions"]),
    task("party", after=["regions--eu"]),
)


def test_a_plan_within_the_plan_is_taken_apart() -> None:
    layout = laid(REGIONS, adjust(notice="2027-01-01"))
    assert needs(layout) == {
        "prepare": [],
        "regions--eu--drain": ["prepare"],
        "regions--eu--stop": ["regions--eu--drain", "prepare"],
        "regions--eu--checks--look": ["regions--eu--stop", "prepare"],
        "regions--us--drain": ["prepare"],
        "regions--us--stop": ["regions--us--drain", "prepare"],
        "regions--us--checks--look": ["regions--us--stop", "prepare"],
        "report": [
            *(
                f"regions--{each}--{inner}"
                for each in ("eu", "us")
                for inner in ("drain", "stop", "checks--look")
            )
        ],
        "party": ["regions--eu--drain", "regions--eu--stop", "regions--eu--checks--look"],
    }
    stop = layout.placed("regions--us--stop")
    assert stop is not None
    assert stop.at == datetime(2027, 1, 16, tzinfo=UTC)
    assert stop.task.kind == "http"
    assert stop.task.url == "https://ops.test/us/stop"
    assert stop.task.by == "sre"
    drain, look = layout.tasks[1].task, layout.tasks[3].task
    assert (drain.title, look.by) == ("Drain eu", "security")


def test_a_plan_within_the_plan_is_moved_and_left_out_as_a_whole() -> None:
    layout = laid(
        REGIONS,
        adjust(notice="2027-01-01", dates={"regions": "20 days"}, skip={"regions--us": "?"}),
    )
    assert days(layout)["regions--eu--stop"] == "2027-01-26"
    assert [p.task.id for p in layout.tasks if p.skipped] == [
        "regions--us--drain",
        "regions--us--stop",
        "regions--us--checks--look",
    ]
    assert "regions--us--drain" not in needs(layout)["report"]


def test_dates_within_a_plan_are_those_of_their_copy() -> None:
    layout = laid(
        plan(
            task(
                "r",
                "plan",
                each=["eu", "us"],
                tasks=[
                    task("closed", "date", at="10 days"),
                    task("wiped", at="1 day", relative_to="closed"),
                ],
            )
        ),
        adjust(notice="2027-01-01", dates={"r--us--closed": "20 days"}),
    )
    assert days(layout)["r--eu--wiped"] == "2027-01-12"
    assert days(layout)["r--us--wiped"] == "2027-01-22"


def test_a_name_may_be_as_long_as_any() -> None:
    layout = laid(plan(task("a" * 60, "plan", tasks=[task("b")])))
    assert [len(placed.task.id) for placed in layout.tasks] == [63]


def test_a_gate_is_no_part_of_a_plan_within_the_plan() -> None:
    with pytest.raises(ValueError, match="list it beside"):
        plan(task("p", "plan", tasks=[gate("g")]))


def test_a_sunset_has_a_bound() -> None:
    many = [task("p", "plan", each=[f"x{i}" for i in range(501)], tasks=[task("t")])]
    assert refused(plan(*many)).code == "too-many-tasks"
    most = [task("p", "plan", each=[f"x{i}" for i in range(500)], tasks=[task("t")])]
    assert len(laid(plan(*most)).tasks) == 500
    inner = [task("t")]
    for depth in range(7):
        inner = [task(f"p{depth}", "plan", each=[f"x{i}" for i in range(100)], tasks=inner)]
    flaw = refused(plan(*inner))
    assert (flaw.code, flaw.why[:22]) == ("too-many-tasks", "it has 100000000000000"), "at once"


# -- what a product adds --------------------------------------------------------------------------


def test_added_work_comes_where_its_day_is() -> None:
    layout = laid(
        YEAR,
        adjust(
            add=[
                task("early", at="1 month"),
                task("of-that-day", at="5 months"),
                task("late", at="14 months"),
                task("after-all", after=["of-late"]),
                task("of-late", at="1 day", after=["farewell"]),
                task("once-passed", after=["readiness"]),
            ]
        ),
    )
    order = [p.task.id for p in layout.tasks]
    assert order == [
        "briefing",
        "notice",
        "early",
        "of-that-day",
        "readiness",
        "end-of-sales",
        "read-only",
        "end-of-life",
        "once-passed",
        "decommission",
        "shutdown",
        "delete",
        "farewell",
        "late",
        "after-all",
        "of-late",
    ]
    assert "of-that-day" in needs(layout)["readiness"]


@pytest.mark.parametrize(
    ("added", "why"),
    [
        (task("a", effect="deletion"), "cannot be undone"),
        (task("a", undo={"kind": "http", "url": "https://x.test/"}), "undone by a call"),
        (task("a", "http", url="https://x.test/"), "kind"),
        (task("a", "date", marks="end-of-life"), "which date does, policies say"),
    ],
)
def test_added_work_is_for_people(added: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        adjust(add=[added])


# -- moving the end of life -----------------------------------------------------------------------


def test_end_of_life_waits_for_contracts_and_takes_along_what_comes_after() -> None:
    before = days(laid(YEAR, adjust(notice="2027-01-31")))
    layout = laid(YEAR, adjust(notice="2027-01-31", contracts_until="2028-04-30"))
    after = days(layout)
    changed = {name: day for name, day in after.items() if before[name] != day}
    assert changed == {
        "read-only": "2028-03-31",
        "end-of-life": "2028-04-30",
        "decommission": "2028-04-30",
        "shutdown": "2028-04-30",
        "delete": "2028-05-30",
        "farewell": "2028-07-29",
    }
    assert layout.moved == [
        "end-of-life is on 2028-04-30 instead of 2028-01-31, since a contract runs until then; "
        "what counts from it, or comes after it, moved along"
    ]


def test_the_contracts_of_customers_count_too() -> None:
    until = datetime(2028, 6, 30, tzinfo=UTC)
    adjustments = adjust(notice="2027-01-31", contracts_until="2028-04-30")
    assert laid(YEAR, adjustments, contracts_until=until).marked("end-of-life").at == until  # type: ignore[union-attr]


def test_the_notice_that_maturity_asks_for_moves_the_end_of_life() -> None:
    short = plan(task("eol", "date", at="6 months", marks="end-of-life"))
    ends = {
        maturity: days(laid(short, adjust(notice="2027-01-31"), maturity=maturity))["eol"]
        for maturity in ("ga", "beta", "alpha")
    }
    assert ends == {"ga": "2028-01-31", "beta": "2027-10-31", "alpha": "2027-07-31"}


def test_a_policy_that_gives_one_notice_leaves_the_others_as_they_are() -> None:
    own = plan(
        task("eol", "date", at="6 months", marks="end-of-life"), minimum_notice={"ga": "1 day"}
    )
    assert days(laid(own, adjust(notice="2027-01-31")))["eol"] == "2027-07-31"
    assert days(laid(own, adjust(notice="2027-01-31"), maturity="beta"))["eol"] == "2027-10-31"


def test_what_the_owner_dates_stays_when_the_end_of_life_moves() -> None:
    layout = laid(
        YEAR,
        adjust(notice="2027-01-31", contracts_until="2028-04-30", dates={"farewell": "2028-12-24"}),
    )
    assert days(layout)["farewell"] == "2028-12-24"


def test_an_end_of_life_that_the_owner_dates_takes_along_what_comes_after() -> None:
    layout = laid(YEAR, adjust(notice="2027-01-31", dates={"end-of-life": "2028-04-30"}))
    assert days(layout)["decommission"] == "2028-04-30"
    assert days(layout)["farewell"] == "2028-07-29"
    assert "its owner gives the day" in layout.moved[0]
    assert codes(YEAR, adjust(notice="2027-01-31", dates={"end-of-life": "2028-04-30"})) == []


def test_nothing_is_said_to_move_along_where_nothing_does() -> None:
    alone = plan(task("brief"), EOL)
    (said,) = laid(alone, adjust(notice="2027-01-31", contracts_until="2028-04-30")).moved
    assert said.endswith("since a contract runs until then")


def test_what_is_on_the_day_of_the_end_of_life_is_not_before_it_when_months_are_short() -> None:
    months = plan(
        EOL,
        task("d", "date", at="14 months"),
        task("f", at="-2 months", relative_to="d"),
    )
    before = days(laid(months, adjust(notice="2027-01-31")))
    assert before["f"] == before["eol"] == "2028-01-31"
    until = adjust(notice="2027-01-31", contracts_until="2028-03-02T00:00:00Z")
    assert days(laid(months, until)) == {
        "eol": "2028-03-02",
        "d": "2028-05-01",
        "f": "2028-03-02",
    }


# -- rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "adjustments"),
    [
        ("date-in-the-past", adjust(notice="2026-11-24")),
        ("date-in-the-past", adjust(notice="2026-12-01")),
        ("date-in-the-past", adjust(dates={"farewell": "2026-11-24"})),
        ("notice-too-short", adjust(notice="2027-01-31", dates={"end-of-life": "2028-01-30"})),
        ("notice-too-short", adjust(dates={"end-of-life": "11 months"})),
        (
            "contract-cut-short",
            adjust(
                notice="2027-01-31",
                contracts_until="2028-03-01",
                dates={"end-of-life": "2028-02-29"},
            ),
        ),
        ("sale-after-end-of-life", adjust(dates={"end-of-sales": "13 months"})),
        ("not-skippable", adjust(skip={"readiness": "no time"})),
        ("not-skippable", adjust(skip={"end-of-life": "no end"})),
        (
            "irreversible-too-early",
            adjust(
                notice="2027-01-31",
                dates={
                    "end-of-life": "2028-06-30",
                    "decommission": "2028-01-31",
                    "shutdown": "2028-02-01",
                },
            ),
        ),
        ("day-too-early", adjust(dates={"readiness": "7 months"})),
    ],
)
def test_a_rule_that_is_broken_has_its_code(code: str, adjustments: Adjustments) -> None:
    assert code in codes(YEAR, adjustments)
    layout = laid(YEAR, adjustments)
    with pytest.raises(Rejected) as caught:
        require_sound(layout, YEAR, adjustments, maturity="ga", now=NOW, product="popover")
    assert caught.value.hint.startswith("phasegate sunset plan popover")


def test_the_last_contract_counts() -> None:
    adjustments = adjust(
        notice="2027-01-31", contracts_until="2028-05-31", dates={"end-of-life": "2028-05-30"}
    )
    customers = datetime(2028, 3, 31, tzinfo=UTC)
    layout = laid(YEAR, adjustments, contracts_until=customers)
    (flaw,) = problems(layout, YEAR, adjustments, maturity="ga", now=NOW, contracts_until=customers)
    assert (flaw.code, flaw.why) == ("contract-cut-short", "a contract runs until 2028-05-31")


def test_what_cannot_be_undone_needs_a_point_of_no_return_above_it() -> None:
    lone = plan(task("wipe", effect="deletion"), gate("off", point_of_no_return=True))
    assert codes(lone) == ["no-point-of-no-return"]
    assert codes(lone, adjust(skip={"wipe": "nothing is stored"})) == []


def test_all_that_is_wrong_is_said_at_once() -> None:
    adjustments = adjust(notice="2026-11-01", skip={"readiness": "no time"})
    layout = laid(YEAR, adjustments)
    with pytest.raises(Rejected) as caught:
        require_sound(layout, YEAR, adjustments, maturity="ga", now=NOW)
    assert caught.value.code == "date-in-the-past"
    assert "also: readiness cannot be left out" in caught.value.why


# -- dates of which the public was told -----------------------------------------------------------

TOLD = adjust(notice="2027-01-31")


def later(adjustments: Adjustments, at: str, told: Adjustments = TOLD) -> list[str]:
    """Broken rules where a sunset that runs is planned anew."""
    now = datetime.fromisoformat(at)
    public = laid(YEAR, told)
    layout = laid(YEAR, adjustments, now=now, before=public)
    assert layout.notice_at == public.notice_at
    flaws = problems(layout, YEAR, adjustments, maturity="ga", now=now, before=public)
    return [flaw.code for flaw in flaws]


def test_a_sunset_that_runs_is_planned_anew() -> None:
    assert later(TOLD, "2027-05-01T00:00Z") == []
    postponed = adjust(dates={"end-of-sales": "2027-10-01", "end-of-life": "2028-12-31"})
    assert later(postponed, "2027-05-01T00:00Z") == []
    assert later(adjust(dates={"end-of-sales": "2027-07-30"}), "2027-05-01T00:00Z") == [
        "public-date-moved-earlier"
    ]
    assert later(adjust(dates={"end-of-sales": "2027-09-30"}), "2027-08-01T00:00Z") == [
        "public-date-reached"
    ]
    moved = adjust(dates={"end-of-sales": "2027-08-30"})
    assert later(moved, "2027-07-31T00:00Z") == ["public-date-reached"], "reached this moment"
    assert later(TOLD, "2027-01-31T00:00Z") == [], "told this moment"
    again = adjust(notice="2027-06-30")
    assert later(again, "2027-05-01T00:00Z") == ["public-date-reached"], "the notice was given"
    assert later(adjust(notice="2027-01-15"), "2027-05-01T00:00Z") == [], "it could not be kept"
    assert later(adjust(add=[task("more", at="1 day")]), "2027-05-01T00:00Z") == [
        "date-in-the-past"
    ]


def test_end_of_life_stays_where_the_public_was_told_though_contracts_end_earlier() -> None:
    told = adjust(notice="2027-01-31", contracts_until="2028-04-30")
    assert later(TOLD, "2027-05-01T00:00Z", told) == []
    public = laid(YEAR, told)
    layout = laid(YEAR, TOLD, now=datetime(2027, 5, 1, tzinfo=UTC), before=public)
    assert layout.marked("end-of-life") == public.marked("end-of-life")


def test_a_public_date_cannot_be_taken_away() -> None:
    told = adjust(notice="2027-01-31", add=[task("last-order", "date", at="3 months")])
    assert later(TOLD, "2027-02-01T00:00Z", told) == ["not-skippable"]


def test_a_date_that_was_left_out_was_told_to_nobody() -> None:
    told = adjust(
        notice="2027-01-31",
        add=[task("last-order", "date", at="3 months")],
        skip={"last-order": "nobody orders"},
    )
    assert later(TOLD, "2027-02-01T00:00Z", told) == []


def test_work_for_people_may_be_moved_to_an_earlier_day() -> None:
    told = adjust(notice="2027-01-31", dates={"farewell": "2028-12-24"})
    sooner = adjust(notice="2027-01-31", dates={"farewell": "2028-12-01"})
    assert later(sooner, "2027-02-01T00:00Z", told) == []


def test_before_its_notice_a_sunset_may_be_planned_anew_in_every_way() -> None:
    sooner = adjust(notice="2027-01-15")
    public = laid(YEAR, TOLD)
    layout = laid(YEAR, sooner, before=public)
    assert layout.notice_at == datetime(2027, 1, 15, tzinfo=UTC)
    assert problems(layout, YEAR, sooner, maturity="ga", now=NOW, before=public) == []


# -- properties -----------------------------------------------------------------------------------

SPANS = st.one_of(
    st.integers(-400, 800).map(lambda days: f"{days} days"),
    st.integers(-12, 24).map(lambda months: f"{months} months"),
)
NOWS = st.integers(0, 20 * 365 * 24).map(
    lambda h: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=h)
)


@st.composite
def plans(draw: st.DrawFn) -> SunsetPlan:
    """Plans of every shape that can be laid out: dates, gates and tasks in any order of days."""
    tasks: list[dict[str, Any]] = [task("eol", "date", at=draw(SPANS), marks="end-of-life")]
    dates = ["eol"]
    for i in range(draw(st.integers(1, 8))):
        name = f"t{i}"
        kind = draw(st.sampled_from(["manual", "date", "wait", "gate"]))
        fields: dict[str, Any] = {"at": draw(SPANS)}
        if draw(st.booleans()):
            fields["relative_to"] = draw(st.sampled_from(dates))
        if draw(st.booleans()):
            fields["after"] = [draw(st.sampled_from([t["id"] for t in tasks]))]
        tasks.append(gate(name, **fields) if kind == "gate" else task(name, kind, **fields))
        dates += [name] if kind == "date" else []
    return plan(*tasks)


@given(plans(), NOWS)
def test_the_earliest_notice_leaves_nothing_in_the_past(
    the_plan: SunsetPlan, now: datetime
) -> None:
    layout = laid(the_plan, now=now)
    assert min([layout.notice_at, *(p.at for p in layout.tasks)]) >= now


@given(st.lists(SPANS, min_size=1, max_size=5), NOWS)
def test_no_notice_is_earlier(spans: list[str], now: datetime) -> None:
    alone = plan(*(task(f"t{i}", at=span) for i, span in enumerate(spans)))
    notice = laid(alone, now=now).notice_at
    # Days of one length: a month back from the 29th, the 30th and the 31st can be one day.
    earlier = laid(alone, now=now, notice=notice - timedelta(days=4))
    assert min([earlier.notice_at, *(p.at for p in earlier.tasks)]) < now


@given(plans(), NOWS)
def test_nothing_but_a_public_date_is_before_what_it_waits_for(
    the_plan: SunsetPlan, now: datetime
) -> None:
    layout = laid(the_plan, now=now)
    at = {p.task.id: p.at for p in layout.tasks}
    order = [p.task.id for p in layout.tasks]
    for placed in layout.tasks:
        assert placed.task.id not in placed.needs
        if placed.task.kind != "date":
            assert all(at[need] <= placed.at for need in placed.needs)
    assert order == [t.id for t in the_plan.tasks]


@given(plans(), NOWS)
def test_a_layout_is_the_same_again_and_on_the_wire(the_plan: SunsetPlan, now: datetime) -> None:
    layout = laid(the_plan, now=now)
    again = laid(the_plan, now=now, notice=layout.notice_at)
    assert again == layout
    assert Layout.model_validate_json(layout.model_dump_json()) == layout
    assert laid(the_plan, now=now + timedelta(days=1), before=layout).notice_at >= layout.notice_at


@given(plans(), NOWS, st.integers(0, 2000))
def test_what_comes_after_the_end_of_life_does_so_wherever_it_moves(
    the_plan: SunsetPlan, now: datetime, more: int
) -> None:
    free = the_plan.model_copy(update={"minimum_notice": {"ga": Span()}})
    before = laid(free, now=now)
    end = before.marked("end-of-life")
    assert end is not None
    until = end.at + timedelta(days=more)
    after = laid(free, now=now, notice=before.notice_at, contracts_until=until)
    moved = after.marked("end-of-life")
    assert moved is not None
    assert moved.at == max(until, before.notice_at)
    for old, new in zip(before.tasks, after.tasks, strict=True):
        assert new.at >= old.at or old.task.kind != "date" or old.at < end.at
        if old.at >= end.at:
            assert new.at >= moved.at or old.needs
    codes_after = {
        f.code
        for f in problems(after, free, Adjustments(), maturity="ga", now=now, contracts_until=until)
    }
    assert not codes_after & {"contract-cut-short", "notice-too-short"}


@given(NOWS, st.integers(0, 60))
def test_twelve_months_of_notice_are_twelve_months_of_the_calendar(
    now: datetime, ahead: int
) -> None:
    notice = now + timedelta(days=ahead)
    short = plan(task("eol", "date", marks="end-of-life"))
    layout = laid(short, now=now, notice=notice)
    assert layout.tasks[0].at == Span(months=12).after(notice)
    assert problems(layout, short, Adjustments(), maturity="ga", now=now) == []


def test_what_waits_for_a_task_that_is_left_out_waits_for_all_that_it_waited_for() -> None:
    the_plan = plan(
        task("copy"),
        task("tell"),
        task("move", after=["copy", "tell"]),
        task("wipe", after=["move", "copy"]),
        task("end", after=["copy", "move"]),
    )
    found = needs(laid(the_plan, adjust(skip={"move": "nothing is left to move"})))
    assert sorted(found["wipe"]) == sorted(found["end"]) == ["copy", "tell"]


def test_today_is_the_day_itself_and_no_instant_of_it() -> None:
    midnight = NOW.replace(hour=0)
    late = NOW.replace(minute=59, second=59, microsecond=999_999)
    assert is_today(midnight, late)
    assert not is_today(midnight + timedelta(hours=1), late)
    assert not is_today(midnight - timedelta(days=1), late)
