"""The way out of the market: a timetable without surprises, and who may confirm what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from phasegate.errors import Forbidden, Rejected
from phasegate.events import Outbox
from phasegate.facts import ProductFacts
from phasegate.gate import Gate, Requirement
from phasegate.ports import TaskProof
from phasegate.requests import ConfirmRequest, Receipt, SubmitRequest
from phasegate.retirement import HANDLED_KEPT, Entry, Retirement, TaskState
from phasegate.retirement_desk import check_confirm, check_submit, require_confirmer, require_owner
from phasegate.retirement_page import sunset_page
from phasegate.span import Span
from phasegate.sunset import DateTask, SunsetPlan

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)
GATE = Gate(id="g8", title="Decommission", requires=(Requirement(group="ops"),))


def sunset(*tasks: dict[str, object], now: datetime = NOW, planned: bool = True) -> Retirement:
    state = Retirement(
        product=ProductFacts(
            key="kettle",
            name="Kettle",
            owner="olga",
            tier=1,
            policy="standard",
            policy_digest="sha256:0",
            directory="default",
        ),
        reports_to="product/kettle",
        token="t",
        outbox=Outbox(source="product/kettle/sunset", product="kettle"),
    )
    if planned:
        state.plan(plan(*tasks), now)
    return state


def plan(*tasks: dict[str, object]) -> SunsetPlan:
    titled = [{"title": f"Task {task['id']}", "kind": "notice", **task} for task in tasks]
    return SunsetPlan.model_validate({"tasks": titled})


days = st.integers(-900, 900).map(lambda n: Span(exact=n * DAY))
months = st.integers(-24, 24).map(lambda n: Span(months=n))
spans = days | months
ahead = st.lists(
    st.integers(0, 400).map(lambda n: Span(exact=n * DAY))
    | st.integers(0, 14).map(lambda n: Span(months=n)),
    max_size=4,
    unique=True,
)
instants = st.integers(-9000, 27_000).map(lambda days: NOW + days * DAY)


@st.composite
def plans(draw: st.DrawFn) -> SunsetPlan:
    tasks: list[dict[str, object]] = []
    for number in range(draw(st.integers(1, 6))):
        task: dict[str, object] = {"id": f"t{number}", "at": draw(spans), "kind": "notice"}
        if draw(st.booleans()):
            task |= {"kind": "date", "remind": tuple(draw(ahead))}
        tasks.append(task)
    return plan(*tasks)


@given(plans(), instants)
def test_every_task_comes_once_in_the_order_of_the_plan(it: SunsetPlan, now: datetime) -> None:
    state = sunset(planned=False)
    state.plan(it, now)
    turns = [entry for entry in state.timetable if entry.ahead is None]
    assert [entry.task for entry in turns] == [task.id for task in it.tasks]
    assert [entry.at for entry in turns] == [record.at for record in state.tasks]
    assert state.notice_at is not None
    for record in state.tasks:
        assert record.at == record.task.at.after(state.notice_at)
        assert record.state is TaskState.planned


@given(plans(), instants)
@example(plan({"id": "t", "at": "-1 month"}), datetime(2027, 3, 31, tzinfo=UTC))
@example(
    plan({"id": "a", "at": "-1 month"}, {"id": "b", "at": "-30 days"}),
    datetime(2027, 2, 1, tzinfo=UTC),
)
def test_nothing_is_dated_before_the_planning_and_the_notice_is_no_later_than_needed(
    it: SunsetPlan, now: datetime
) -> None:
    state = sunset(planned=False)
    state.plan(it, now)
    assert state.notice_at is not None
    assert state.notice_at >= now
    assert all(entry.at >= now for entry in state.timetable)
    first = min(record.at for record in state.tasks)
    assert state.notice_at == now or first < now + 4 * DAY, "the lead time is what is asked for"


@given(plans(), instants)
def test_reminders_come_before_their_dates_and_none_is_lost_or_doubled(
    it: SunsetPlan, now: datetime
) -> None:
    state = sunset(planned=False)
    state.plan(it, now)
    assert state.notice_at is not None
    position = {e.task: i for i, e in enumerate(state.timetable) if e.ahead is None}
    reminders = [(i, e) for i, e in enumerate(state.timetable) if e.ahead is not None]
    for index, entry in reminders:
        record = state.record(entry.task)
        assert entry.ahead is not None
        assert entry.at == entry.ahead.before(record.at) <= record.at
        assert index < position[entry.task]
    expected = sum(
        span.before(record.at) >= state.notice_at
        for record in state.tasks
        if isinstance(record.task, DateTask)
        for span in record.task.remind
    )
    assert len(reminders) == expected
    assert [e.at for _, e in reminders] == sorted(e.at for _, e in reminders)


@given(plans(), instants)
def test_a_plan_in_the_order_of_its_days_gives_a_timetable_sorted_by_time(
    it: SunsetPlan, now: datetime
) -> None:
    origin = max([now, *(task.at.before(now) for task in it.tasks)])
    ordered = sorted(it.tasks, key=lambda task: task.at.after(origin))
    state = sunset(planned=False)
    state.plan(SunsetPlan(tasks=tuple(ordered)), now)
    if [r.at for r in state.tasks] == sorted(r.at for r in state.tasks):
        assert [e.at for e in state.timetable] == sorted(e.at for e in state.timetable)


def test_the_default_timetable_on_a_real_calendar() -> None:
    state = sunset(
        {"id": "briefing", "at": "-30 days"},
        {"id": "notice"},
        {"id": "end-of-sales", "at": "6 months", "kind": "date", "remind": ["30 days", "0 days"]},
        {"id": "end-of-life", "at": "12 months", "kind": "date", "remind": ["400 days"]},
        now=datetime(2027, 7, 30, 12, tzinfo=UTC),
    )
    assert [(e.task, f"{e.at:%Y-%m-%d}", e.ahead and e.ahead.words) for e in state.timetable] == [
        ("briefing", "2027-07-30", None),
        ("notice", "2027-08-29", None),
        ("end-of-sales", "2028-01-30", "30 days"),
        ("end-of-sales", "2028-02-29", "0 seconds"),
        ("end-of-sales", "2028-02-29", None),
        ("end-of-life", "2028-08-29", None),
    ], "six months after 29 August is 29 February in a leap year; the past reminds nobody"


def test_a_plan_that_starts_with_the_notice_starts_now() -> None:
    state = sunset({"id": "notice"}, {"id": "eol", "at": "1 month"})
    assert (state.notice_at, state.next_due()) == (NOW, NOW)


def test_a_task_that_is_done_says_what_shows_it() -> None:
    state = sunset({"id": "notice"}, {"id": "eol", "at": "1 month"})
    state.done("notice", TaskProof(text="announced", digest="sha256:1"), NOW + DAY)
    record = state.record("notice")
    assert (record.state, record.done_at) == (TaskState.done, NOW + DAY)
    assert (record.why, record.digest) == ("announced", "sha256:1")
    assert state.next_due() == datetime(2026, 12, 23, 9, tzinfo=UTC)
    state.done("eol", TaskProof(text="reached"), NOW)
    assert state.next_due() is None
    with pytest.raises(KeyError, match="nothing"):
        state.record("nothing")


def test_how_a_sunset_shows_itself() -> None:
    state = sunset({"id": "notice"}, {"id": "copy", "at": "1 month", "kind": "manual"})
    state.done("notice", TaskProof(text="announced"), NOW)
    view = state.view("product/kettle/sunset")
    assert view
    assert [(t.id, t.kind, t.state, t.why) for t in view.tasks] == [
        ("notice", "notice", "done", "announced"),
        ("copy", "manual", "planned", ""),
    ]
    assert (view.status, view.notice_at) == ("sunsetting", NOW)
    assert "Confirm with" not in sunset_page(view, "Kettle")
    state.record("copy").state = TaskState.waiting
    waiting = state.view("w")
    assert waiting
    page = sunset_page(waiting, "Kettle")
    assert "phasegate sunset confirm kettle copy --as WHO --note TEXT" in page
    assert "- **waiting**" in page
    assert ": Task copy" in page
    assert sunset(planned=False).view("w") is None
    state.ended_at = NOW
    assert state.status == "retired"
    state.stopped = "cancelled"
    assert state.status == "cancelled"


def test_the_state_survives_being_saved_and_read_back() -> None:
    state = sunset(
        {"id": "briefing", "at": "-30 days"},
        {"id": "eol", "at": "6 months", "kind": "date", "remind": ["1 month", "P1D"]},
        {"id": "g8", "kind": "gate", "gate": GATE.model_dump(), "at": "7 months"},
        {"id": "call", "kind": "http", "url": "https://x/{product}", "at": "8 months"},
        {"id": "copy", "kind": "archive", "source": "{product}", "at": "9 months"},
    )
    assert Retirement.model_validate_json(state.model_dump_json()) == state
    assert Entry(at=NOW, task="x", ahead=Span(months=1)) == Entry.model_validate(
        {"at": NOW, "task": "x", "ahead": "1 month"}
    )


def test_a_sunset_hears_of_a_milestone_and_keeps_what_it_told_before() -> None:
    state = sunset(planned=False)
    told = state.facts("down")
    state.hear_of_milestone("migrated", "met")
    assert state.facts("down").milestones["migrated"] == "met"
    assert "migrated" not in told.milestones


def confirm(task: str, actor: str = "olga") -> ConfirmRequest:
    return ConfirmRequest(actor=actor, task=task, note="done", request_id="r")


def submit(gate: str | None = None) -> SubmitRequest:
    return SubmitRequest(actor="olga", gate=gate, request_id="r")


@pytest.fixture
def under_way() -> Retirement:
    state = sunset(
        {"id": "notice"},
        {"id": "copy", "kind": "manual", "by": "ops", "at": "1 month"},
        {"id": "sign", "kind": "manual", "at": "2 months"},
        {"id": "g8", "kind": "gate", "gate": GATE.model_dump(), "at": "3 months"},
    )
    state.members = {"ops": ("oli",)}
    return state


@pytest.mark.parametrize(
    ("task", "code", "why"),
    [
        ("nothing", "unknown-task", "its sunset has no such task"),
        ("notice", "not-manual", "it is done by phasegate (notice)"),
        ("g8", "not-manual", "it is done by phasegate (gate)"),
        ("copy", "not-waiting", "it is planned, planned for 2026-12-23 09:00 UTC"),
    ],
)
def test_what_cannot_be_confirmed(under_way: Retirement, task: str, code: str, why: str) -> None:
    with pytest.raises(Rejected) as refused:
        check_confirm(under_way, confirm(task))
    assert (refused.value.code, refused.value.why) == (code, why)
    assert refused.value.hint == "phasegate sunset show kettle"


def test_a_task_is_confirmed_while_it_waits_and_not_again(under_way: Retirement) -> None:
    record = under_way.record("copy")
    record.state = TaskState.waiting
    assert check_confirm(under_way, confirm("copy")) is record
    under_way.done("copy", TaskProof(text="done"), NOW)
    with pytest.raises(Rejected, match="it is done"):
        check_confirm(under_way, confirm("copy"))


@pytest.mark.parametrize(
    ("task", "who", "why"),
    [
        ("copy", "oli", None),
        ("copy", "olga", None),
        ("copy", "zed", "only olga and the members of ops may"),
        ("sign", "olga", None),
        ("sign", "oli", "only its owner, olga, may"),
    ],
)
def test_who_may_confirm(under_way: Retirement, task: str, who: str, why: str | None) -> None:
    record = under_way.record(task)
    if why is None:
        require_confirmer(under_way, record, who)
        return
    with pytest.raises(Forbidden) as refused:
        require_confirmer(under_way, record, who)
    assert refused.value.why == why
    assert refused.value.what == f"{who} may not confirm {task} of kettle"
    assert refused.value.hint.startswith("phasegate ")


def test_a_group_that_has_nobody_leaves_it_to_the_owner(under_way: Retirement) -> None:
    under_way.members = {}
    with pytest.raises(Forbidden):
        require_confirmer(under_way, under_way.record("copy"), "oli")
    require_owner(under_way, "olga", "confirm copy of")


def test_a_stopped_gate_is_submitted_by_its_owner(under_way: Retirement) -> None:
    with pytest.raises(Rejected, match="none of them waits for its owner"):
        check_submit(under_way, submit())
    under_way.record("copy").state = TaskState.waiting
    with pytest.raises(Rejected, match="none of them waits for its owner"):
        check_submit(under_way, submit())
    under_way.record("g8").state = TaskState.waiting
    assert check_submit(under_way, submit()) == check_submit(under_way, submit("g8")) == "g8"
    with pytest.raises(Rejected, match="the gate that waits is g8"):
        check_submit(under_way, submit("g7"))
    under_way.sittings.begin("g8", "sunset", workflow_id="w", token="t")
    with pytest.raises(Rejected, match="g8 is open already") as refused:
        check_submit(under_way, submit())
    assert refused.value.hint == "phasegate sunset show kettle"


def test_a_sunset_that_ended_takes_no_more_requests() -> None:
    state = sunset({"id": "note"})
    state.require_alive()
    state.ended_at = NOW
    with pytest.raises(Rejected) as refused:
        state.require_alive()
    assert (refused.value.code, refused.value.hint) == (
        "sunset-ended",
        "phasegate sunset show kettle",
    )
    assert state.word == "retired"


def test_answers_are_remembered_for_retries_and_not_for_ever() -> None:
    state = sunset({"id": "note"})
    for number in range(HANDLED_KEPT + 5):
        state.remember(f"olga/{number}", Receipt(workflow_id="w", text=f"{number}"))
    assert len(state.handled) == HANDLED_KEPT
    assert "olga/4" not in state.handled
    assert state.handled[f"olga/{HANDLED_KEPT + 4}"].text == f"{HANDLED_KEPT + 4}"
