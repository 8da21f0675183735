"""The clocks of a round: when they act, when they stand still, and that no time is lost."""

from __future__ import annotations

from datetime import datetime

import pytest
from committee import (
    DAY,
    HOUR,
    ONE,
    START,
    TWO,
    again,
    cast,
    convened,
    opened,
    sitting,
    turn_clocks,
)

from phasegate.clockwork import Clockwork, Extension
from phasegate.gate import Clocks, Requirement, TimeoutAction
from phasegate.gate_view import gate_view
from phasegate.ports import Timetable
from phasegate.review import Round
from phasegate.span import Span
from phasegate.standing_in import Delegation
from phasegate.votes import Outcome


def on(day: float) -> datetime:
    return START + day * DAY


def live(
    state: Round, until: datetime, now: datetime = START
) -> list[tuple[float, dict[str, list[str]]]]:
    """Let the clocks act up to an instant; on which days they told whom what."""
    seen = []
    while (wake := state.next_wake(now)) is not None and wake <= until:
        assert wake >= now
        now = wake
        seen.append(((now - START) / DAY, turn_clocks(state, now)))
        if state.clocks.again:
            again(state)
    return seen


def test_the_clocks_of_a_silent_round_one_after_the_other() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    assert live(state, on(30)) == [
        (4, {"reminded": ["ann"]}),
        (5, {"late": ["ann"]}),
        (7, {"escalated": ["ann"]}),
        (10, {"undecided": ["ann"]}),
        (20, {"undecided": ["ann"]}),
        (30, {"undecided": ["ann"]}),
    ]
    assert (state.clocks.escalations, state.outcome) == (3, None)


def test_only_who_has_not_answered_is_reminded_and_late_and_passed_over() -> None:
    state = sitting(TWO, {"eng": ("ann", "bob", "cyd")}, found={"lag": {"cyd": 2 * DAY}})
    cast(state, "ann", "abstain")
    assert live(state, on(9)) == [
        (4, {"reminded": ["bob"]}),
        (5, {"late": ["bob"]}),
        (6, {"reminded": ["cyd"]}),
        (7, {"late": ["cyd"], "escalated": ["bob"]}),
        (9, {"escalated": ["cyd"]}),
    ]


def test_a_worker_that_slept_long_does_everything_once() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    told = turn_clocks(state, on(25))
    assert told == {"late": ["ann"], "escalated": ["ann"], "undecided": ["ann"]}
    again(state)
    assert state.next_wake(on(25)) == on(35)


def test_everybody_has_voted_and_only_the_end_is_waited_for() -> None:
    state = sitting(TWO, {"eng": ("ann", "bob")})
    state.open_conditions.append("g0-1-1")
    cast(state, "ann", "go")
    cast(state, "bob", "go")
    assert [day for day, _ in live(state, on(10))] == [5, 10]
    assert state.clocks.escalations == 1


def test_a_step_is_late_when_the_last_who_sits_there_was_due_and_the_gate_wakes_then() -> None:
    """Cyd's week is longer, and cyd has voted; bob stays silent."""
    veto = [Requirement(group="eng", need=2, veto=True)]
    state = sitting(veto, {"eng": ("ann", "bob", "cyd")}, found={"lag": {"cyd": 1.5 * DAY}})
    cast(state, "ann", "recycle")
    cast(state, "cyd", "go")
    live(state, on(6.4))
    assert state.outcome is None
    assert state.next_wake(on(6.4)) == on(6.5)
    live(state, on(6.5))
    assert (state.outcome, state.decided_at) == (Outcome.recycle, on(6.5))


def test_a_deadline_that_passed_unseen_is_due_at_once() -> None:
    """Say that a signal came with the timer, and was looked at first."""
    state = sitting(ONE, {"eng": ("ann",)}, clocks=Clocks(on_timeout=TimeoutAction.hold))
    assert state.next_wake(on(11)) == on(11)


def test_delegations_that_begin_or_end_wake_the_gate() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    state.mandates.give(Delegation(approver="ann", to="dan", start=on(1), end=on(2)))
    assert [day for day, _ in live(state, on(4))] == [1, 2, 4]


# -- standing still -------------------------------------------------------------------------------


def test_on_hold_no_deadline_passes_and_what_was_left_is_left_afterwards() -> None:
    """What is shown on day 100 is what was true when it was held."""
    state = sitting(
        [Requirement(group="eng", veto=True)],
        {"eng": ("ann", "bob")},
        clocks=Clocks(on_timeout=TimeoutAction.kill),
    )
    cast(state, "ann", "recycle")
    held, much_later = on(2), on(100)
    state.pause(held)
    state.pause(held + DAY)
    assert state.paused_at == held
    assert state.settle(much_later).outcome is None
    assert "deadline" not in gate_view(state, "w", much_later).why
    assert state.next_wake(much_later) is None
    assert state.clocks.at(much_later) == held
    state.resume(much_later)
    assert state.clocks.at(much_later + DAY) == held, "also while it is planned anew"
    assert state.next_wake(much_later) is None
    again(state)
    assert state.next_wake(much_later) == much_later + 2 * DAY
    assert state.settle(much_later + 3 * DAY).outcome is Outcome.recycle


def test_a_round_is_opened_once_and_before_whatever_it_was_told_already() -> None:
    clocks = Clockwork()
    clocks.ask_again("directory", "keep", on(1), actor="max")
    clocks.open(START)
    clocks.open(on(2))
    assert [(w.why, w.actor, w.order.kind, w.order.since) for w in clocks.again] == [
        ("opened", "", "start", START),
        ("directory", "max", "keep", on(1)),
    ]


def test_held_twice_while_the_directory_does_not_answer_loses_no_day() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    state.clocks.ask_again("directory", "keep", on(1))
    for first, last in ((1, 3), (4, 9)):
        state.pause(on(first))
        state.resume(on(last))
    assert [w.why for w in state.clocks.again] == ["directory", "resumed"]
    assert state.clocks.at(on(50)) == on(1)
    again(state)
    assert state.clocks.timetable
    assert state.clocks.timetable.resolve == on(18), "nine days were left on day one"


def test_a_hold_before_the_round_is_convened_is_given_back() -> None:
    state = opened(ONE)
    state.pause(on(1))
    state.resume(on(3))
    state.convene(convened(state, {"eng": ("ann",)}))
    assert not state.clocks.running
    again(state)
    assert state.clocks.timetable
    assert state.clocks.timetable.resolve == on(12)


def test_who_was_late_before_a_hold_is_late_after_it() -> None:
    state = sitting(ONE, {"eng": ("ann",)}, found={"deputies": {"ann": "dan"}})
    live(state, on(5))
    state.pause(on(6))
    state.resume(on(16))
    again(state)
    assert state.stand_ins("ann", on(16)) == ("dan",)
    assert [day for day, _ in live(state, on(20), on(16))] == [17, 20]
    assert state.clocks.late == ["ann"], "told once"


def test_new_evidence_gives_the_late_their_days_again() -> None:
    state = sitting(ONE, {"eng": ("ann",)}, found={"deputies": {"ann": "dan"}})
    live(state, on(7))
    assert state.stand_ins("ann", on(7)) == ("dan",)
    state.clocks.ask_again("facts", "respond", on(7))
    again(state)
    assert (state.clocks.late, state.clocks.escalated) == ([], [])
    assert state.stand_ins("ann", on(7)) == ()
    assert state.clocks.timetable
    assert state.clocks.timetable.resolve == on(10)


def test_of_two_changes_in_a_row_the_days_count_from_the_later_one() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    for day in (0, 1, 3):
        state.clocks.ask_again("facts", "respond", on(day))
    assert [w.order.since for w in state.clocks.again] == [on(0), on(3)]
    assert state.clocks.unsure


# -- escalating, extending ------------------------------------------------------------------------


def test_an_escalation_starts_the_resolve_clock_again_roughly_and_then_exactly() -> None:
    state = sitting(ONE, {"eng": ("ann",)}, clocks=Clocks(resolve=Span.parse("2 months")))
    state.escalate(START)
    assert state.clocks.timetable
    assert (state.clocks.timetable.resolve - START).days == 60
    state.convene(convened(state, {"eng": ("ann", "zoe")}))
    table = state.clocks.timetable
    assert table.resolve == on(10)
    assert set(table.respond) == {"ann", "zoe"}, "whoever joined meanwhile has days, too"


def test_more_time_moves_the_answers_and_with_them_the_managers() -> None:
    state = sitting(ONE, {"eng": ("ann",)}, found={"managers": {"ann": ("max",)}})
    live(state, on(8))
    assert state.stand_ins("ann", on(8)) == ("max",)
    table = state.clocks.extend(Extension(resolve=on(30), respond=on(20)))
    assert (table.respond, table.escalate) == ({"ann": on(20)}, {"ann": on(22)})
    assert state.stand_ins("ann", on(21)) == ()
    assert [(d, t) for d, t in live(state, on(30)) if d > 8 and t] == [
        (19, {"reminded": ["ann"]}),
        (20, {"late": ["ann"]}),
        (22, {"escalated": ["ann"]}),
        (30, {"undecided": ["ann"]}),
    ]


def test_more_time_makes_nothing_earlier() -> None:
    state = sitting(ONE, {"eng": ("ann", "bob")}, found={"lag": {"bob": 2 * DAY}})
    table = state.clocks.extend(Extension(resolve=on(1), respond=on(6)))
    assert table.resolve == on(10)
    assert table.respond == {"ann": on(6), "bob": on(7)}
    assert table.remind == {"ann": [on(5)], "bob": [on(6)]}


def test_reminders_of_early_histories_are_of_everybody() -> None:
    table = Timetable.model_validate({"resolve": on(9), "remind": [on(4)]})
    clocks = Clockwork(timetable=table)
    assert clocks.next_wake(["ann"], []) == on(4)
    assert clocks.due_reminder(["ann", "bob"], on(4)) == ["ann", "bob"]
    assert clocks.due_reminder(["ann", "bob"], on(5)) == []


@pytest.mark.parametrize("kind", ["keep", "respond", "start"])
def test_time_given_while_the_directory_is_asked_is_not_lost_by_its_answer(kind: str) -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    state.clocks.ask_again("directory", kind, on(1))  # type: ignore[arg-type]
    answer = convened(state, {"eng": ("ann", "bob")})
    state.clocks.extend(Extension(resolve=on(40), respond=on(20)))
    state.clocks.extend(Extension(resolve=on(30)))
    state.convene(answer)
    table = state.clocks.timetable
    assert table
    assert table.resolve == on(40)
    assert table.respond == {"ann": on(20), "bob": on(20)}


def test_time_given_is_not_taken_back_by_new_evidence() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    state.clocks.extend(Extension(resolve=on(40), respond=on(30)))
    state.clocks.ask_again("facts", "respond", on(2))
    state.convene(convened(state, {"eng": ("ann", "bob")}))
    table = state.clocks.timetable
    assert table
    assert (table.resolve, table.respond) == (on(40), {"ann": on(30), "bob": on(30)})


def test_a_person_without_a_seat_in_the_timetable_is_never_late() -> None:
    """Advisers and attesters have days of their own, or none."""
    clocks = Clockwork()
    assert not clocks.is_late("ann", START)
    assert clocks.manager_levels("ann", START) == 0
    assert (clocks.due_reminder(["ann"], START), clocks.newly_escalated(["ann"], START)) == ([], [])
    assert clocks.next_wake(["ann"], [START + HOUR]) is None
    state = sitting(ONE, {"eng": ("ann",)})
    assert state.clocks.respond_due(["zed"]) == on(10)


def test_clocks_that_nothing_stopped_do_not_go_on_again() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    state.clocks.go_on(on(1))
    assert state.clocks.again == []


def test_advisers_get_more_time_and_nobody_acts_for_them() -> None:
    """They have a day to answer by, and no escalation."""
    state = sitting(ONE, {"eng": ("ann",), "qa": ("kim",)}, reviewers=("qa",))
    assert state.clocks.timetable
    del state.clocks.timetable.escalate["kim"]
    table = state.clocks.extend(Extension(resolve=on(30), respond=on(20)))
    assert (table.respond["kim"], table.escalate) == (on(20), {"ann": on(22)})


def test_what_is_asked_for_another_reason_waits_in_line() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    for why, kind in (("facts", "respond"), ("directory", "keep"), ("facts", "respond")):
        state.clocks.ask_again(why, kind, on(1))  # type: ignore[arg-type]
    assert [w.why for w in state.clocks.again] == ["facts", "directory", "facts"]
    state.clocks.ask_again("facts", "respond", on(2))
    assert [w.order.since for w in state.clocks.again] == [on(1), on(1), on(2)]


def test_a_round_is_between_times_while_it_stands_still_and_until_it_is_convened_again() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    assert not state.clocks.between_times
    state.pause(on(1))
    assert state.clocks.between_times
    state.resume(on(40))
    assert state.clocks.between_times, "it has not looked yet who may vote by now"
    again(state)
    assert not state.clocks.between_times
