"""Service levels: what counts, in which period, and that the numbers add up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tales import DAY, Tale, day

from phasegate.figures import counts, rank, share, spread
from phasegate.slo import Tally
from phasegate.slo_view import GateSlo, GroupSlo, Slo


def report(*tales: Tale, since: float = -1, until: float = 1000) -> Slo:
    tally = Tally(day(since), day(until))
    for tale in tales:
        tally.add(tale.past(), "tiny")
    return tally.report()


def gate(found: Slo) -> GateSlo:
    (only,) = found.gates
    return only


def group(found: Slo, name: str) -> GroupSlo:
    return next(g for g in found.groups if g.group == name)


# -- figures --------------------------------------------------------------------------------------


def test_percentiles_are_nearest_rank() -> None:
    found = spread([n * DAY for n in (15, 20, 35, 40, 50)])
    assert (found.n, found.median, found.p90, found.max) == (5, 35, 50, 50)
    assert spread([2 * DAY, DAY]).median == 1
    assert counts([1, 1, 1, 3]).model_dump() == {"n": 4, "median": 1, "p90": 3, "max": 3}
    assert (spread([]).n, counts([]).max, share(1, 0)) == (0, None, None)


@given(st.lists(st.integers(0, 10**6), min_size=1), st.integers(1, 100))
def test_so_many_are_at_most_the_percentile(values: list[int], percent: int) -> None:
    ordered = sorted(values)
    found = ordered[rank(len(ordered), percent)]
    at_most = sum(v <= found for v in ordered)
    below = sum(v < found for v in ordered)
    assert at_most * 100 >= percent * len(ordered) > below * 100


# -- gates ----------------------------------------------------------------------------------------


def test_a_gate_is_counted_by_rounds() -> None:
    tale = Tale().start().open(1).decide(3, "recycle", opened=1)
    tale.open(10, round=2).decide(16, "go", opened=10, round=2).open(20, round=3)
    found = gate(report(tale))
    assert (found.opened, found.decided, found.open, found.abandoned) == (3, 2, 1, 0)
    assert (found.outcomes, found.recycled, found.recycle_rate) == ({"go": 1, "recycle": 1}, 1, 0.5)
    assert (found.days.median, found.days.max, found.rounds_needed.max) == (2, 6, 2)


def test_a_review_that_passes_again_and_again_needs_one_round_each_time() -> None:
    tale = Tale().start().open(1).decide(2, opened=1).open(9, round=2)
    tale.decide(10, "hold", opened=9, round=2).open(11, round=3)
    tale.decide(12, "kill", opened=11, round=3)
    found = gate(report(tale)).rounds_needed
    assert (found.n, found.median, found.max) == (2, 1, 2)


def test_only_what_ended_in_the_period_counts() -> None:
    tale = Tale().start().open(1).decide(5, opened=1).open(20, round=2)
    tale.decide(30, "recycle", opened=20, round=2)
    found = gate(report(tale, since=10, until=40))
    assert (found.opened, found.decided, found.recycle_rate) == (1, 1, 1.0)
    early = gate(report(tale, since=2, until=6))
    assert (early.opened, early.decided, early.rounds_needed.n) == (0, 1, 1)


def test_time_on_hold_counts_for_nothing() -> None:
    tale = Tale().start().open(1).say(2, "product.held").say(8, "product.resumed").vote(9, "bo")
    found = report(tale.decide(10, opened=1).enter(12, "market"))
    assert gate(found).days.max == 3
    assert group(found, "eng").days.max == 2
    assert [(p.phase, p.days.max, p.here) for p in found.phases] == [
        ("build", 6, 0),
        ("market", None, 1),
    ]


def test_overrides_and_escalations_are_counted_and_a_recycle_that_was_overridden_is_none() -> None:
    inside = {"actor": "zoe", "at": day(5).isoformat()}
    tale = Tale().start().open(1).gate(4, "escalated").gate(5, "overridden", "zoe", outcome="go")
    tale.decide(5, opened=1, override=inside)
    other = Tale("pot").start().open(1).decide(2, "recycle", opened=1)
    other.gate(3, "overridden", "zoe", **{"from": "recycle", "to": "go"})
    found = report(tale, other)
    assert (found.overrides, found.escalations, found.rounds_decided) == (2, 1, 2)
    assert (found.recycled, found.recycle_rate, gate(found).outcomes) == (0, 0.0, {"go": 2})


def test_an_abandoned_round_is_neither_open_nor_decided() -> None:
    found = gate(report(Tale().start().open(1).gate(4, "abandoned", view={})))
    assert (found.opened, found.decided, found.abandoned, found.open) == (1, 0, 1, 0)
    assert found.days.n == 0


def test_a_kill_ends_a_stay_but_is_no_cycle() -> None:
    found = report(Tale().start().say(9, "product.killed"), Tale("pot").start().enter(4, "market"))
    build = found.phases[0]
    assert (build.phase, build.days.n, build.days.max, build.broken_off) == ("build", 1, 4, 1)
    assert (found.products, report().recycle_rate) == (2, None)


# -- groups ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answered", "ended", "until", "counted"),
    [
        (3, None, 90, "in_time"),
        (8, None, 90, "late"),
        (None, 9, 90, "never"),
        (None, 4, 90, "not_needed"),
        (None, None, 5, "waiting"),
        (None, None, 9, "overdue"),
    ],
)
def test_an_asking_comes_to_one_thing(
    answered: float | None, ended: float | None, until: float, counted: str
) -> None:
    tale = Tale().start().open(1, due=6, seats={"bo": ["eng"]})
    if answered:
        tale.vote(answered, "bo")
    if ended:
        tale.decide(ended, "kill", opened=1)
    found = group(report(tale, until=until), "eng")
    assert found.asked == 1
    words = ("in_time", "late", "never", "not_needed", "waiting", "overdue")
    said = {word for word in words if getattr(found, word)}
    assert said == ({"waiting", "overdue"} if counted == "overdue" else {counted})
    share_of = {"in_time": 1.0, "late": 0.0, "never": 0.0}
    assert found.in_time_share == share_of.get(counted)


def test_asked_anew_counts_anew() -> None:
    tale = Tale().start().open(1, seats={"bo": ["eng"]}).vote(2, "bo")
    tale.gate(10, "changed", voided=["bo"]).vote(14, "bo")
    found = group(report(tale), "eng")
    assert (found.asked, found.answered, found.days.median, found.days.max) == (2, 2, 1, 4)
    assert found.in_time + found.late == 1  # nobody told by when the second was due


def test_nothing_is_overdue_while_the_clocks_stand_still() -> None:
    held = Tale().start().open(1, due=6, seats={"bo": ["eng"]}).say(2, "product.held")
    owed = Tale("pot").start().open(1, due=6, seats={"bo": ["eng"]}).gate(3, "needs-work")
    found = group(report(held, owed, until=50), "eng")
    assert (found.waiting, found.overdue) == (2, 0)


def test_what_was_settled_before_the_period_is_not_of_it() -> None:
    tale = Tale().start().open(1).vote(2, "bo").decide(3, "conditional-go", opened=1,
        conditions=[{"id": "a", "due": None}])  # fmt: skip
    tale.say(4, "condition.closed", condition="a").enter(5, "market")
    found = report(tale, since=10, until=20)
    assert [(g.asked, g.answered, g.not_needed) for g in found.groups] == [(0, 0, 0)] * 2
    assert (found.conditions.promised, found.conditions.closed, found.phases[0].days.n) == (0, 0, 0)


# -- conditions -----------------------------------------------------------------------------------


def test_conditions_are_open_overdue_closed_or_waived() -> None:
    due = day(9).isoformat()
    promised = [{"id": id, "due": due} for id in ("a", "b", "c")]
    tale = Tale().start().open(1).decide(2, "conditional-go", opened=1, conditions=promised)
    tale.say(6, "condition.closed", condition="a").say(7, "condition.waived", condition="b")
    found = report(tale, until=20).conditions
    assert (found.promised, found.closed, found.waived, found.open) == (3, 1, 1, 1)
    assert (found.overdue, found.days_to_close.n, found.days_to_close.median) == (1, 1, 4)
    assert report(tale, until=8).conditions.overdue == 0


# -- whatever happens -----------------------------------------------------------------------------

STEPS = (
    "vote", "needs-work", "resubmitted", "changed", "escalated", "abandoned", "reset", "go", "next",
    "recycle", "kill", "hold", "resume", "killed", "revived", "enter", "override",
)  # fmt: skip


@st.composite
def tales(draw: st.DrawFn) -> Tale:
    """Anything that could be written, and much that never would be."""
    tale = Tale(draw(st.sampled_from(["kettle", "pot", "pan"]))).start()
    on, number = 0.0, 0
    for step in draw(st.lists(st.sampled_from(STEPS), max_size=25)):
        on += draw(st.sampled_from([-0.5, 0, 0.5, 1, 3]))
        about = {"round": max(number, 1)}
        match step:
            case "next" | "reset":
                number += step == "next" or not number
                tale.open(on, round=number)
            case "vote":
                tale.vote(on, draw(st.sampled_from(["ana", "bo", "eve"])), **about)
            case "changed":
                tale.gate(on, "changed", voided=["bo"], **about)
            case "go" | "recycle" | "kill" if number:
                tale.decide(on, step, opened=on - 1, **about)
            case "override" if number:
                tale.gate(on, "overridden", **{"from": "recycle", "to": "go", **about})
            case "hold" | "resume":
                tale.say(on, f"product.{'held' if step == 'hold' else 'resumed'}")
            case "killed" | "revived":
                tale.say(on, f"product.{step}", phase="build")
            case "enter":
                tale.enter(on, draw(st.sampled_from(["build", "test", "market"])))
            case "abandoned" | "needs-work" | "resubmitted" | "escalated" if number:
                tale.gate(on, step, view={}, **about)
            case _:
                pass
    return tale


@given(st.lists(tales(), max_size=5), st.randoms())
@settings(max_examples=200, deadline=timedelta(seconds=2))
def test_numbers_add_up_in_any_order_and_nothing_takes_less_than_no_time(
    told: Sequence[Tale], dice: object
) -> None:
    found = report(*told, since=-100)
    shuffled = list(told)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert report(*shuffled, since=-100) == found
    assert found.products == len(told)
    for one in found.gates:
        assert one.opened == one.decided + one.abandoned + one.open
        assert sum(one.outcomes.values()) == one.decided == one.days.n
        assert one.rounds_needed.n <= one.decided
    for some in found.groups:
        assert some.asked == some.answered + some.never + some.not_needed + some.waiting
        assert some.answered == some.days.n >= some.in_time + some.late
        assert some.overdue <= some.waiting
    spreads = [s.days for s in (*found.phases, *found.gates, *found.groups)]
    for spread_ in [s for s in spreads if s.median is not None]:
        assert 0 <= spread_.median <= (spread_.p90 or 0) <= (spread_.max or 0)


def test_an_aborted_sunset_is_no_sunset_that_took_so_long() -> None:
    tale = Tale().start().enter(10, "market").say(30, "product.sunsetting", sunset=1)
    tale.say(50, "product.back-in-market", phase="market", sunset=1)
    tale.say(90, "product.sunsetting", sunset=2).say(99, "product.retired")
    phases = {phase.phase: phase for phase in report(tale).phases}
    assert (phases["sunset"].broken_off, phases["sunset"].days.n, phases["sunset"].days.max) == (
        1,
        1,
        9,
    )
    assert (phases["market"].days.n, phases["market"].days.max) == (2, 40)
