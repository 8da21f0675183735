"""What the record says of one product: holds, resets, overrides, askings, conditions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tales import DAY, START, Tale, day

from phasegate.askings import Askings, instant_in
from phasegate.past_product import PastProduct
from phasegate.pauses import NOTHING, Pauses, net

LAUNCH = ("launch", 1)


def told(past: PastProduct) -> list[tuple[str, float, float | None]]:
    """The stays, in days after the start."""
    return [
        (s.phase, (s.since - START) / DAY, (s.until - START) / DAY if s.until else None)
        for s in past.stays
    ]


# -- pauses ---------------------------------------------------------------------------------------


def test_overlapping_pauses_count_once() -> None:
    hold, work = Pauses(), Pauses()
    hold.begin(day(2))
    hold.begin(day(3))
    assert hold.end(day(6)) == 4 * DAY
    assert hold.end(day(7)) == NOTHING
    work.begin(day(5))
    assert net(day(0), day(10), hold, work) == 2 * DAY
    assert net(day(3), day(4), hold) == NOTHING
    assert net(day(10), day(0)) == NOTHING


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=6),
       st.integers(0, 100), st.integers(0, 100))  # fmt: skip
def test_net_time_is_what_no_pause_covers(
    stretches: list[tuple[int, int]], start: int, end: int
) -> None:
    pauses = []
    for began, ended in stretches:
        pause = Pauses()
        pause.begin(day(began))
        pause.end(day(ended))
        pauses.append(pause)
    free = sum(
        not any(min(b, e) <= hour < e for b, e in stretches if e > b) for hour in range(start, end)
    )
    assert net(day(start), day(end), *pauses) == free * DAY


# -- phases ---------------------------------------------------------------------------------------


def test_stays_follow_one_another_and_the_sunset_is_one() -> None:
    tale = Tale().start().enter(10, "market").say(30, "product.sunsetting")
    assert tale.past().status == "sunsetting"
    past = tale.say(40, "product.retired").past()
    assert told(past) == [("build", 0, 10), ("market", 10, 30), ("sunset", 30, 40)]
    assert (past.status, past.ended_at) == ("retired", day(40))
    assert not any(stay.broken_off for stay in past.stays)


def test_what_a_reset_does_again_replaces_what_it_did() -> None:
    tale = Tale().start().enter(10, "test").enter(20, "market")
    assert told(tale.enter(25, "market").past())[-1] == ("market", 25, None)
    back = tale.enter(26, "test")
    assert told(back.past()) == [("build", 0, 26), ("test", 26, None)]


def test_an_investment_is_no_reset() -> None:
    tale = Tale().start().enter(10, "market").say(20, "product.investing", to="build")
    tale.enter(20, "build").enter(30, "market")
    ways = [("build", 0, 10), ("market", 10, 20), ("build", 20, 30), ("market", 30, None)]
    assert told(tale.past()) == ways
    tale.say(40, "product.investing", to="build").enter(40, "build")
    tale.say(41, "product.investing", to="build").enter(41, "build")  # it was reset
    assert told(tale.past()) == [*ways[:3], ("market", 30, 41), ("build", 41, None)]


def aborted() -> Tale:
    """In the market since day 10, a sunset from 30 to 50 that was aborted, in the market again."""
    tale = Tale().start().enter(10, "market").say(30, "product.sunsetting", sunset=1)
    return tale.say(50, "product.back-in-market", phase="market", sunset=1)


def test_an_aborted_sunset_leads_back_to_another_stay_in_the_market() -> None:
    past = aborted().past()
    first = [("build", 0, 10), ("market", 10, 30), ("sunset", 30, 50)]
    assert told(past) == [*first, ("market", 50, None)]
    assert (past.status, past.ended_at) == ("active", None)
    assert [s.phase for s in past.stays if s.broken_off] == ["sunset"]
    again = aborted().say(90, "product.sunsetting", sunset=2).say(99, "product.retired").past()
    assert told(again) == [*first, ("market", 50, 90), ("sunset", 90, 99)]
    assert [s.broken_off for s in again.stays] == [False, False, True, False, False]


def test_an_abort_that_a_reset_does_again_counts_once() -> None:
    twice = aborted().say(60, "product.back-in-market", phase="market", sunset=1)
    assert told(twice.past())[2:] == [("sunset", 30, 60), ("market", 60, None)]
    anew = aborted().say(40, "product.sunsetting", sunset=1)
    assert told(anew.past()) == [("build", 0, 10), ("market", 10, 40), ("sunset", 40, None)]
    later = aborted().say(70, "product.sunsetting", sunset=2)
    later.say(80, "product.back-in-market", phase="market", sunset=2)
    later.say(75, "product.sunsetting", sunset=2)
    assert told(later.past())[2:] == [("sunset", 30, 50), ("market", 50, 75), ("sunset", 75, None)]


def test_a_shortened_record_of_an_abort_still_says_where_the_product_is() -> None:
    tale = Tale().start().enter(10, "market").say(30, "product.sunsetting")
    past = tale.say(50, "product.back-in-market", phase="market").past()
    assert told(past)[2:] == [("sunset", 30, 50), ("market", 50, None)]
    lost = Tale().say(50, "product.back-in-market", phase="market", sunset=3).past()
    assert told(lost) == [("market", 50, None)]


def test_a_killed_product_that_comes_back_was_never_away() -> None:
    tale = Tale().start().say(10, "product.killed")
    dead = tale.past()
    assert dead.status == "killed"
    assert told(dead) == [("build", 0, 10)]
    assert dead.stays[0].broken_off
    past = tale.say(40, "product.revived", phase="build").enter(50, "market").past()
    assert (past.status, past.ended_at) == ("active", None)
    build = past.stays[0]
    assert not build.broken_off
    assert build.until
    assert net(build.since, build.until, past.holds) == 20 * DAY


def test_a_record_without_its_beginning_has_no_stays() -> None:
    past = Tale().say(1, "product.killed").say(2, "product.revived").past()
    assert (past.status, past.stays, past.here) == ("active", [], None)


def test_an_owner_and_a_name_are_the_latest() -> None:
    tale = Tale().start().say(1, "product.handed-over", **{"from": "olga", "to": "ana"})
    assert tale.past().owner == "ana"
    tale.say(2, "product.updated", product={"name": "Better", "owner": "ana", "tier": 1})
    past = tale.say(3, "product.updated", shortened=True).past()
    assert (past.name, past.owner, past.tier) == ("Better", "ana", 1)
    assert tale.say(4, "product.mended").past().status == "active"


# -- rounds ---------------------------------------------------------------------------------------


def test_the_last_decision_of_a_round_counts() -> None:
    tale = Tale().start().open(1).vote(2, "ana").decide(3, "recycle", opened=1)
    assert tale.past().rounds[LAUNCH].outcome == "recycle"
    tale.vote(4, "bo")  # after a reset: late votes are refused
    assert tale.past().sitting is not None
    past = tale.decide(5, "go", opened=1).past()
    assert past.rounds[LAUNCH].decided
    assert (past.rounds[LAUNCH].outcome, past.rounds[LAUNCH].ended_at) == ("go", day(5))
    assert past.sitting is None


def test_a_round_that_opens_again_forgets_what_was_undone() -> None:
    tale = Tale().start().open(1).gate(2, "escalated").vote(3, "ana").decide(4, opened=1)
    past = tale.open(6).past()
    again = past.rounds[LAUNCH]
    assert (again.opened_at, again.escalated, again.ended_at) == (day(6), [], None)
    assert all(asking.answered_at is None for asking in again.askings.all)


def test_a_round_without_an_end_is_abandoned_with_its_product() -> None:
    tale = Tale().start().open(1)
    assert not tale.past().rounds[LAUNCH].abandoned
    assert tale.say(5, "product.cancelled").past().rounds[LAUNCH].abandoned
    told = Tale().start().gate(2, "abandoned", view={"outcome": None}).past()
    assert told.rounds[LAUNCH].abandoned


def test_a_stop_that_is_overridden_has_the_other_outcome_and_ends_the_hold() -> None:
    tale = Tale().start().open(1).decide(3, "hold", opened=1).say(3, "product.held")
    assert tale.past().status == "on-hold"
    data = {"from": "hold", "to": "go", "outcome": "go"}
    past = tale.gate(8, "overridden", "zoe", **data).past()
    held = past.rounds[LAUNCH]
    assert (past.status, held.outcome, held.ended_at) == ("active", "go", day(3))
    assert held.overruled_at == day(8)
    assert net(day(0), day(10), past.holds) == 5 * DAY


def test_an_override_of_an_open_round_is_known_by_its_view() -> None:
    said = {"actor": "zoe", "at": day(4).isoformat()}
    tale = Tale().start().open(1).gate(4, "overridden", "zoe", outcome="go")
    assert tale.past().rounds[LAUNCH].overridden_at == day(4)
    assert tale.decide(4, opened=1, override=said).past().rounds[LAUNCH].overridden_at == day(4)


def test_what_was_shortened_says_nothing_of_a_round() -> None:
    assert Tale().start().say(1, "gate.vote", "ana", shortened=True).past().rounds == {}


def test_the_deadline_moves_with_a_hold_and_an_extension_and_is_unknown_after_escalating() -> None:
    tale = Tale().start().open(1)
    assert tale.past().rounds[LAUNCH].resolve_due == day(11)
    tale.say(2, "product.held").say(4, "product.resumed")
    assert tale.past().rounds[LAUNCH].resolve_due == day(13)
    tale.gate(5, "extended", resolve=day(20).isoformat(), respond={"bo": day(18).isoformat()})
    extended = tale.past().rounds[LAUNCH]
    assert extended.resolve_due == day(20)
    assert extended.askings.due("eng") == day(18)
    tale.gate(6, "escalated", pending=["bo"])
    assert tale.past().rounds[LAUNCH].resolve_due == day(20)
    tale.gate(20, "escalated", pending=["bo"], escalations=1).say(21, "product.held")
    past = tale.say(22, "product.resumed").past()
    assert past.rounds[LAUNCH].resolve_due is None
    assert len(past.rounds[LAUNCH].escalated) == 2


# -- askings --------------------------------------------------------------------------------------


def asked(tale: Tale) -> list[tuple[str, float, float | None]]:
    """Group, asked and answered, in days after the start."""
    return [
        (a.group, (a.at - START) / DAY, (a.answered_at - START) / DAY if a.answered_at else None)
        for a in tale.past().rounds[LAUNCH].askings.all
    ]


def test_a_group_answers_with_its_first_vote() -> None:
    tale = Tale().start().open(1).vote(2, "cy").vote(4, "bo").vote(5, "max", on_behalf_of="ana")
    assert asked(tale) == [("eng", 1, 2), ("product", 1, 5)]


def test_void_votes_are_asked_for_anew_and_others_are_not() -> None:
    tale = Tale().start().open(1).vote(2, "cy").gate(3, "changed", voided=["cy"]).vote(7, "bo")
    assert asked(tale) == [("eng", 1, 2), ("product", 1, None), ("eng", 3, 7)]
    waiting = Tale().start().open(1).gate(3, "changed", voided=["cy", "stranger"])
    assert asked(waiting) == [("eng", 1, None), ("product", 1, None)]


def test_a_day_that_has_passed_is_nobodys_who_is_asked_anew() -> None:
    tale = Tale().start().open(1, due=3).vote(2, "cy").gate(4, "changed", voided=["cy"])
    bo = tale.past().rounds[LAUNCH].askings
    assert bo.due("eng") == day(3)  # bo has not voted, and is late
    tale.gate(4, "dates", respond={"bo": day(9).isoformat(), "cy": day(8).isoformat(), "x": "?"})
    assert tale.past().rounds[LAUNCH].askings.due("eng") == day(9)


def test_a_later_step_is_asked_when_it_opens() -> None:
    tale = Tale().start().open(1, seats={"bo": ["eng"]}).vote(2, "bo")
    tale.gate(3, "step", waiting_for=["lea"], seats={"lea": ["legal"]},
              respond={"lea": day(5).isoformat()}).vote(6, "lea")  # fmt: skip
    assert asked(tale) == [("eng", 1, 2), ("legal", 3, 6)]
    assert tale.past().rounds[LAUNCH].askings.people == {"bo", "lea"}
    tale.gate(7, "step", waiting_for=["bo"], seats={"bo": ["eng"]})
    tale.gate(8, "step", waiting_for=["bo"], seats={"bo": ["eng"]})
    askings = tale.past().rounds[LAUNCH].askings.all
    assert [(a.ended_at, a.due) for a in askings[2:]] == [(day(8), day(6)), (None, None)]


def test_who_joins_and_who_gets_a_seat_answers_for_the_group() -> None:
    tale = Tale().start().open(1, seats={"bo": ["eng"]})
    tale.gate(2, "seats", joined=["dan", "lea", "later"], left=["bo"],
              seats={"dan": ["eng"], "lea": ["legal"]})  # fmt: skip
    tale.gate(3, "reassigned", approver="dan", to="eve").vote(4, "eve").vote(5, "lea")
    assert asked(tale) == [("eng", 1, 4), ("legal", 2, 5)]
    assert tale.past().rounds[LAUNCH].askings.people == {"bo", "dan", "lea", "eve"}


def test_a_hold_moves_the_days_that_were_told_before_it_ended() -> None:
    tale = Tale().start().open(1, due=6).say(2, "product.held").say(5, "product.resumed")
    assert tale.past().rounds[LAUNCH].askings.due("eng") == day(9)
    early = Tale().start().open(1, due=6).say(2, "product.held")
    early.gate(5, "dates", respond={p: day(8.5).isoformat() for p in ("bo", "cy", "ana")})
    early.say(5, "product.resumed")  # written after what it brought about
    assert early.past().rounds[LAUNCH].askings.due("eng") == day(8.5)


def test_clocks_stand_still_while_the_owner_owes_work() -> None:
    tale = Tale().start().open(1, due=6).gate(2, "needs-work", "bo").gate(5, "resubmitted", "olga")
    past = tale.past()
    sitting = past.rounds[LAUNCH]
    assert sitting.askings.due("eng") == day(9)
    assert net(day(1), day(6), past.holds, sitting.work) == 2 * DAY


def test_rounds_that_name_no_groups_count_in_none() -> None:
    askings = Askings()
    askings.ask({"waiting_for": ["ana"], "seats": None, "respond": None}, START)
    askings.answer("ana", START + timedelta(hours=1))
    assert (askings.all, askings.people) == ([], {"ana"})


@pytest.mark.parametrize("nothing", [None, 3, "soon"])
def test_what_is_no_instant_is_none(nothing: object) -> None:
    assert instant_in(nothing) is None


# -- conditions -----------------------------------------------------------------------------------


def promising(*ids: str, due: str | None = None) -> dict[str, object]:
    return {"conditions": [{"id": id, "due": due} for id in ids]}


def test_conditions_are_those_of_the_last_decision() -> None:
    due = day(20).isoformat()
    tale = Tale().start().open(1).decide(2, "conditional-go", **promising("a", "b", due=due))
    assert [p.id for p in tale.past().open_promises()] == ["a", "b"]
    tale.say(3, "condition.closed", condition="a").say(4, "condition.waived", condition="b")
    tale.say(4, "condition.closed", condition="unheard-of")
    settled = tale.past()
    assert settled.open_promises() == []
    assert [p.state for p in settled.promises.values()] == ["closed", "waived"]
    tale.decide(5, "conditional-go", **promising("a", due=due))  # it was reset
    assert [p.at for p in tale.past().open_promises()] == [day(5)]
    tale.say(6, "product.killed")
    assert tale.past().open_promises() == []


def test_a_condition_moves_with_a_hold_but_not_beyond_the_calendar() -> None:
    never = "9999-12-31T23:59:59+00:00"
    tale = Tale().start().open(1).decide(2, "conditional-go", **promising("a", due=never))
    tale.open(3, round=2).decide(
        4, "conditional-go", round=2, **promising("b", due=day(9).isoformat())
    )
    tale.open(5, round=3).decide(6, "conditional-go", round=3, **promising("c"))
    past = tale.say(7, "product.held").say(10, "product.resumed").past()
    assert past.promises["a"].due == instant_in(never)
    assert past.promises["b"].due == day(12)
    assert past.promises["c"].due is None
    tale.say(11, "condition.reminder", condition="b", due=day(13).isoformat())
    assert tale.past().promises["b"].due == day(13)
