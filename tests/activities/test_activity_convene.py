"""Convening on a real ledger: who is asked, by when, who stands in, and what somebody may do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import ActivitySettings, activities_by_kind
from activities.timetables import Timetables
from ledger import Ledger
from phasegate import ports
from phasegate.calendars import Calendar
from phasegate.directory import Directory, Person
from phasegate.gate import Clocks, Gate

MONDAY = datetime(2026, 12, 21, 8, 0, tzinfo=UTC)
PEOPLE: dict[str, Any] = {
    "ann": {
        "country": "DE",
        "time_zone": "Europe/Berlin",
        "manager": "max",
        "deputy": "bob",
        "absences": [
            {"start": "2026-12-28", "end": "2026-12-31", "delegate": "dee"},
            {"start": "2026-12-23", "end": "2026-12-23"},
        ],
    },
    "bob": {
        "country": "US",
        "time_zone": "America/New_York",
        "absences": [{"start": "2026-12-24", "end": "2026-12-24"}],
    },
    "cy": {"time_zone": "Africa/Cairo", "working_days": ["sun", "mon", "tue", "wed", "thu"]},
    "dee": {
        "time_zone": "Asia/Tokyo",
        "absences": [{"start": "2027-01-04", "end": "2027-01-05", "delegate": "eve"}],
    },
    "eve": {"absences": [{"start": "2027-02-01", "end": "2027-02-01"}]},
    "max": {"absences": [{"start": "2026-12-25", "end": "2026-12-25"}], "manager": "top"},
    "top": {"absences": [{"start": "2026-12-26", "end": "2026-12-26"}]},
    "new-here": {},
    "zoe": {"absences": [{"start": "2026-12-27", "end": "2026-12-27"}]},
}
GROUPS: dict[str, Any] = {
    "leads": {"members": ["ann", "bob"]},
    "managers": {"members": ["cy"], "approve": [3], "permissions": {"extend": [3]}},
    "directors": {
        "members": ["dee"],
        "approve": [1, 2],
        "permissions": {"waive": [1, 2], "extend": [1]},
    },
    "legal": {"members": ["cy", "dee"]},
    "advisers": {"members": ["zoe", "nobody-knows"]},
}
GATE: dict[str, Any] = {
    "id": "g1",
    "title": "G1",
    "requires": [{"group": "leads", "need": 2}],
    "clocks": {
        "respond": "3 business days",
        "resolve": "5 business days",
        "remind": ["1 business day"],
        "escalate": "1 business day",
    },
}


def run(ledger: Ledger, name: str, request: Any) -> Any:
    settings = ActivitySettings(Path("/nowhere"), Path("/nowhere"))
    (found,) = (
        item
        for of_kind in activities_by_kind(ledger, settings).values()
        for item in of_kind
        if activity._Definition.must_from_callable(item).name == name
    )
    return ActivityEnvironment().run(found, request)


def publish(ledger: Ledger, **people: Any) -> None:
    document = Directory.model_validate({"people": PEOPLE | people, "groups": GROUPS})
    ledger.documents.publish("directory", "default", document, MONDAY, "maria")


@pytest.fixture
def staffed(ledger: Ledger) -> Ledger:
    publish(ledger)
    return ledger


def convene(ledger: Ledger, gate: dict[str, Any] | None = None, **more: Any) -> ports.Convened:
    request = {
        "product": "atlas",
        "directory": "default",
        "gate": Gate.model_validate(GATE | (gate or {})),
        "tier": 1,
        "clock": ports.ClockOrder(since=MONDAY),
    }
    found: ports.Convened = run(ledger, ports.CONVENE, ports.ConveneRequest(**request | more))
    assert found == ports.Convened.model_validate_json(found.model_dump_json())
    return found


def shown(instants: dict[str, datetime]) -> dict[str, str]:
    return {person: f"{instant:%m-%d %H:%M:%S}" for person, instant in instants.items()}


def mornings(table: ports.Timetable) -> dict[str, list[str]]:
    return {p: [f"{at:%m-%d %H}" for at in instants] for p, instants in table.remind.items()}


# -- who is asked ---------------------------------------------------------------------------------


def test_only_those_vote_whose_group_may_approve_the_tier(staffed: Ledger) -> None:
    asked = {"requires": [{"any_of": ["managers", "directors"]}]}
    assert convene(staffed, asked, tier=1).members == {"managers": (), "directors": ("dee",)}
    assert convene(staffed, asked, tier=3).members == {"managers": ("cy",), "directors": ()}


def test_a_condition_decides_whether_a_requirement_is_in_force(staffed: Ledger) -> None:
    gate = {
        "requires": [
            {"group": "leads"},
            {"group": "legal", "when": "product.figures.revenue > 1000000"},
            {"group": "directors", "when": 'product.market.segment == "ports"', "tiers": [1]},
            {"group": "managers", "tiers": [3]},
        ]
    }

    def applying(tier: int = 1, **definition: Any) -> tuple[int, ...]:
        found = convene(staffed, gate, tier=tier, definition=definition)
        assert found.notes == []
        return found.applying

    ports_market, ships = {"segment": "ports"}, {"segment": "ships"}
    assert applying(figures={"revenue": 2000000}, market=ports_market) == (0, 1, 2)
    assert applying(figures={"revenue": 1e6}, market=ships) == (0,)
    assert applying(tier=3, figures={"revenue": 2.5e6}, market=ports_market) == (0, 1, 3)


def test_a_condition_that_cannot_be_judged_asks_everybody_and_says_so(staffed: Ledger) -> None:
    gate = {
        "requires": [
            {"group": "leads"},
            {"group": "legal", "when": "product.figures.revenue > 1"},
            {"group": "directors", "when": "product.."},
            {"group": "advisers", "when": "product.name"},
        ]
    }
    found = convene(staffed, gate, definition={"name": "Atlas", "figures": {}})
    assert found.applying == (0, 1, 2, 3)
    assert found.members.keys() == {"leads", "legal", "directors", "advisers"}
    assert found.notes[0] == (
        "1 of legal is asked although its condition is not known to be true: "
        "product.figures.revenue > 1 cannot be evaluated: there is no revenue"
    )
    assert "does not compile" in found.notes[1]
    assert "gave string, not true or false" in found.notes[2]


def test_reviewers_and_attesters_come_with_their_groups(staffed: Ledger) -> None:
    gate = {
        "reviewers": ["advisers", "directors"],
        "criteria": [
            {"id": "cleared", "text": "Cleared", "attested_by": "legal"},
            {"id": "led", "text": "Led", "attested_by": "leads"},
            {"id": "fast", "text": "Fast", "expression": "evidence.p99 * 2.0 < 5.0"},
        ],
    }
    found = convene(staffed, gate, narrowed={"leads": ("bob",), "legal": ("cy",)}, tier=3)
    # a product's choice is of who votes; and who votes, too, attests in the seat they were given
    assert found.members == {
        "leads": ("bob",),
        "legal": ("cy", "dee"),
        "advisers": ("nobody-knows", "zoe"),
        "directors": ("dee",),
    }
    assert sorted(found.timetable.respond) == ["bob", "cy", "dee", "nobody-knows", "zoe"]
    assert sorted(found.timetable.escalate) == ["bob"]
    states = {finding.id: (finding.state, finding.why) for finding in found.criteria}
    assert states["cleared"] == ("unmet", "to be attested by legal")
    assert states["fast"] == (
        "unmet",
        "cannot be evaluated: there is no p99; phasegate product evidence KEY --figure p99=N",
    )
    measured = convene(staffed, gate, evidence={"p99": 2})
    assert {finding.id: finding.state for finding in measured.criteria}["fast"] == "met"


def test_what_asked_when_it_opened_goes_on_asking(staffed: Ledger) -> None:
    """A veto must not end because the owner changes a figure while it is voted on."""
    gate = {
        "requires": [
            {"group": "leads"},
            {"group": "legal", "veto": True, "when": "product.figures.personal_data"},
        ]
    }
    harmless = {"definition": {"figures": {"personal_data": False}}}
    assert convene(staffed, gate, **harmless).applying == (0,)
    found = convene(staffed, gate, asked=(0, 1), **harmless)
    assert found.applying == (0, 1)
    assert "legal" in found.members


def test_a_group_is_not_narrowed_to_people_without_a_vote(staffed: Ledger) -> None:
    alone = {"leads": ("ann",)}
    assert convene(staffed, narrowed=alone).members["leads"] == ("ann",)
    assert convene(staffed, narrowed=alone, barred=("ann",)).members["leads"] == ("ann", "bob")


def test_groups_without_a_say_at_the_tier_are_named(staffed: Ledger) -> None:
    gate = {"requires": [{"group": "managers"}, {"group": "leads"}]}
    assert convene(staffed, gate, tier=1).silent == ("managers",)
    assert convene(staffed, gate, tier=3).silent == ()


# -- by when --------------------------------------------------------------------------------------


def test_everybody_has_days_of_their_own(staffed: Ledger) -> None:
    gate = {"requires": [{"group": "leads"}, {"group": "legal"}]}
    table = convene(staffed, gate, seated=("new-here",)).timetable
    # Christmas on Friday, in Germany and in New York; not in Cairo, where Friday is free
    assert shown(table.respond) == {
        "ann": "12-24 22:59:59",
        "bob": "12-25 04:59:59",
        "cy": "12-24 21:59:59",
        "dee": "12-24 14:59:59",
        "new-here": "12-24 23:59:59",
    }
    assert shown(table.escalate) == {
        "ann": "12-28 22:59:59",
        "bob": "12-29 04:59:59",
        "cy": "12-27 21:59:59",
        "dee": "12-25 14:59:59",
        "new-here": "12-25 23:59:59",
    }
    assert mornings(table) == {  # at nine by their own clock, and nobody by another's
        "ann": ["12-23 08"],
        "bob": ["12-23 14"],
        "cy": ["12-23 07"],
        "dee": ["12-23 00"],
        "new-here": ["12-23 09"],
    }
    assert table.resolve == datetime(2026, 12, 30, 4, 59, 59, tzinfo=UTC)  # the last: bob


def test_a_gate_that_asks_nobody_still_ends(staffed: Ledger) -> None:
    table = convene(staffed, {"requires": [{"group": "nobody-yet"}]}).timetable
    assert (table.respond, table.escalate, table.remind) == ({}, {}, {})
    assert table.resolve == datetime(2026, 12, 28, 23, 59, 59, tzinfo=UTC)


def test_spans_and_business_days_go_together(staffed: Ledger) -> None:
    clocks = {
        "respond": "3 business days",
        "resolve": "5 days",
        "remind": ["2 hours", "4 days"],
        "escalate": "12 hours",
    }
    table = convene(staffed, {"clocks": clocks}).timetable
    due = table.respond["ann"]
    assert table.escalate["ann"] - due == timedelta(hours=12)
    assert table.remind["ann"] == [due - timedelta(hours=2)]  # four days before is over
    assert table.resolve == MONDAY + timedelta(days=5)


def test_a_gate_does_not_resolve_before_the_last_answer_is_due(staffed: Ledger) -> None:
    clocks = {"respond": "5 business days", "resolve": "7 days"}
    table = convene(staffed, {"clocks": clocks}).timetable
    assert table.respond["bob"] > MONDAY + timedelta(days=7)
    assert table.resolve == table.respond["bob"]


def again(
    ledger: Ledger, kind: str, since: datetime, gate: dict[str, Any] | None = None, **more: Any
) -> tuple[ports.Timetable, ports.Timetable]:
    """The timetable of the opening, and the one that is asked for after it."""
    before = convene(ledger, gate).timetable
    stopped = more.pop("stopped", None)
    order = ports.ClockOrder(kind=kind, since=since, stopped=stopped, before=before)  # type: ignore[arg-type]
    return before, convene(ledger, gate, clock=order, **more).timetable


def test_answers_counted_anew_leave_the_end_where_it_was(staffed: Ledger) -> None:
    before, after = again(staffed, "respond", MONDAY + timedelta(days=2))
    assert shown(after.respond) == {"ann": "12-29 22:59:59", "bob": "12-30 04:59:59"}
    assert shown(after.escalate)["ann"] == "12-30 22:59:59"
    assert after.resolve == before.resolve
    assert min(after.remind["ann"]) > MONDAY + timedelta(days=2)


def test_a_pause_moves_everything_by_the_days_it_took(staffed: Ledger) -> None:
    stopped = MONDAY + timedelta(days=1)
    before, after = again(
        staffed, "resume", MONDAY + timedelta(days=2), stopped=stopped, seated=("new-here",)
    )
    assert shown(after.respond) == {
        "ann": "12-28 22:59:59",
        "bob": "12-29 04:59:59",
        "new-here": "12-28 23:59:59",
    }
    assert shown(after.escalate) == {
        "ann": "12-29 22:59:59",
        "bob": "12-30 04:59:59",
        "new-here": "12-29 23:59:59",
    }
    assert before.resolve < after.resolve == datetime(2026, 12, 31, 4, 59, 59, tzinfo=UTC)
    assert mornings(after) == {"ann": ["12-24 08"], "bob": ["12-24 14"], "new-here": ["12-25 09"]}


def test_a_pause_that_takes_no_working_day_moves_nothing(staffed: Ledger) -> None:
    before, after = again(
        staffed, "resume", MONDAY + timedelta(hours=4), stopped=MONDAY + timedelta(hours=1)
    )
    assert after == before


def test_who_was_late_before_a_pause_is_late_after_it(staffed: Ledger) -> None:
    stopped = datetime(2026, 12, 26, 12, 0, tzinfo=UTC)  # after the answers, before escalation
    before, after = again(staffed, "resume", stopped + timedelta(days=3), stopped=stopped)
    assert after.respond == before.respond
    assert shown(before.escalate)["ann"] == "12-28 22:59:59"
    assert shown(after.escalate)["ann"] == "12-30 22:59:59"
    assert after.remind == {}


def test_a_pause_of_plain_spans_moves_them_by_its_length(staffed: Ledger) -> None:
    clocks = {"respond": "2 days", "resolve": "4 days", "escalate": "1 day", "remind": ["1 day"]}
    stopped = MONDAY + timedelta(hours=1)
    before, after = again(
        staffed, "resume", stopped + timedelta(days=3), {"clocks": clocks}, stopped=stopped
    )
    pause = timedelta(days=3)
    assert after.respond == {p: due + pause for p, due in before.respond.items()}
    assert after.escalate == {p: due + pause for p, due in before.escalate.items()}
    assert after.remind == {p: [at + pause for at in ats] for p, ats in before.remind.items()}
    assert after.resolve == before.resolve + pause


def test_new_people_have_their_days_and_others_keep_theirs(staffed: Ledger) -> None:
    since = MONDAY + timedelta(days=1)
    before, after = again(staffed, "keep", since, seated=("dee",), narrowed={"leads": ("ann",)})
    assert after.respond == before.respond | {"dee": after.respond["dee"]}
    assert shown({"dee": after.respond["dee"]}) == {"dee": "12-25 14:59:59"}
    assert after.escalate == before.escalate | {"dee": after.escalate["dee"]}
    assert after.remind == before.remind | {"dee": after.remind["dee"]}
    assert after.resolve == before.resolve
    unchanged = again(staffed, "keep", since)
    assert unchanged[0] == unchanged[1]


CLOCKS_OF_SPANS = {"respond": "5 days", "resolve": "10 days", "escalate": "2 days"}


@pytest.mark.parametrize("kind", ["respond", "keep", "start"])
def test_what_is_counted_while_the_clocks_stand_still_is_not_moved_twice(
    staffed: Ledger, kind: str
) -> None:
    gate = {"clocks": CLOCKS_OF_SPANS}
    stopped, resumed = MONDAY + timedelta(days=1), MONDAY + timedelta(days=30)
    before, held = again(
        staffed, kind, resumed - timedelta(days=1), gate, stopped=stopped, seated=("dee",)
    )
    assert held.respond["dee"] == stopped + timedelta(days=5)
    order = ports.ClockOrder(kind="resume", since=resumed, stopped=stopped, before=held)
    after = convene(staffed, gate, clock=order, seated=("dee",)).timetable
    assert after.respond["dee"] == resumed + timedelta(days=5)
    assert after.escalate["dee"] == resumed + timedelta(days=7)
    assert max(after.respond.values()) <= after.resolve <= resumed + timedelta(days=10)
    assert before.resolve < after.resolve


def test_time_to_the_end_of_all_years_is_left_as_it_is(staffed: Ledger) -> None:
    last = datetime.max.replace(tzinfo=UTC)
    before = convene(staffed).timetable
    before = before.model_copy(update={"respond": {"ann": last}, "escalate": {}, "resolve": last})
    order = ports.ClockOrder(
        kind="resume", since=MONDAY + timedelta(days=9), stopped=MONDAY, before=before
    )
    after = convene(staffed, clock=order).timetable
    assert (after.respond["ann"], after.escalate["ann"], after.resolve) == (last, last, last)


def test_somebody_who_is_away_for_ever_stops_no_gate(ledger: Ledger) -> None:
    for_ever = {"start": "0001-01-01", "end": "9999-12-31", "delegate": "bob"}
    publish(ledger, ann=PEOPLE["ann"] | {"absences": [for_ever]})
    (away,) = convene(ledger).absences["ann"]
    assert away.start < MONDAY < away.end
    assert authority(ledger, "dee", about="ann").absences["ann"] == (away,)


def test_an_order_without_a_past_starts_and_one_without_a_pause_keeps(staffed: Ledger) -> None:
    opened = convene(staffed).timetable
    for kind in ("respond", "resume", "keep"):
        order = ports.ClockOrder(kind=kind, since=MONDAY)  # type: ignore[arg-type]
        assert convene(staffed, clock=order).timetable == opened
    _, after = again(staffed, "resume", MONDAY + timedelta(days=9))
    assert after == opened


def test_a_timetable_asks_no_clock() -> None:
    calendars = {"ann": Calendar.of(Person())}
    order = ports.ClockOrder(since=MONDAY)
    found = [Timetables(Clocks(), MONDAY, calendars, ["ann"]).answer(order) for _ in range(2)]
    assert found[0] == found[1]


# -- who stands in --------------------------------------------------------------------------------


def test_absences_are_instants_and_reach_everybody_who_might_act(staffed: Ledger) -> None:
    found = convene(staffed)
    assert found.deputies == {"ann": "bob"}
    assert found.managers == {"ann": ("max", "top")}
    assert sorted(found.absences) == ["ann", "bob", "dee", "eve", "max", "top"]
    first, second = found.absences["ann"]
    assert (first.start, first.end, first.delegate) == (
        datetime(2026, 12, 22, 23, tzinfo=UTC),
        datetime(2026, 12, 23, 23, tzinfo=UTC),
        None,
    )
    assert second.delegate == "dee"
    (away,) = found.absences["dee"]
    assert away.start == datetime(2027, 1, 3, 15, tzinfo=UTC)


def test_a_calendar_that_cannot_be_used_is_waited_for(ledger: Ledger) -> None:
    publish(ledger, bob={"country": "XX"})
    with pytest.raises(ApplicationError) as error:
        convene(ledger)
    assert (error.value.type, error.value.non_retryable) == ("calendar-unusable", False)
    assert error.value.message.startswith(
        "gate g1 cannot count its days: bob: no holidays are known of a country 'XX'"
    )
    assert "phasegate directory publish FILE" in error.value.message
    publish(ledger)
    assert convene(ledger).timetable.respond


def test_nothing_waits_for_a_delegate_whose_absences_are_known(staffed: Ledger) -> None:
    found = convene(staffed, acting=("dee", "cy"))
    assert found.timetable == convene(staffed).timetable
    assert found.absences["dee"]
    other = convene(staffed, {"requires": [{"group": "nobody-yet"}]}, acting=("dee",))
    assert (sorted(other.absences), other.timetable.respond) == (["dee", "eve"], {})


def test_who_was_given_a_seat_or_a_mandate_and_has_left_is_said_to_be_gone(
    staffed: Ledger,
) -> None:
    found = convene(staffed, seated=("new-here", "left"), acting=("dee", "away"))
    assert found.gone == ("away", "left")
    assert "left" not in found.timetable.respond


# -- what somebody may do -------------------------------------------------------------------------


def authority(ledger: Ledger, actor: str, tier: int = 1, **more: Any) -> ports.Authority:
    request = ports.AuthorityRequest(directory="default", actor=actor, tier=tier, **more)
    found: ports.Authority = run(ledger, ports.AUTHORITY, request)
    return found


def test_permissions_are_those_of_the_groups_at_the_tier(staffed: Ledger) -> None:
    assert authority(staffed, "dee").permissions == ("extend", "waive")
    assert authority(staffed, "dee", tier=2).permissions == ("waive",)
    assert authority(staffed, "dee", tier=3).permissions == ()
    stranger = authority(staffed, "nobody-knows")
    assert (stranger.permissions, stranger.known) == ((), False)
    assert authority(staffed, "cy").known


def test_what_is_known_of_whom_it_is_about(staffed: Ledger) -> None:
    found = authority(staffed, "top", about="ann")
    assert (found.about_known, found.manages) == (True, True)
    assert found.about_managers == ("max", "top")
    assert found.absences["ann"] == convene(staffed).absences["ann"]
    assert sorted(found.absences) == ["ann", "dee", "eve"]
    below = authority(staffed, "ann", about="max")
    assert (below.about_known, below.manages) == (True, False)
    nobody = authority(staffed, "ann", about="nobody-knows")
    assert (nobody.about_known, nobody.absences, nobody.about_managers) == (False, {}, ())


def test_authority_waits_for_its_directory_and_its_calendars(ledger: Ledger) -> None:
    with pytest.raises(ApplicationError) as error:
        authority(ledger, "ann")
    assert error.value.type == "directory-unknown"
    publish(ledger, eve=PEOPLE["eve"] | {"time_zone": "Mars/Base"})
    assert authority(ledger, "dee", about="cy").about_known
    with pytest.raises(ApplicationError) as error:
        authority(ledger, "dee", about="eve")
    assert error.value.type == "calendar-unusable"
    assert "the absences of eve cannot be read" in error.value.message
