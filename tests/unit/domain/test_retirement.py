"""The way out of the market: what may begin when, what the clock tells, and the way back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate.errors import Forbidden, Rejected
from phasegate.events import Outbox
from phasegate.facts import ProductFacts
from phasegate.legal_hold import HOLDS_KEPT, LegalHold, apply_legal_hold
from phasegate.requests import (
    AbortRequest,
    ConfirmRequest,
    CustomersRequest,
    LegalHoldRequest,
    PlanSunsetRequest,
    Receipt,
    SubmitRequest,
)
from phasegate.retirement import HANDLED_KEPT, Retirement
from phasegate.retirement_desk import (
    check_abort,
    check_confirm,
    check_customers,
    check_hold,
    check_submit,
    confirm,
    groups_of,
    require_aborter,
    require_confirmer,
    require_hold_right,
    require_owner,
)
from phasegate.retirement_graph import (
    AT_ONCE,
    finished,
    frozen,
    letter_of,
    next_wake,
    ready,
    take_overdue,
    take_reminders,
)
from phasegate.retirement_page import sunset_page
from phasegate.retirement_plan import (
    NO_LONGER,
    begin,
    check_plan,
    follow_contracts,
    public_dates,
    replan,
)
from phasegate.retirement_tasks import TaskState, act_of
from phasegate.retirement_undo import (
    begin_abort,
    break_off,
    come_to_rest,
    not_undone,
    plan_undoing,
)
from phasegate.retirement_view import view_of
from phasegate.retirement_words import asked_of_people, waits_for
from phasegate.sunset import SunsetPlan
from phasegate.sunset_expand import MOST
from phasegate.sunset_ports import CustomersSummary, TaskProof

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def gate(id: str, **more: Any) -> dict[str, Any]:
    requires = [{"group": "ops"}]
    return {
        "id": id,
        "kind": "gate",
        "gate": {"id": id, "title": id.upper(), "requires": requires},
        **more,
    }


def manual(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "kind": "manual", **more}


def call(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "kind": "http", "url": f"https://x/{id}", **more}


def plan(*tasks: dict[str, Any], **more: Any) -> SunsetPlan:
    titled = [{"title": f"Task {task['id']}", **task} for task in tasks]
    return SunsetPlan.model_validate({"tasks": titled, **more})


def unplanned(*tasks: dict[str, Any], **more: Any) -> Retirement:
    return Retirement(
        product=ProductFacts(
            key="kettle",
            name="Kettle",
            owner="olga",
            tier=1,
            policy="standard",
            policy_digest="sha256:0",
            directory="default",
            definition={"team": ["tim"]},
        ),
        reports_to="product/kettle",
        token="t",
        outbox=Outbox(source="product/kettle/sunset/abc", product="kettle"),
        plan=plan(*tasks, **more),
        members={"ops": ("oli",), "legal": ("lea",)},
    )


def sunset(*tasks: dict[str, Any], now: datetime = NOW, **more: Any) -> Retirement:
    state = unplanned(*tasks, **more)
    begin(state, now)
    assert not state.needs_plan
    return state


def finish(state: Retirement, *ids: str, now: datetime = NOW) -> None:
    for id in ids:
        state.done(state.record(id), TaskProof(text="done"), now)


def turns(state: Retirement, now: datetime = NOW) -> list[str]:
    return [record.task.id for record in ready(state, now)]


def code(check: Any) -> str:
    with pytest.raises((Rejected, Forbidden)) as refused:
        check()
    assert refused.value.hint.startswith("phasegate "), "a command that can be run"
    return refused.value.code


# -- the graph ------------------------------------------------------------------------------------


def test_what_needs_nothing_begins_side_by_side_and_a_gate_is_where_it_comes_together() -> None:
    state = sunset(
        manual("a"), manual("b", after=["a"]), manual("c"), gate("g"), manual("d", after=["c"])
    )
    assert turns(state) == ["a", "c"]
    finish(state, "a", "c")
    assert turns(state) == ["b"]
    finish(state, "b")
    assert turns(state) == ["g"]
    finish(state, "g")
    assert turns(state) == ["d"]
    assert not finished(state)
    finish(state, "d")
    assert finished(state)


def test_nothing_begins_before_its_day_nor_twice() -> None:
    state = sunset(manual("a", at="1 month"), manual("b"))
    (b,) = ready(state, NOW)
    b.state = TaskState.running
    assert turns(state) == []
    assert turns(state, datetime(2026, 12, 23, 9, tzinfo=UTC)) == ["a"]
    assert turns(state, datetime(2026, 12, 23, 8, 59, tzinfo=UTC)) == []


def test_acts_are_bounded_and_what_is_stuck_takes_no_place() -> None:
    state = sunset(*[call(f"t{n}") for n in range(AT_ONCE + 3)], manual("m"))
    first = ready(state, NOW)
    assert len(first) == AT_ONCE + 1, "people are not counted"
    for record in first:
        record.state = TaskState.running
    assert turns(state) == []
    state.record("t0").state = TaskState.stuck
    assert turns(state) == [f"t{AT_ONCE}"]


kinds = st.sampled_from(["manual", "wait", "http", "gate"])


@st.composite
def graphs(draw: st.DrawFn) -> Retirement:
    tasks: list[dict[str, Any]] = []
    for n in range(draw(st.integers(1, 8))):
        kind = draw(kinds)
        made = {"gate": gate, "http": call, "manual": manual}.get(kind)
        task: dict[str, Any] = made(f"t{n}") if made else {"id": f"t{n}", "kind": kind}
        since = max((i for i, t in enumerate(tasks) if t["kind"] == "gate"), default=-1) + 1
        free = [t["id"] for t in tasks[since:]]
        if kind != "gate" and free:
            task["after"] = draw(st.lists(st.sampled_from(free), max_size=2, unique=True))
        task["at"] = f"{draw(st.integers(0, 40))} days"
        tasks.append(task)
    return sunset(*tasks)


@given(graphs(), st.data())
def test_every_task_comes_once_after_what_it_needs_and_not_before_its_day(
    state: Retirement, data: st.DataObject
) -> None:
    now, begun = NOW, list[str]()
    order = [record.task.id for record in state.tasks]
    while not finished(state):
        for record in ready(state, now):
            done = {r.task.id for r in state.tasks if r.state.settled}
            assert record.at <= now
            assert done.issuperset(record.needs)
            above = order[: order.index(record.task.id)]
            if record.task.kind == "gate":
                assert done.issuperset(above), "a gate waits for all above it"
            gates = [id for id in above if state.record(id).task.kind == "gate"]
            assert done.issuperset(gates), "and all below it wait for the gate"
            record.state = TaskState.running
            begun.append(record.task.id)
        running = [r.task.id for r in state.tasks if r.state is TaskState.running]
        if running:
            finish(state, data.draw(st.sampled_from(running)), now=now)
        else:
            wake = next_wake(state, now)
            assert wake is not None, "something is left, and no day brings it"
            assert wake > now
            now = wake
    assert sorted(begun) == sorted(order)
    places = [state.record(id).place for id in order]
    assert sorted(places) == list(range(1, len(order) + 1))


# -- the clock ------------------------------------------------------------------------------------


def test_reminders_come_each_once_and_of_those_that_are_late_only_the_latest() -> None:
    reminds = ["60 days", "30 days", "7 days", "0 days"]
    state = sunset({"id": "eol", "kind": "date", "at": "40 days", "remind": reminds})
    end = NOW + 40 * DAY
    assert next_wake(state, NOW) == end - 30 * DAY, "at 60 days nobody knew of it yet"
    assert take_reminders(state, NOW) == []
    (first,) = take_reminders(state, end - 30 * DAY)
    assert (first.record.task.id, first.ahead.words) == ("eol", "30 days")
    assert letter_of(first).at == end
    assert take_reminders(state, end - 29 * DAY) == []
    (late,) = take_reminders(state, end)
    assert late.ahead.approximate == timedelta(0)
    assert take_reminders(state, end) == []


def test_a_date_that_is_moved_reminds_again() -> None:
    state = sunset({"id": "eol", "kind": "date", "at": "40 days", "remind": ["10 days"]})
    assert len(take_reminders(state, NOW + 30 * DAY)) == 1
    request = PlanSunsetRequest.model_validate(
        {"actor": "olga", "request_id": "r", "adjustments": {"dates": {"eol": "50 days"}}}
    )
    layout = check_plan(state, request, NOW + 31 * DAY)
    assert replan(state, request.adjustments, layout) == ["Task eol to 2027-01-12"]
    assert next_wake(state, NOW + 31 * DAY) == NOW + 40 * DAY
    assert len(take_reminders(state, NOW + 40 * DAY)) == 1


def test_a_day_that_has_come_wakes_nobody_while_what_it_waits_for_goes_on() -> None:
    state = sunset(manual("a"), manual("b", at="2 days", after=["a"]))
    state.record("a").state = TaskState.running
    assert next_wake(state, NOW) is None
    finish(state, "a")
    assert next_wake(state, NOW) == NOW + 2 * DAY


def test_a_deadline_is_told_once_and_not_of_what_is_done() -> None:
    state = sunset(manual("a", due="2 days"), manual("b", due="1 day"))
    finish(state, "b")
    assert next_wake(state, NOW) == NOW + 2 * DAY
    assert take_overdue(state, NOW + DAY) == []
    assert [r.task.id for r in take_overdue(state, NOW + 2 * DAY)] == ["a"]
    assert take_overdue(state, NOW + 3 * DAY) == []
    assert next_wake(state, NOW + 3 * DAY) is None


# -- the plan -------------------------------------------------------------------------------------


def asked(actor: str = "olga", **adjustments: Any) -> PlanSunsetRequest:
    return PlanSunsetRequest.model_validate(
        {"actor": actor, "request_id": "r", "adjustments": adjustments}
    )


def test_what_is_left_out_taken_up_again_added_and_dropped() -> None:
    state = sunset(manual("a"), manual("b"), manual("c", after=["b"]))
    cake = {"id": "cake", "kind": "manual", "title": "Cake"}
    first = asked(skip={"b": "not sold there"}, add=[cake])
    assert replan(state, first.adjustments, check_plan(state, first, NOW)) == [
        "Task b is left out: not sold there",
        "Cake is added, on 2026-11-23",
    ]
    assert turns(state) == ["a", "c", "cake"]
    view = view_of(state, "w")
    assert view
    assert [(t.id, t.state) for t in view.tasks][1] == ("b", "skipped")
    second = asked()
    said = replan(state, second.adjustments, check_plan(state, second, NOW))
    assert said == ["Task b is taken up again", "Cake is left"]
    assert (state.record("cake").state, state.record("cake").why) == (TaskState.skipped, NO_LONGER)
    assert turns(state) == ["a", "b"]


def test_what_has_begun_is_not_moved() -> None:
    state = sunset(manual("a"), manual("b", at="10 days"))
    state.record("a").state = TaskState.waiting
    assert code(lambda: check_plan(state, asked(skip={"a": "no"}), NOW)) == "task-begun"
    finish(state, "a")
    assert code(lambda: check_plan(state, asked(dates={"a": "5 days"}), NOW)) == "task-begun"
    later = asked(dates={"b": "20 days"})
    replan(state, later.adjustments, check_plan(state, later, NOW + 5 * DAY))
    assert state.record("a").at == NOW
    assert state.record("b").at == NOW + 20 * DAY
    state.aborting = None


def test_a_plan_is_refused_while_it_is_read_or_undone() -> None:
    state = sunset(manual("a"))
    begin_abort(state, AbortRequest(actor="olga", reason="no", request_id="r"), NOW)
    assert code(lambda: check_plan(state, asked(), NOW)) == "aborting"
    unread = unplanned(manual("a"))
    unread.plan = None
    assert code(lambda: check_plan(unread, asked(), NOW)) == "not-planned-yet"


def test_a_notice_that_is_past_is_given_as_early_as_can_be_and_that_is_said() -> None:
    state = unplanned(manual("a", at="-10 days"), {"id": "note", "kind": "notice"})
    state.adjustments = asked(notice=NOW - DAY).adjustments
    begin(state, NOW)
    assert state.notice_at == NOW + 10 * DAY
    assert state.moved[0].startswith("the public notice from 2026-11-22 to 2026-12-03: ")
    assert state.adjustments.notice is None
    assert not state.needs_plan


def test_a_date_of_the_owner_that_breaks_a_rule_waits_for_another_plan() -> None:
    state = unplanned(manual("a"), manual("b", at="1 day"))
    state.adjustments = asked(dates={"b": NOW - DAY}, notice=NOW + DAY).adjustments
    begin(state, NOW)
    assert "b cannot be on 2026-11-22" in state.needs_plan
    assert state.status == "waiting-for-plan"
    assert state.adjustments.notice == NOW + DAY, "what was asked for is kept"
    assert waits_for(state).startswith("olga to plan it anew: b cannot be on")
    assert "phasegate sunset plan kettle FILE --as olga" in asked_of_people(state)
    view = view_of(state, "w")
    assert view
    assert "phasegate sunset plan kettle FILE" in sunset_page(view, "Kettle")
    better = asked(dates={"b": NOW + 2 * DAY})
    replan(state, better.adjustments, check_plan(state, better, NOW))
    assert state.status == "sunsetting"
    assert turns(state) == ["a"]


def test_a_policy_that_has_no_layout_waits_too_and_does_not_fail() -> None:
    state = unplanned(manual("a", after=["b"]), manual("b", after=["a"]))
    begin(state, NOW)
    assert state.status == "waiting-for-plan"
    assert view_of(state, "w") is None
    assert not finished(state), "it has no tasks, and is not at its end"
    assert next_wake(state, NOW) is None


def test_nobody_is_reminded_of_dates_while_another_plan_is_waited_for() -> None:
    state = unplanned(
        manual("a", due="1 day"),
        {"id": "eol", "kind": "date", "at": "13 months", "remind": ["90 days"]},
    )
    state.adjustments = asked(dates={"a": NOW - DAY}).adjustments
    begin(state, NOW)
    assert state.needs_plan
    assert state.record("eol").at > NOW, "to be seen"
    later = NOW + 380 * DAY
    assert (take_reminders(state, later), take_overdue(state, later)) == ([], [])
    assert next_wake(state, NOW) is None
    assert not finished(state)


def test_what_is_under_way_is_not_left_out_by_the_name_of_its_plan() -> None:
    copies = {"id": "copies", "kind": "plan", "tasks": [{"title": "C", **manual("c")}]}
    state = sunset(copies, manual("z", after=["copies"]))
    state.record("copies--c").state = TaskState.waiting
    assert code(lambda: check_plan(state, asked(skip={"copies": "no"}), NOW)) == "task-begun"


def test_tasks_that_come_and_go_do_not_fill_the_state() -> None:
    state = sunset(manual("a"))
    for turn in range(8):
        cakes = [{"id": f"c{turn}-{n}", "kind": "manual", "title": "C"} for n in range(90)]
        request = asked(add=cakes)
        replan(state, request.adjustments, check_plan(state, request, NOW))
    assert len(state.tasks) == MOST
    assert {f"c7-{n}" for n in range(90)} < {record.task.id for record in state.tasks}
    finish(state, *(r.task.id for r in state.tasks if r.task.id != "a"))
    assert code(lambda: check_plan(state, asked(add=[{**cakes[0], "id": "new"}]), NOW)) == (
        "too-many-tasks"
    )


def test_a_deadline_that_is_moved_is_told_again_and_the_notice_is_moved_while_it_is_ahead() -> None:
    state = sunset(manual("a", due="1 day"), {"id": "note", "kind": "notice"})
    begun = sunset(manual("a", at="-10 days", due="1 day"), {"id": "note", "kind": "notice"})
    assert take_overdue(begun, NOW + 2 * DAY)
    begun.record("a").state = TaskState.waiting
    later = asked(notice=NOW + 30 * DAY)
    said = replan(begun, later.adjustments, check_plan(begun, later, NOW + 2 * DAY))
    assert said == ["the public notice to 2026-12-23", "Task note to 2026-12-23"]
    assert begun.record("a").overdue_told, "what has begun keeps its deadline"
    ahead = asked(dates={"a": NOW + 9 * DAY})
    assert take_overdue(state, NOW + 2 * DAY)
    replan(state, ahead.adjustments, check_plan(state, ahead, NOW + 2 * DAY))
    assert not state.record("a").overdue_told
    assert [r.task.id for r in take_overdue(state, NOW + 10 * DAY)] == ["a"]


def test_what_is_done_and_not_planned_any_more_stays_in_the_record() -> None:
    state = sunset(manual("a"))
    cake = {"id": "cake", "kind": "manual", "title": "Cake"}
    first = asked(add=[cake])
    replan(state, first.adjustments, check_plan(state, first, NOW))
    finish(state, "cake")
    without = asked()
    replan(state, without.adjustments, check_plan(state, without, NOW))
    assert state.record("cake").state is TaskState.done
    again = asked(dates={"a": NOW + DAY})
    replan(state, again.adjustments, check_plan(state, again, NOW))
    assert [r.task.id for r in state.tasks] == ["a", "cake"]


def test_contracts_of_customers_move_the_end_that_only_the_policy_gives() -> None:
    state = unplanned({"id": "eol", "kind": "date", "at": "13 months", "marks": "end-of-life"})
    until = NOW + 600 * DAY
    state.customers = CustomersSummary(total=1, open=1, contracts_until=until)
    begin(state, NOW)
    assert state.record("eol").at >= until
    assert state.moved
    assert public_dates(state) == {"end-of-life": state.record("eol").at.isoformat()}
    assert state.values()["end_of_life"] == f"{state.record('eol').at:%Y-%m-%d}"
    assert state.values() | {"product": "kettle", "name": "Kettle"} == state.values()


def test_a_contract_that_becomes_known_on_the_way_moves_the_end_or_tells_the_owner() -> None:
    eol = {"id": "eol", "kind": "date", "at": "13 months", "marks": "end-of-life"}
    state, until = sunset(eol), NOW + 600 * DAY
    assert follow_contracts(state, NOW) == ([], "")
    state.customers = CustomersSummary(total=1, open=1, contracts_until=until)
    moved, problem = follow_contracts(state, NOW + DAY)
    assert moved == [f"Task eol to {state.record('eol').at:%Y-%m-%d}"]
    assert not problem
    assert state.record("eol").at >= until
    assert follow_contracts(state, NOW + DAY) == ([], "")
    owners = sunset(eol)
    given = asked(dates={"eol": NOW + 500 * DAY})
    replan(owners, given.adjustments, check_plan(owners, given, NOW))
    owners.customers = state.customers
    moved, problem = follow_contracts(owners, NOW + DAY)
    assert moved == []
    assert "a contract runs until" in problem
    assert owners.record("eol").at == NOW + 500 * DAY


# -- legal holds ----------------------------------------------------------------------------------


def hold(matter: str = "smith", **more: Any) -> LegalHoldRequest:
    return LegalHoldRequest(
        actor="lea", request_id="r", matter=matter, reason="a court asks", **more
    )


def test_a_hold_freezes_what_deletes_until_the_last_is_lifted() -> None:
    state = sunset(
        gate("g", point_of_no_return=True), call("x", effect="deletion"), call("y"), manual("m")
    )
    for matter in ("smith", "jones"):
        state.legal_holds = apply_legal_hold(state.legal_holds, hold(matter), NOW)
    assert [frozen(state, r) for r in state.tasks] == [False, True, False, False]
    state.legal_holds = apply_legal_hold(state.legal_holds, hold("smith", lift=True), NOW)
    assert frozen(state, state.record("x"))
    state.legal_holds = apply_legal_hold(state.legal_holds, hold("jones", lift=True), NOW)
    assert not frozen(state, state.record("x"))


def test_no_hold_is_lifted_before_it_is_known_who_may() -> None:
    state = sunset(manual("a"), legal_hold_by="legal")
    state.legal_holds, state.plan = apply_legal_hold([], hold(), NOW), None
    assert code(lambda: check_hold(state, hold(lift=True))) == "not-planned-yet"


def test_holds_that_make_no_sense_and_who_may_place_them() -> None:
    state = sunset(manual("a"), legal_hold_by="legal")
    assert code(lambda: check_hold(state, hold(lift=True))) == "no-such-hold"
    state.legal_holds = apply_legal_hold([], hold(), NOW)
    assert code(lambda: check_hold(state, hold())) == "hold-placed"
    check_hold(state, hold(lift=True))
    require_hold_right(state, "lea")
    assert code(lambda: require_hold_right(state, "olga")) == "not-legal-holder"
    owners = sunset(manual("a"))
    require_hold_right(owners, "olga")
    assert code(lambda: require_hold_right(owners, "lea")) == "not-legal-holder"
    full = LegalHold(matter="m", reason="r", by="lea", at=NOW)
    state.legal_holds = [full.model_copy(update={"matter": f"m{n}"}) for n in range(HOLDS_KEPT)]
    assert code(lambda: check_hold(state, hold("more"))) == "too-many-holds"


# -- the way back ---------------------------------------------------------------------------------


def aborted(state: Retirement) -> Retirement:
    begin_abort(state, AbortRequest(actor="olga", reason="no", request_id="r"), NOW)
    return state


def test_what_was_done_is_undone_the_latest_first() -> None:
    undo = {"kind": "manual"}
    state = sunset(
        manual("a", undo=undo),
        {"id": "note", "kind": "notice"},
        call("b", undo={"kind": "http", "url": "https://x/b", "method": "DELETE"}),
        manual("stays"),
        manual("waits"),
        {"id": "d", "kind": "date"},
    )
    finish(state, "b", "stays", "a", "note", "d")
    state.record("waits").state = TaskState.waiting
    aborted(state)
    assert state.record("waits").state is TaskState.dropped
    assert come_to_rest(state)
    assert [(u.task, u.act.kind) for u in plan_undoing(state)] == [
        ("note", "notice"),
        ("a", "manual"),
        ("b", "http"),
    ]
    assert [record.task.id for record in not_undone(state)] == ["stays"]
    assert state.status == "aborting"


def test_what_is_tried_in_vain_is_dropped_and_undone_too() -> None:
    state = sunset(call("a", undo={"kind": "manual"}), call("b", undo={"kind": "manual"}))
    finish(state, "a")
    state.record("b").state = TaskState.stuck
    aborted(state)
    assert not come_to_rest(state)
    break_off(state, state.record("b"))
    assert come_to_rest(state)
    assert [u.task for u in plan_undoing(state)] == ["b", "a"]


@given(graphs(), st.data())
def test_undoing_is_the_doing_backwards(state: Retirement, data: st.DataObject) -> None:
    done: list[str] = []
    now = NOW + 400 * DAY
    for _ in range(data.draw(st.integers(0, 8))):
        begun = turns(state, now)
        if begun:
            done.append(data.draw(st.sampled_from(begun)))
            finish(state, done[-1])
    for record in state.tasks:
        if record.task.kind == "http":
            undo = {"kind": "manual"}
            record.task = type(record.task).model_validate(
                {**record.task.model_dump(), "undo": undo}
            )
    aborted(state)
    wanted = [id for id in reversed(done) if state.record(id).task.kind == "http"]
    assert [undoing.task for undoing in plan_undoing(state)] == wanted


def test_after_the_point_of_no_return_the_reason_is_given() -> None:
    state = sunset(gate("g", point_of_no_return=True), manual("a"))
    request = AbortRequest(actor="olga", reason="no", request_id="r")
    check_abort(state, request)
    customers = CustomersRequest(actor="olga", request_id="r")
    check_customers(state, customers)
    state.beyond_return = True
    with pytest.raises(Rejected, match="Task g has passed") as refused:
        check_abort(state, request)
    assert refused.value.code == "point-of-no-return"
    assert code(lambda: check_customers(state, customers)) == "point-of-no-return"


def test_who_may_abort() -> None:
    state = sunset(manual("a", by="ops"), abort_by="legal")
    require_aborter(state, "olga")
    require_aborter(state, "lea")
    assert code(lambda: require_aborter(state, "oli")) == "not-aborter"
    assert code(lambda: require_aborter(sunset(manual("a")), "lea")) == "not-aborter"
    assert groups_of(state) == ("legal", "ops")


# -- confirming -----------------------------------------------------------------------------------


def says(task: str, actor: str = "olga", **more: Any) -> ConfirmRequest:
    return ConfirmRequest.model_validate(
        {"actor": actor, "task": task, "note": "seen", "request_id": "r", **more}
    )


@pytest.fixture
def under_way() -> Retirement:
    return sunset(
        {"id": "note", "kind": "notice"},
        manual("copy", by="ops", at="1 month", proof=["digest", "count"]),
        manual("sign", at="2 months"),
        call("call", at="2 months", by="ops"),
        gate("g8", at="3 months"),
    )


@pytest.mark.parametrize(
    ("task", "wanted", "why"),
    [
        ("nothing", "unknown-task", "its sunset has no such task"),
        ("note", "not-manual", "it is done by phasegate (notice)"),
        ("g8", "not-manual", "it is done by phasegate (gate)"),
        ("copy", "not-waiting", "it is planned, planned for 2026-12-23 09:00 UTC"),
    ],
)
def test_what_cannot_be_confirmed(under_way: Retirement, task: str, wanted: str, why: str) -> None:
    with pytest.raises(Rejected) as refused:
        check_confirm(under_way, says(task))
    assert (refused.value.code, refused.value.why) == (wanted, why)
    assert refused.value.hint == "phasegate sunset show kettle"


def test_a_task_is_confirmed_with_its_proof_while_it_waits_and_not_again(
    under_way: Retirement,
) -> None:
    record = under_way.record("copy")
    record.state = TaskState.waiting
    with pytest.raises(Rejected, match="its proof needs count") as refused:
        check_confirm(under_way, says("copy", proof={"digest": "sha256:1"}))
    assert "--proof count=…" in refused.value.hint
    request = says("copy", "oli", proof={"digest": "sha256:1", "count": 3})
    assert check_confirm(under_way, request) == (record, record)
    assert code(lambda: check_confirm(under_way, says("copy", outcome="not-done"))) == "not-unknown"
    confirm(under_way, request, record, record)
    assert record.confirmation == TaskProof(
        text="oli: seen", digest="sha256:1", data={"digest": "sha256:1", "count": 3}, by="oli"
    )
    assert code(lambda: check_confirm(under_way, request)) == "not-waiting"


def test_what_nobody_knew_of_is_settled_once(under_way: Retirement) -> None:
    record = under_way.record("call")
    record.state = TaskState.unknown
    request = says("call", "oli", outcome="not-done")
    found, doing = check_confirm(under_way, request)
    assert "tried once more" in confirm(under_way, request, found, doing)
    assert record.verdict is not None
    assert (record.verdict.key, record.verdict.done, record.verdict.by) == (
        "product/kettle/sunset/1/call",
        False,
        "oli",
    )
    assert record.confirmation is None
    assert code(lambda: check_confirm(under_way, request)) == "not-waiting"


def test_what_is_stuck_may_be_done_by_hand(under_way: Retirement) -> None:
    record = under_way.record("call")
    record.state = TaskState.stuck
    assert code(lambda: check_confirm(under_way, says("call", outcome="not-done"))) == "not-unknown"
    request = says("call")
    confirm(under_way, request, *check_confirm(under_way, request))
    assert record.verdict is not None
    assert record.verdict.done
    assert record.confirmation is not None


def test_a_deletion_by_hand_is_not_confirmed_while_it_is_held() -> None:
    state = sunset(gate("g", point_of_no_return=True), manual("shred", effect="deletion"))
    state.legal_holds = apply_legal_hold([], hold(), NOW)
    for told in (TaskState.held, TaskState.waiting):
        state.record("shred").state = told
        with pytest.raises(Rejected, match="smith") as refused:
            check_confirm(state, says("shred"))
        assert refused.value.code == "legal-hold"


def test_what_undoes_a_task_is_confirmed_under_its_name() -> None:
    undo = {"kind": "manual"}
    state = sunset(manual("a", by="ops", proof=["digest"], undo=undo), manual("b", undo=undo))
    finish(state, "a", "b")
    assert state.next_due() is None
    aborted(state)
    state.undos = plan_undoing(state)
    _, undoing = state.undos
    state.record("a").state, undoing.state = TaskState.undoing, TaskState.waiting
    assert check_confirm(state, says("a")) == (state.record("a"), undoing)
    assert waits_for(state) == "ops to confirm the undoing of Task a"
    assert "phasegate sunset confirm kettle a" in asked_of_people(state)
    view = view_of(state, "w")
    assert view
    assert (view.tasks[0].undo_state, view.tasks[0].waits_for) == ("waiting", ["oli"])
    assert "phasegate sunset confirm kettle a" in sunset_page(view, "Kettle")


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
    assert under_way.answering(under_way.record("copy")) == ("olga",)
    assert code(lambda: require_confirmer(under_way, under_way.record("copy"), "oli")) == (
        "not-confirmer"
    )
    require_owner(under_way, "olga", "confirm copy of")


def submit(gate: str | None = None) -> SubmitRequest:
    return SubmitRequest(actor="olga", gate=gate, request_id="r")


def test_a_stopped_gate_is_submitted_by_its_owner(under_way: Retirement) -> None:
    under_way.record("copy").state = TaskState.waiting
    assert code(lambda: check_submit(under_way, submit())) == "no-gate"
    under_way.record("copy").confirmation = TaskProof(text="seen")
    assert asked_of_people(under_way) == "", "it is confirmed, and done in a moment"
    under_way.record("copy").confirmation = None
    under_way.record("g8").state, under_way.needs_submit = TaskState.waiting, True
    assert waits_for(under_way) == "ops to confirm Task copy; olga to submit g8 again"
    assert asked_of_people(under_way).startswith("ops to confirm Task copy: phasegate sunset conf")
    finish(under_way, "copy")
    assert asked_of_people(under_way) == (
        "olga to submit g8 again: phasegate gate submit kettle/g8 --as olga"
    )
    under_way.record("copy").state = TaskState.waiting
    assert check_submit(under_way, submit()) == check_submit(under_way, submit("g8")) == "g8"
    assert code(lambda: check_submit(under_way, submit("g7"))) == "other-gate"
    under_way.needs_submit = False
    under_way.sittings.begin("g8", "sunset", workflow_id="w", token="t")
    assert waits_for(under_way) == "ops to confirm Task copy; votes on g8"
    assert code(lambda: check_submit(under_way, submit())) == "gate-open"
    assert code(lambda: check_submit(aborted(under_way), submit())) == "aborting"


# -- what is seen ---------------------------------------------------------------------------------


def test_how_a_sunset_shows_itself() -> None:
    state = sunset(
        {"id": "note", "kind": "notice"},
        manual("copy", by="ops", at="1 month", due="2 days"),
        {"id": "eol", "kind": "date", "at": "13 months", "marks": "end-of-life"},
        gate("g", point_of_no_return=True, relative_to="eol"),
        call("x", effect="deletion", relative_to="eol"),
    )
    finish(state, "note")
    view = view_of(state, "product/kettle/sunset")
    assert view
    assert [(t.id, t.kind, t.state) for t in view.tasks][:2] == [
        ("note", "notice", "done"),
        ("copy", "manual", "planned"),
    ]
    assert (view.status, view.notice_at, view.number) == ("sunsetting", NOW, 1)
    assert view.dates == {"end-of-life": state.record("eol").at}
    by = {t.id: t for t in view.tasks}
    assert (by["g"].gate, by["g"].point_of_no_return, by["x"].effect) == ("g", True, "deletion")
    assert (by["copy"].by, by["copy"].overdue_at) == ("ops", datetime(2026, 12, 25, 9, tzinfo=UTC))
    assert (by["note"].undo, by["copy"].undo) == ("notice", ""), "a notice is at least withdrawn"
    assert view.waiting_for == "Task copy on 2026-12-23 09:00 UTC"
    assert "confirm" not in sunset_page(view, "Kettle")
    state.record("copy").state = TaskState.waiting
    waiting = view_of(state, "w")
    assert waiting
    page = sunset_page(waiting, "Kettle")
    assert "phasegate sunset confirm kettle copy --as WHO --note TEXT" in page
    assert "- **waiting**" in page
    unread = unplanned(manual("a"))
    assert view_of(unread, "w") is None
    assert waits_for(unread) == ""


def test_the_page_names_holds_customers_and_whoever_aborts() -> None:
    state = sunset(call("a", by="ops"), manual("b"))
    state.legal_holds = apply_legal_hold([], hold(), NOW)
    state.customers = CustomersSummary(total=4, open=1)
    state.record("a").state = TaskState.unknown
    assert state.customers_word == "planned"
    view = view_of(state, "w")
    assert view
    page = sunset_page(view, "Kettle")
    assert "smith: a court asks" in page
    assert "1 of 4 are open" in page
    assert "--not-done" in page
    assert "ops to find out whether Task a was done" in page
    assert asked_of_people(state).startswith("ops to find out about Task a: phasegate ")
    done = view_of(aborted(state), "w")
    assert done
    assert "Aborted by olga: no" in sunset_page(done, "Kettle")
    done.aborting, done.beyond_return = None, True
    assert "The point of no return is passed." in sunset_page(done, "Kettle")


def test_what_the_world_keeps_waiting_is_named_and_the_rest_counted() -> None:
    state = sunset(*[call(f"t{n}") for n in range(5)], manual("m", at="1 day"))
    for n, word in enumerate(("running", "stuck", "held", "running", "running")):
        state.record(f"t{n}").state = TaskState(word)
    state.record("t1").why = "it answered 503"
    state.legal_holds = apply_legal_hold([], hold(), NOW)
    assert waits_for(state) == (
        "Task t0; Task t1, which is stuck: it answered 503; "
        "the legal hold smith, before Task t2, and 2 more"
    )
    state.ended_at = NOW
    assert waits_for(state) == ""
    assert asked_of_people(state) == ""


def test_the_state_survives_being_saved_and_read_back() -> None:
    state = sunset(
        manual("briefing", at="-30 days"),
        {"id": "eol", "at": "6 months", "kind": "date", "remind": ["1 month", "P1D"]},
        gate("g8", at="7 months"),
        call("call", at="8 months"),
        {"id": "copy", "kind": "archive", "source": "{product}", "at": "9 months"},
    )
    state.letters = [letter_of(reminder) for reminder in take_reminders(state, NOW + 400 * DAY)]
    finish(state, "briefing")
    assert Retirement.model_validate_json(state.model_dump_json()) == state
    task = state.record("call").task
    assert task.kind == "http"
    assert act_of(task).model_dump(exclude_defaults=True) == {"url": "https://x/call"}
    assert state.key_of("call") == "product/kettle/sunset/1/call"


def test_a_sunset_hears_of_a_milestone_and_keeps_what_it_told_before() -> None:
    state = sunset(manual("a"))
    told = state.facts("down")
    state.hear_of_milestone("migrated", "met")
    assert state.facts("down").milestones["migrated"] == "met"
    assert "migrated" not in told.milestones
    assert told.milestones["customers-settled"] == "planned"
    state.customers = CustomersSummary()
    assert state.facts("down").milestones["customers-settled"] == "met"


def test_a_sunset_that_ended_takes_no_more_requests() -> None:
    state = sunset(manual("note"))
    state.require_alive()
    state.ended_at = NOW
    assert code(state.require_alive) == "sunset-ended"
    assert state.word == "retired"
    state.stopped = "aborted"
    assert state.word == "aborted"


def test_answers_are_remembered_for_retries_and_not_for_ever() -> None:
    state = sunset(manual("note"))
    for number in range(HANDLED_KEPT + 5):
        state.remember(f"olga/{number}", Receipt(workflow_id="w", text=f"{number}"))
    assert len(state.handled) == HANDLED_KEPT
    assert "olga/4" not in state.handled
    assert state.handled[f"olga/{HANDLED_KEPT + 4}"].text == f"{HANDLED_KEPT + 4}"
